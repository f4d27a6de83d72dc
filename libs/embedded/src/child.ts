import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface DetachedOptions {
  /** Takes stdout and stderr; rewritten at each start. */
  readonly logFile: string
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  readonly env?: NodeJS.ProcessEnv
}

export interface Detached {
  readonly pid: number
  /** Resolves with the reason when the process has ended. */
  readonly exited: Promise<string>
  readonly running: boolean
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches only the
 * supervisor, which then stops things in order. Throws when the program cannot be started.
 */
export async function startDetached(command: string, args: readonly string[], options: DetachedOptions) {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const log = openSync(options.logFile, 'w')
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: options.env ?? process.env,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  })
  closeSync(log)
  return watch(child)
}

async function watch(child: ChildProcess): Promise<Detached> {
  const state = { running: true }
  const exited = new Promise<string>(resolve =>
    child.once('exit', (code, signal) => {
      state.running = false
      resolve(signal === null ? `status ${code}` : `signal ${signal}`)
    }),
  )
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  return {
    pid: child.pid!,
    exited,
    get running() {
      return state.running
    },
  }
}

/** Whether a process of this id exists; a zombie counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return true
  }
}

/** The command line of a process, its arguments separated by spaces; empty when it is gone. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    // Not Linux, or gone.
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() ?? ''
  }
}

/** Sends the signal, and SIGKILL when the process is still there after `graceMs`; resolves when it is gone. */
export async function endProcess(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  send(pid, signal)
  if (await gone(pid, graceMs)) return
  send(pid, 'SIGKILL')
  await gone(pid, 2000)
}

async function gone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false
    await sleep(20)
  }
  return true
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // Gone meanwhile: what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
