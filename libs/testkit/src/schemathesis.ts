import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const VERSION = '4.32.5'
const ROOT = join(import.meta.dirname, '..', '..', '..')
const HOME = join(ROOT, '.posthorn', 'cache', `schemathesis-${VERSION}`)
const STAMP = join(HOME, 'installed')
/** A folder that only one process can make: who has made it installs, the others wait. */
const LOCK = `${HOME}.lock`
const INSTALL_MS = 180_000
const LOOK_MS = 500
const INSTALL_HINT =
  'The fuzz test of the API needs Python: install python3 (3.10 or newer) with its venv module and pip ' +
  '(Debian: apt install python3-venv), and let pip reach a package index.'

interface Ended {
  readonly status: number | string
  readonly output: string
}

/** Runs schemathesis to its end, installed into the cache directory when it is not there. Throws when it cannot be. */
export async function schemathesis(args: readonly string[], timeoutMs: number): Promise<Ended> {
  while (!existsSync(STAMP))
    if (locked()) await install().finally(() => rmdirSync(LOCK))
    else await sleep(LOOK_MS)
  return ended(join(HOME, 'bin', 'schemathesis'), args, timeoutMs)
}

/** Takes the lock, or one that was left behind by a process that was killed. */
function locked(): boolean {
  try {
    mkdirSync(join(LOCK, '..'), { recursive: true })
    mkdirSync(LOCK)
    return true
  } catch {
    const since = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs
    if (since !== undefined && Date.now() - since > 2 * INSTALL_MS) rmSync(LOCK, { recursive: true, force: true })
    return false
  }
}

async function install(): Promise<void> {
  if (existsSync(STAMP)) return
  // What an installation that was killed left is no use.
  rmSync(HOME, { recursive: true, force: true })
  mkdirSync(HOME, { recursive: true })
  await step('python3', ['-m', 'venv', HOME])
  await step(join(HOME, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${VERSION}`])
  writeFileSync(STAMP, '')
}

async function step(program: string, args: readonly string[]): Promise<void> {
  const { status, output } = await ended(program, args, INSTALL_MS)
  if (status !== 0) throw new Error(`${INSTALL_HINT} ${program} ${args.join(' ')}: ${status} ${output}`)
}

function ended(program: string, args: readonly string[], timeout: number): Promise<Ended> {
  const options = { cwd: HOME, timeout, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 } as const
  return new Promise(resolve =>
    execFile(program, [...args], options, (error, out, err) =>
      resolve({ status: error === null ? 0 : (error.code ?? error.signal ?? error.message), output: out + err }),
    ),
  )
}
