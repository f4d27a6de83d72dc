import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, startKafka, startPostgres, type RunningKafka, type RunningPostgres } from '@posthorn/embedded'
import { queryDatabase, startService, until, type ExtraProcess } from '@posthorn/testkit'
import { SERVICES } from './breakages.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CLI = join(ROOT, 'apps', 'cli', 'dist', 'main.js')
const IDLE_WITHIN_MS = 60_000
const silent = () => undefined

/** A platform as its operator has it: services that are stopped and started, commands, and servers that can be lost. */
export class Deployment {
  private readonly services = new Map<string, ExtraProcess>()
  private clusters = 0

  private constructor(
    private readonly dir: string,
    private readonly ports: readonly number[],
    private kafka: RunningKafka,
    private readonly postgres: RunningPostgres,
    /** What the chart's values come to; changed by a runbook, and then told to what is started. */
    readonly settings: Record<string, string>,
  ) {}

  static async start(partitions: number): Promise<Deployment> {
    const dir = mkdtempSync(join(tmpdir(), 'posthorn-runbooks-'))
    // As root, Postgres runs as another user, who has to pass.
    chmodSync(dir, 0o755)
    const ports = await freePorts(7)
    const [kafka, postgres] = await Promise.all([
      cluster(join(dir, 'kafka-0'), ports),
      startPostgres({ dir, port: ports[2]!, settings: { fsync: 'off' }, onProgress: silent }),
    ])
    return new Deployment(dir, ports, kafka, postgres, {
      POSTHORN_KAFKA_BROKERS: kafka.brokers,
      POSTHORN_KAFKA_PARTITIONS: String(partitions),
      POSTHORN_KAFKA_REPLICATION: '1',
      POSTHORN_DATABASE_URL: postgres.url,
      POSTHORN_AUTH_PLATFORM_KEY: randomBytes(24).toString('hex'),
      POSTHORN_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
      POSTHORN_LISTEN_HOST: '127.0.0.1',
      POSTHORN_HEALTH_PORT: '0',
      POSTHORN_REGISTRY_PORT: String(ports[3]),
      POSTHORN_REGISTRY_GRPC_PORT: String(ports[4]),
      POSTHORN_INGEST_PORT: String(ports[5]),
      POSTHORN_INGEST_GRPC_PORT: String(ports[6]),
      POSTHORN_LOG_LEVEL: 'error',
    })
  }

  get brokers(): string {
    return this.kafka.brokers
  }

  get api() {
    return { url: `http://127.0.0.1:${this.ports[3]}`, key: this.settings.POSTHORN_AUTH_PLATFORM_KEY! }
  }

  get publish() {
    return { url: `http://127.0.0.1:${this.ports[5]}`, key: this.settings.POSTHORN_AUTH_PLATFORM_KEY! }
  }

  async up(targets: readonly string[] = SERVICES): Promise<void> {
    const env = { ...ownEnvironment(), ...this.settings }
    const started = targets.map(async target => this.services.set(target, await startService(ROOT, target, env)))
    await Promise.all(started)
  }

  async down(targets: readonly string[] = SERVICES): Promise<void> {
    await Promise.all(targets.map(async target => this.services.get(target)?.stop()))
    for (const target of targets) this.services.delete(target)
  }

  /** A command of the command line, with the variables of the deployment. Rejects when it ends with another status than 0. */
  posthorn(...args: readonly string[]): Promise<void> {
    const env = { ...ownEnvironment(), ...this.settings }
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      const said: string[] = []
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(String(chunk)))
      child.once('error', reject)
      child.once('close', code =>
        code === 0 ? resolve() : reject(new Error(`${args.join(' ')} ended with ${code}:\n${said.join('')}`)),
      )
    })
  }

  async sql(statement: string, database = 'postgres'): Promise<void> {
    const url = new URL(this.postgres.url)
    url.pathname = database
    await queryDatabase(url.href, statement)
  }

  /** The gauges of the deliverer by which an operator sees that nothing is left to send. */
  async untilIdle(): Promise<void> {
    const { addresses } = this.services.get('deliverer')!
    let left: readonly string[] = []
    const isIdle = async () => {
      const text = await (await fetch(`http://${addresses.health}/metrics`)).text()
      left = text.match(/^posthorn_deliverer_(queued|in_flight|parked)(\{.*\})? [^0].*$/gm) ?? []
      return left.length === 0
    }
    await until(isIdle, IDLE_WITHIN_MS, () => `the deliverer has: ${left.join(', ')}`)
  }

  /** All of Kafka is gone; a new cluster, empty, is at the same address. */
  async loseKafka(): Promise<void> {
    await this.kafka.stop()
    this.kafka = await cluster(join(this.dir, `kafka-${++this.clusters}`), this.ports)
  }

  async stop(): Promise<void> {
    await this.down()
    await Promise.all([this.kafka.stop(), this.postgres.stop()])
    rmSync(this.dir, { recursive: true, force: true })
  }
}

function cluster(dir: string, [port, controllerPort]: readonly number[]): Promise<RunningKafka> {
  const cacheDir = join(ROOT, '.posthorn', 'cache')
  return startKafka({ dir, cacheDir, port: port!, controllerPort: controllerPort!, onProgress: silent })
}

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('POSTHORN_')))
}
