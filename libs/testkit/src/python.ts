import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')
const INSTALL_MS = 180_000
const LOOK_MS = 500
const INSTALL_HINT =
  'Tests with tools in Python need python3 (3.10 or newer) with its venv module and pip ' +
  '(Debian: apt install python3-venv), and a package index that pip reaches.'

export interface Ended {
  readonly status: number | string
  readonly output: string
}

/** Whether there is a python3 that can make environments. */
export function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0
}

/** Runs a program of a package of PyPI to its end; installs it into the cache when it is not there. Throws when it cannot be. */
export async function runPython(
  distribution: string,
  version: string,
  program: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly input?: string },
): Promise<Ended> {
  const home = join(CACHE, `${distribution}-${version}`)
  const stamp = join(home, 'installed')
  /** A folder that only one process can make: who has made it installs, the others wait. */
  const lock = `${home}.lock`
  while (!existsSync(stamp))
    if (locked(lock)) await install(home, stamp, `${distribution}==${version}`).finally(() => rmdirSync(lock))
    else await sleep(LOOK_MS)
  return ended(home, join(home, 'bin', program), args, options)
}

/** Takes the lock, or one that was left behind by a process that was killed. */
function locked(lock: string): boolean {
  try {
    mkdirSync(CACHE, { recursive: true })
    mkdirSync(lock)
    return true
  } catch {
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
    if (since !== undefined && Date.now() - since > 2 * INSTALL_MS) rmSync(lock, { recursive: true, force: true })
    return false
  }
}

async function install(home: string, stamp: string, requirement: string): Promise<void> {
  if (existsSync(stamp)) return
  // What an installation that was killed left is no use.
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  await step(home, 'python3', ['-m', 'venv', home])
  await step(home, join(home, 'bin', 'pip'), ['install', '--quiet', requirement])
  writeFileSync(stamp, '')
}

async function step(home: string, program: string, args: readonly string[]): Promise<void> {
  const { status, output } = await ended(home, program, args, { timeoutMs: INSTALL_MS })
  if (status !== 0) throw new Error(`${INSTALL_HINT} ${program} ${args.join(' ')}: ${status} ${output}`)
}

function ended(
  cwd: string,
  program: string,
  args: readonly string[],
  { timeoutMs, input }: { readonly timeoutMs: number; readonly input?: string },
): Promise<Ended> {
  const options = { cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 } as const
  return new Promise(resolve => {
    const child = execFile(program, [...args], options, (error, out, err) =>
      resolve({ status: error === null ? 0 : (error.code ?? error.signal ?? error.message), output: out + err }),
    )
    child.stdin?.end(input)
  })
}
