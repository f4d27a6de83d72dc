// What npm scripts run, from a clean clone on: installs what is missing, builds what changed, then
// hands over to the command with Node 24. It has no dependencies and must parse on Node 20.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_AT_LEAST = 20
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const modules = join(root, 'node_modules')
const say = line => process.stderr.write(`${line}\n`)

const nodeMajor = Number.parseInt(process.versions.node, 10)
if (nodeMajor < NODE_AT_LEAST) {
  say(
    `Posthorn needs Node ${NODE_AT_LEAST} or newer and this is ${process.versions.node}: get it from https://nodejs.org`,
  )
  process.exit(1)
}

let current
let stopped
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    stopped = signal
    // After Ctrl-C the child has the signal already; a second one does nothing to it.
    current?.kill(signal)
  })

/** Runs a program to its end. Quiet ones are only heard when they fail. Resolves with the exit status. */
function run(command, args, { quiet, env, stdio, cwd = root } = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: stdio ?? ['ignore', quiet ? 'pipe' : 2, quiet ? 'pipe' : 2],
    })
    current = child
    const output = []
    child.stdout?.on('data', chunk => output.push(chunk))
    child.stderr?.on('data', chunk => output.push(chunk))
    child.once('error', error => {
      say(`${command} could not be started: ${error.message}`)
      resolve(127)
    })
    child.once('close', (code, signal) => {
      current = undefined
      const status = code ?? 128 + constants.signals[signal]
      if (quiet && status !== 0) process.stderr.write(Buffer.concat(output))
      resolve(status)
    })
  })
}

/** A step that ends the whole when it fails; one line when it takes longer than a second. */
async function step(label, failed, work) {
  const started = Date.now()
  const timer = setTimeout(() => say(`${label} …`), 1000)
  const status = await work()
  clearTimeout(timer)
  if (stopped) process.exit(128 + constants.signals[stopped])
  if (status !== 0) {
    say(`${failed} (status ${status})`)
    process.exit(1)
  }
  const took = Date.now() - started
  if (took >= 1000) say(`${label}: ${(took / 1000).toFixed(1)} s`)
}

const digest = text => createHash('sha256').update(text).digest('hex')
const readOr = (file, otherwise) => (existsSync(file) ? readFileSync(file, 'utf8') : otherwise)

async function install() {
  const stamp = join(modules, '.posthorn-installed')
  const lock = () =>
    digest(readOr(join(root, 'package-lock.json'), '') + readFileSync(join(root, 'package.json'), 'utf8'))
  if (readOr(stamp, '') === lock()) return
  const npm = process.env.npm_execpath
  // The npm that runs this script; without it (node setup.mjs by hand) the one on the PATH.
  const [command, ...first] = npm && npm.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm']
  const args = [...first, 'install', '--loglevel=error', '--no-audit', '--no-fund']
  await step('Installing dependencies', 'npm install failed: its words are above', () => run(command, args))
  writeFileSync(stamp, lock())
}

/** Names, sizes and times of all that a build reads: a second start must not wait for Nx to find nothing to do. */
function sourceState() {
  const lines = []
  const packages = []
  const add = file => {
    const { size, mtimeMs } = statSync(file)
    lines.push(`${file} ${size} ${mtimeMs}`)
  }
  const walk = folder => {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) walk(join(folder, entry.name))
      else add(join(folder, entry.name))
  }
  for (const group of ['apps', 'libs'])
    for (const name of readdirSync(join(root, group)).sort()) {
      const home = join(root, group, name)
      if (!existsSync(join(home, 'package.json'))) continue
      if (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).scripts?.build) packages.push(home)
      add(join(home, 'package.json'))
      if (existsSync(join(home, 'src'))) walk(join(home, 'src'))
    }
  for (const name of ['.swcrc', 'nx.json', 'tsconfig.base.json', 'package-lock.json']) add(join(root, name))
  return {
    state: digest(lines.join('\n')),
    built: packages.every(home => ['index.js', 'main.js'].some(file => existsSync(join(home, 'dist', file)))),
  }
}

async function build() {
  const stamp = join(modules, '.posthorn-built')
  const { state, built } = sourceState()
  if (built && readOr(stamp, '') === state) return
  const args = [join(modules, 'nx', 'dist', 'bin', 'nx.js'), 'run-many', '-t', 'build', '--outputStyle=static']
  const env = { NX_DAEMON: 'false', NX_TUI: 'false', PATH: join(modules, '.bin') + delimiter + process.env.PATH }
  await step('Building', 'The build failed: the words of Nx are above', () => run(node24(), args, { quiet: true, env }))
  writeFileSync(stamp, state)
}

function node24() {
  const own = join(modules, 'node', 'bin', 'node')
  if (existsSync(own)) return own
  if (nodeMajor >= 24) return process.execPath
  say(
    'node_modules/node/bin/node is missing: allow the install script of the npm package "node", and run: npm rebuild node',
  )
  process.exit(1)
}

await install()
await build()
const command = [join(root, 'apps', 'cli', 'dist', 'main.js'), ...process.argv.slice(2)]
// Where it was called: the names of files among its arguments are meant from there.
process.exitCode = await run(node24(), command, { stdio: 'inherit', cwd: process.cwd() })
