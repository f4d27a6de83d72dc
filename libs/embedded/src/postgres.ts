import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { commandLineOf, endProcess, isAlive, startDetached, type Detached } from './child.js'
import { EmbeddedFault } from './fault.js'
import { postgresAccount, type Account } from './postgres-account.js'
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries.js'
import { step, type Progress } from './progress.js'
import { requireDisk, requirePort, run } from './requirements.js'

export interface PostgresServerOptions {
  /** Data and log go to `<dir>/postgres`. */
  readonly dir: string
  readonly port: number
  /** Server settings, such as { fsync: 'off' } for tests. */
  readonly settings?: Readonly<Record<string, string>>
  readonly onProgress: Progress
}

export interface RunningPostgres {
  /** Of the database `posthorn`, with user and password. */
  readonly url: string
  readonly pid: number
  /** Resolves with the reason when the server has ended, asked to or not. */
  readonly exited: Promise<string>
  stop(): Promise<void>
}

const NAME = 'posthorn'
const READY_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 5000
/** Backends of a postmaster that was killed hold its memory until they notice: usually well under a second. */
const LEFTOVER_BACKENDS_MS = 10_000

/**
 * A real Postgres on 127.0.0.1 only, with user, password and database `posthorn`. A data folder
 * left by kill -9 recovers. Throws EmbeddedFault when it cannot be started here.
 */
export async function startPostgres(options: PostgresServerOptions): Promise<RunningPostgres> {
  const home = resolve(options.dir, 'postgres')
  await requirePort(options.port, 'Postgres', 'POSTHORN_EMBEDDED_POSTGRES_PORT')
  await requireDisk(home)
  const binaries = await postgresBinaries()
  const account = await postgresAccount([join(home, 'data'), binaries.postgres])
  const server = new Server(binaries, account, home, options.port, options.settings ?? {})
  await step(options.onProgress, 'Making the data folder of Postgres', () => server.initialise())
  const running = await step(options.onProgress, 'Starting Postgres', () => server.start())
  return { url: urlOf(options.port, NAME), pid: running.pid, exited: running.exited, stop: () => end(running) }
}

/** SIGINT: Postgres breaks connections off, writes a checkpoint and ends. */
async function end(running: Detached): Promise<void> {
  if (!running.running) return
  await endProcess(running.pid, 'SIGINT', STOP_GRACE_MS)
  await running.exited
}

class Server {
  private readonly data: string
  private readonly log: string

  constructor(
    private readonly binaries: PostgresBinaries,
    private readonly account: Account,
    private readonly home: string,
    private readonly port: number,
    private readonly settings: Readonly<Record<string, string>>,
  ) {
    this.data = join(home, 'data')
    this.log = join(home, 'server.log')
  }

  /** Made beside and renamed, so that an interrupted initdb is never taken for a whole one. */
  async initialise(): Promise<void> {
    if (existsSync(join(this.data, 'PG_VERSION'))) return
    const partial = join(this.home, 'data.partial')
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(partial, { recursive: true })
    chmodSync(this.home, 0o755)
    chmodSync(partial, 0o700)
    const password = join(this.home, 'password')
    writeFileSync(password, `${NAME}\n`, { mode: 0o600 })
    this.handOver(partial, password)
    const access = [`--username=${NAME}`, `--pwfile=${password}`, '--auth=scram-sha-256']
    const form = ['--encoding=UTF8', '--no-locale', '--no-instructions', '--no-sync', `--pgdata=${partial}`]
    const [command, ...args] = [...this.account.prefix, this.binaries.initdb, ...access, ...form]
    const { status, output } = await run(command!, args, { uid: this.account.uid, gid: this.account.gid, cwd: '/' })
    rmSync(password, { force: true })
    if (status !== 0) throw new EmbeddedFault('postgres_failed', `initdb failed (status ${status}):\n${output.trim()}`)
    renameSync(partial, this.data)
  }

  async start(): Promise<Detached> {
    this.clearStalePid()
    const deadline = performance.now() + LEFTOVER_BACKENDS_MS
    for (;;) {
      const running = await this.spawn()
      if (await this.ready(running)) return running
      const words = readFileSync(this.log, 'utf8')
      if (!words.includes('shared memory block') || performance.now() > deadline)
        throw this.failure(`ended with ${await running.exited}`)
      await sleep(200)
    }
  }

  private spawn(): Promise<Detached> {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      // TCP alone: a socket file would be one more thing to collide and to leave behind.
      unix_socket_directories: '',
      max_connections: '200',
      timezone: 'UTC',
      ...this.settings,
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const [command, ...args] = [...this.account.prefix, this.binaries.postgres, '-D', this.data, ...flags]
    return startDetached(command!, args, { logFile: this.log, uid: this.account.uid, gid: this.account.gid })
  }

  /** True when the database answers, false when the server ended before. */
  private async ready(running: Detached): Promise<boolean> {
    const deadline = performance.now() + READY_TIMEOUT_MS
    while (running.running) {
      if (await databaseExists(this.port)) return true
      if (performance.now() > deadline) {
        await end(running)
        throw this.failure(`did not answer within ${READY_TIMEOUT_MS / 1000} s`)
      }
      await sleep(50)
    }
    return false
  }

  /** Postgres itself refuses to start when the pid in the file is some unrelated process of the same user. */
  private clearStalePid(): void {
    const file = join(this.data, 'postmaster.pid')
    if (!existsSync(file)) return
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
    if (isAlive(pid) && commandLineOf(pid).includes(this.data))
      throw new EmbeddedFault(
        'already_running',
        `Postgres already runs on ${this.data} as process ${pid}: stop it first.`,
      )
    rmSync(file)
  }

  private handOver(...paths: string[]): void {
    const uid = this.account.uid ?? numberIn(this.account.prefix, '--reuid=')
    const gid = this.account.gid ?? numberIn(this.account.prefix, '--regid=')
    if (uid !== undefined && gid !== undefined) for (const path of paths) chownSync(path, uid, gid)
  }

  private failure(what: string): EmbeddedFault {
    const words = readFileSync(this.log, 'utf8').trim().split('\n').slice(-15).join('\n')
    return new EmbeddedFault('postgres_failed', `Postgres ${what}; its last words (${this.log}):\n${words}`)
  }
}

function numberIn(args: readonly string[], option: string): number | undefined {
  const found = args.find(arg => arg.startsWith(option))
  return found === undefined ? undefined : Number(found.slice(option.length))
}

function urlOf(port: number, database: string): string {
  return `postgres://${NAME}:${NAME}@127.0.0.1:${port}/${database}`
}

/** Makes the database on the first start; false while the server does not answer yet. */
async function databaseExists(port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: urlOf(port, 'postgres'), connectionTimeoutMillis: 2000 })
  // Without a listener a connection that breaks while idle would end this process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME])
    if (rows.length === 0) await client.query(`CREATE DATABASE ${NAME}`)
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
