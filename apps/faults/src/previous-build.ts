import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CACHE = join(ROOT, '.posthorn', 'cache')

/** Another version of Posthorn, built. */
export interface PreviousBuild {
  readonly commit: string
  readonly folder: string
}

/**
 * Builds a commit, with the dependencies of its own lock file, into the cache: a minute or two once,
 * nothing afterwards. Without a name it is the last release. Throws with the words of what failed.
 */
export async function previousBuild(name: string | undefined, say: (line: string) => void): Promise<PreviousBuild> {
  const commit = await commitOf(name)
  const folder = join(CACHE, 'builds', commit)
  if (!existsSync(folder)) {
    say(`Building ${commit} …`)
    await build(commit, folder)
  }
  return { commit, folder }
}

async function commitOf(name: string | undefined): Promise<string> {
  const release = name ?? (await git('describe', '--tags', '--abbrev=0').catch(() => ''))
  if (release === '') throw new Error('there is no release yet: name the commit to upgrade from (--from)')
  return git('rev-parse', '--verify', '--short=12', `${release}^{commit}`)
}

/** Made elsewhere and renamed: an interrupted build is not taken for a whole one. */
async function build(commit: string, folder: string): Promise<void> {
  const partial = `${folder}-${process.pid}`
  try {
    mkdirSync(join(partial, '.posthorn'), { recursive: true })
    await run('sh', ['-c', 'git archive "$1" | tar -x -C "$2"', 'sh', commit, partial], ROOT)
    // Kafka's libraries are the same.
    symlinkSync(CACHE, join(partial, '.posthorn', 'cache'))
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'], partial)
    const projects = '--projects=@posthorn/all-in-one,@posthorn/cli'
    await run(process.execPath, ['node_modules/nx/dist/bin/nx.js', 'run-many', '-t', 'build', projects], partial)
    renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

async function git(...args: readonly string[]): Promise<string> {
  return (await run('git', args, ROOT)).trim()
}

function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = {
    ...process.env,
    NX_DAEMON: 'false',
    NX_TUI: 'false',
    // What runs this comes first, and what was installed there.
    PATH: [join(cwd, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)))
    child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)))
    child.once('error', reject)
    child.once('close', code =>
      code === 0 ? resolve(out) : reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${out}${err}`)),
    )
  })
}
