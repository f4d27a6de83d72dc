import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePorts } from '@posthorn/embedded/ports'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CLI = join('apps', 'cli', 'dist', 'main.js')
const SERVICES = join('apps', 'all-in-one', 'dist', 'main.js')

/** What `up --json` prints, and how to end it. */
export interface Stack {
  readonly api: string
  readonly publish: string
  /** host:port of posthorn.publish.v1. */
  readonly publishGrpc: string
  readonly kafka: string
  readonly postgres: string
  readonly key: string
  /** Where it keeps its data. */
  readonly dir: string
  /** When it became ready, by target. */
  readonly pids: Readonly<Record<string, number>>
  /** Now: what died has come back with another. */
  currentPids(): Readonly<Record<string, number>>
  /**
   * Starts one more process of a target, which the supervisor knows nothing of, on ports of its own; resolves when it
   * is ready. `build` is the folder of another build than the stack's.
   */
  startAlso(target: string, build?: string): Promise<ExtraProcess>
  /** Ends the extra processes, too. */
  stop(): Promise<void>
}

export interface ExtraProcess {
  readonly pid: number
  /** host:port by `<target>.<protocol>`. */
  readonly addresses: Readonly<Record<string, string>>
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>
}

/**
 * A fresh platform on free ports with data of its own: each service a process, as in production.
 * `build` is the folder of another build than this one.
 */
export async function startStack(extra: Readonly<Record<string, string>> = {}, build = ROOT): Promise<Stack> {
  const dir = await mkdtemp(join(tmpdir(), 'posthorn-stack-'))
  // As root, Postgres runs as another user, who has to pass.
  await chmod(dir, 0o755)
  const [kafka, postgres, api, grpc, publish, publishGrpc] = await freePorts(6)
  const sealingKeys = `test:${randomBytes(32).toString('base64')}`
  const child = spawn(process.execPath, [join(build, CLI), 'up', '--json', '--processes'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      POSTHORN_EMBEDDED_DIR: dir,
      POSTHORN_EMBEDDED_KAFKA_PORT: String(kafka),
      POSTHORN_EMBEDDED_POSTGRES_PORT: String(postgres),
      POSTHORN_REGISTRY_PORT: String(api),
      POSTHORN_REGISTRY_GRPC_PORT: String(grpc),
      POSTHORN_INGEST_PORT: String(publish),
      POSTHORN_INGEST_GRPC_PORT: String(publishGrpc),
      POSTHORN_LOG_LEVEL: 'warn',
      POSTHORN_SEALING_KEYS: sealingKeys,
      ...extra,
    },
  })
  const up = (await firstJsonLine(child).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true })
    throw error
  })) as Omit<Stack, 'publishGrpc' | 'dir' | 'stop' | 'currentPids' | 'startAlso'>
  const also: ExtraProcess[] = []
  const startAlso = async (target: string, other = build) => {
    // Settings of the supervisor, which a service does not know.
    const own = Object.fromEntries(Object.entries(extra).filter(([name]) => !name.startsWith('POSTHORN_EMBEDDED_')))
    const process = await startService(other, target, { ...serviceEnvironment(up, sealingKeys), ...own })
    also.push(process)
    return process
  }
  const stop = async () => {
    await Promise.all(also.map(process => process.stop()))
    const exited = new Promise(resolve => child.once('exit', resolve))
    if (child.exitCode === null && child.kill('SIGTERM')) await exited
    await rm(dir, { recursive: true, force: true })
  }
  const currentPids = () => (JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as Pick<Stack, 'pids'>).pids
  return { ...up, dir, publishGrpc: `127.0.0.1:${publishGrpc}`, currentPids, startAlso, stop }
}

/** What the supervisor tells its services, too. */
function serviceEnvironment(up: Pick<Stack, 'kafka' | 'postgres' | 'key'>, sealingKeys: string): NodeJS.ProcessEnv {
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('POSTHORN_'))
  return {
    ...Object.fromEntries(foreign),
    POSTHORN_KAFKA_BROKERS: up.kafka,
    POSTHORN_DATABASE_URL: up.postgres,
    POSTHORN_AUTH_PLATFORM_KEY: up.key,
    POSTHORN_SEALING_KEYS: sealingKeys,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8,::1/128',
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    // Any that is free.
    POSTHORN_HEALTH_PORT: '0',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_INGEST_PORT: '0',
    POSTHORN_INGEST_GRPC_PORT: '0',
    POSTHORN_LOG_LEVEL: 'warn',
  }
}

/** A service as a process that nobody starts again; `build` is the folder it comes from. */
export async function startService(build: string, target: string, env: NodeJS.ProcessEnv): Promise<ExtraProcess> {
  const child = spawn(process.execPath, [join(build, SERVICES), `--target=${target}`], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const addresses = await new Promise<ExtraProcess['addresses']>((resolve, reject) => {
    child.once('message', message => resolve((message as Pick<ExtraProcess, 'addresses'>).addresses))
    child.once('exit', code => reject(new Error(`one more ${target} did not start (exit ${code})`)))
  })
  const stop = async () => {
    // A frozen one would take no signal.
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await exited
  }
  return { pid: child.pid!, addresses, stop }
}

function firstJsonLine(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the platform did not start (exit ${code}); its messages are above`)))
    createInterface({ input: child.stdout! }).once('line', line => resolve(JSON.parse(line)))
  })
}

/** Calls the REST API of a stack with its platform key; throws with the answer when it is not 2xx. */
export async function callApi(stack: Stack, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${stack.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
