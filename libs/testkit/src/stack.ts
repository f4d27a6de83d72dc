import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../../apps/cli/dist/main.js', import.meta.url))

/** What `up --json` prints, and how to end it. */
export interface Stack {
  readonly api: string
  readonly publish: string
  readonly kafka: string
  readonly postgres: string
  readonly key: string
  /** When it became ready, by target. */
  readonly pids: Readonly<Record<string, number>>
  /** Now: what died has come back with another. */
  currentPids(): Readonly<Record<string, number>>
  stop(): Promise<void>
}

/** A fresh platform on free ports with data of its own: each service a process, as in production. */
export async function startStack(extra: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const dir = await mkdtemp(join(tmpdir(), 'posthorn-stack-'))
  // As root, Postgres runs as another user, who has to pass.
  await chmod(dir, 0o755)
  const [kafka, postgres, api, grpc, publish] = await freePorts(5)
  const child = spawn(process.execPath, [CLI, 'up', '--json', '--processes'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      POSTHORN_EMBEDDED_DIR: dir,
      POSTHORN_EMBEDDED_KAFKA_PORT: String(kafka),
      POSTHORN_EMBEDDED_POSTGRES_PORT: String(postgres),
      POSTHORN_REGISTRY_PORT: String(api),
      POSTHORN_REGISTRY_GRPC_PORT: String(grpc),
      POSTHORN_INGEST_PORT: String(publish),
      POSTHORN_LOG_LEVEL: 'warn',
      ...extra,
    },
  })
  const up = await firstJsonLine(child)
  const stop = async () => {
    const exited = new Promise(resolve => child.once('exit', resolve))
    if (child.exitCode === null && child.kill('SIGTERM')) await exited
    await rm(dir, { recursive: true, force: true })
  }
  const currentPids = () => (JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as Pick<Stack, 'pids'>).pids
  return { ...(up as Omit<Stack, 'stop' | 'currentPids'>), currentPids, stop }
}

function firstJsonLine(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the platform did not start (exit ${code}); its messages are above`)))
    createInterface({ input: child.stdout! }).once('line', line => resolve(JSON.parse(line)))
  })
}

/** Ports that are free now, found by listening: embedded Kafka takes the port after its own too. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise(resolve => server.close(resolve))
    if (!ports.some(taken => Math.abs(taken - port) < 3)) ports.push(port)
  }
  return ports
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
