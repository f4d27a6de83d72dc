import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { commandLineOf, endProcess, isAlive, type Progress } from '@posthorn/embedded'
import { CommandFault } from './command.js'
import { replaceFile } from './replace-file.js'
import { CLI_MAIN, RECEIVER_MAIN, SERVICES_MAIN } from './repository.js'

export type Pids = Readonly<Record<string, number>>

/** What `up --json` prints and `run.json` holds. */
export interface StackInfo {
  /** Base URLs without a path. */
  readonly api: string
  readonly publish: string
  /** host:port */
  readonly grpc: string
  readonly kafka: string
  readonly postgres: string
  readonly key: string
  readonly pids: Pids
}

const STOP_SERVICE_MS = 8000
const STOP_SERVER_MS = 6000

/**
 * The two files by which a running stack is found. `run.json` is there while the stack is ready;
 * `pids.json` from the first process on, so that leftovers of a supervisor killed with -9 are known
 * however early it died.
 */
export class RunFiles {
  private readonly runFile: string
  private readonly pidsFile: string

  constructor(private readonly dir: string) {
    this.runFile = join(dir, 'run.json')
    this.pidsFile = join(dir, 'pids.json')
  }

  /** The running stack, if its supervisor lives. */
  running(): StackInfo | undefined {
    const info = read<StackInfo>(this.runFile)
    return info !== undefined && isSupervisor(info.pids.supervisor) ? info : undefined
  }

  /** Of a supervisor that lives, ready or not. */
  livingSupervisor(): number | undefined {
    const pid = read<Pids>(this.pidsFile)?.supervisor
    return isSupervisor(pid) ? pid : undefined
  }

  /** Becomes the one supervisor of this folder. Throws CommandFault when there is another. */
  claim(): void {
    const living = this.livingSupervisor()
    if (living !== undefined) throw alreadyRunning(living, this.dir)
    mkdirSync(this.dir, { recursive: true })
    rmSync(this.pidsFile, { force: true })
    try {
      writeFileSync(this.pidsFile, JSON.stringify({ supervisor: process.pid }), { flag: 'wx', mode: 0o600 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw alreadyRunning(this.livingSupervisor(), this.dir)
    }
  }

  writePids(pids: Pids): void {
    replaceFile(this.pidsFile, JSON.stringify(pids))
  }

  writeRunning(info: StackInfo): void {
    replaceFile(this.runFile, `${JSON.stringify(info)}\n`)
  }

  remove(): void {
    rmSync(this.runFile, { force: true })
    rmSync(this.pidsFile, { force: true })
  }

  /** Ends what a dead supervisor left: services first, then the servers they write to. */
  async endLeftovers(say: Progress): Promise<void> {
    const pids = { ...read<StackInfo>(this.runFile)?.pids, ...read<Pids>(this.pidsFile) }
    const servers = { ...pids, ...this.serverPids() }
    const services = Object.entries(pids).filter(([, pid]) => this.isService(pid))
    if (services.length > 0) say(`Ending what an earlier run left: ${services.map(([name]) => name).join(', ')}`)
    await Promise.all(services.map(([, pid]) => endProcess(pid, 'SIGTERM', STOP_SERVICE_MS)))
    const left = Object.entries(servers).filter(([, pid]) => this.isServer(pid))
    if (left.length > 0) say(`Ending what an earlier run left: ${left.map(([name]) => name).join(', ')}`)
    await Promise.all(
      left.map(([name, pid]) => endProcess(pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM', STOP_SERVER_MS)),
    )
    rmSync(this.runFile, { force: true })
  }

  private serverPids(): Pids {
    const found: Record<string, number> = {}
    for (const [name, file] of [
      ['kafka', join(this.dir, 'kafka', 'pid')],
      ['postgres', join(this.dir, 'postgres', 'data', 'postmaster.pid')],
    ] as const)
      if (existsSync(file)) found[name] = Number.parseInt(readFileSync(file, 'utf8'), 10)
    return found
  }

  private isService(pid: number): boolean {
    return isAlive(pid) && [SERVICES_MAIN, RECEIVER_MAIN].some(main => commandLineOf(pid).includes(main))
  }

  /** Pids come around again: only a command line on our own data counts. */
  private isServer(pid: number): boolean {
    const data = [join(this.dir, 'kafka', 'server.properties'), join(this.dir, 'postgres', 'data')]
    return isAlive(pid) && data.some(path => commandLineOf(pid).includes(path))
  }
}

function isSupervisor(pid: number | undefined): boolean {
  return pid !== undefined && pid !== process.pid && isAlive(pid) && commandLineOf(pid).includes(CLI_MAIN)
}

function alreadyRunning(pid: number | undefined, dir: string): CommandFault {
  return new CommandFault(
    `Posthorn already runs here, as process ${pid} with its data in ${dir}: stop it first (Ctrl-C, or kill ${pid}), ` +
      'or set POSTHORN_EMBEDDED_DIR to another folder and other ports.',
  )
}

function read<T>(file: string): T | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    // Cut off by a crash of the machine: as good as none.
    return undefined
  }
}
