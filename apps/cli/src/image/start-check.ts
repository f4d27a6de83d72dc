import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, startKafka, startPostgres, step } from '@posthorn/embedded'
import { CommandFault, type CommandContext } from '../command.js'
import { CACHE_DIR } from '../local-plan.js'
import { TARGET_NAMES } from '../target-names.js'
import { helmTest } from './helm-test.js'
import { runIn, startIn, type Contained, type ContainedService } from './contained.js'

const CLI = ['node', 'apps/cli/dist/main.js']

/**
 * Starts every target from the image beside a real Kafka and Postgres, read-only and as its user, and
 * sends one event by the program of `helm test`. Throws CommandFault with what is not as it should be.
 */
export async function checkStarts(image: Contained, { say, stop }: CommandContext): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new CommandFault('Running what is in the image read-only needs root: call it as root, or with --build-only.')
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-image-'))
  // Postgres runs as another user, who has to pass.
  chmodSync(dir, 0o755)
  const [port, controllerPort, postgresPort] = (await freePorts(3)) as [number, number, number]
  const servers = [
    startKafka({ dir, cacheDir: CACHE_DIR, port, controllerPort, onProgress: say }),
    startPostgres({ dir, port: postgresPort, settings: { fsync: 'off' }, onProgress: say }),
  ] as const
  try {
    const [kafka, postgres] = await Promise.all(servers)
    const env = environment(kafka.brokers, postgres.url)
    await step(say, 'Topics and database by the image', async () => {
      await runIn(image, [...CLI, 'topics', '--apply'], env, stop)
      await runIn(image, [...CLI, 'migrate'], env, stop)
    })
    await refusesToWrite(image, stop)
    await withServices(image, env, services => smoke(image, services, env, { say, stop }))
  } finally {
    for (const server of await Promise.allSettled(servers)) if (server.status === 'fulfilled') await server.value.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

function environment(brokers: string, databaseUrl: string): NodeJS.ProcessEnv {
  const anyPort = ['REGISTRY_PORT', 'REGISTRY_GRPC_PORT', 'INGEST_PORT', 'INGEST_GRPC_PORT', 'HEALTH_PORT']
  return {
    ...Object.fromEntries(anyPort.map(name => [`POSTHORN_${name}`, '0'])),
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_KAFKA_BROKERS: brokers,
    POSTHORN_KAFKA_PARTITIONS: '2',
    POSTHORN_KAFKA_REPLICATION: '1',
    POSTHORN_DATABASE_URL: databaseUrl,
    POSTHORN_AUTH_PLATFORM_KEY: randomBytes(24).toString('hex'),
    POSTHORN_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_LOG_LEVEL: 'warn',
  }
}

/** Otherwise nothing here would show that the services can do without. */
async function refusesToWrite(image: Contained, stop: AbortSignal): Promise<void> {
  const wrote = await runIn(image, ['sh', '-c', 'touch /app/x 2>&1 || echo refused'], {}, stop)
  if (!wrote.includes('Read-only file system')) throw new CommandFault(`/app can be written in: ${wrote}`)
}

async function withServices(
  image: Contained,
  env: NodeJS.ProcessEnv,
  use: (services: readonly ContainedService[]) => Promise<void>,
) {
  const starting = TARGET_NAMES.map(target => startIn(image, target, env))
  let ends: readonly (readonly [string, string])[] = []
  try {
    const services = await Promise.all(starting)
    for (const service of services) requireNoRights(service)
    await use(services)
  } finally {
    ends = await endAll(starting)
  }
  for (const [target, how] of ends)
    if (how !== 'status 0') throw new CommandFault(`The ${target} ended with ${how} on SIGTERM.`)
}

/** Those that did start; resolves with how each ended. */
async function endAll(starting: readonly Promise<ContainedService>[]): Promise<(readonly [string, string])[]> {
  const settled = await Promise.allSettled(starting)
  const started = settled.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  return Promise.all(started.map(async ({ target, end }) => [target, await end()] as const))
}

function requireNoRights({ target, status }: ContainedService): void {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/)[0]
  const rights = {
    Uid: field('Uid'),
    Gid: field('Gid'),
    CapEff: field('CapEff'),
    CapBnd: field('CapBnd'),
    NoNewPrivs: field('NoNewPrivs'),
  }
  const none = /^0+$/
  if (
    rights.Uid === '0' ||
    rights.Gid === '0' ||
    !none.test(rights.CapEff!) ||
    !none.test(rights.CapBnd!) ||
    rights.NoNewPrivs !== '1'
  )
    throw new CommandFault(`The ${target} has rights that it must not have: ${JSON.stringify(rights)}`)
}

async function smoke(
  image: Contained,
  services: readonly ContainedService[],
  env: NodeJS.ProcessEnv,
  { say, stop }: CommandContext,
) {
  const at = Object.assign({}, ...services.map(({ addresses }) => addresses)) as Record<string, string>
  const connection = {
    POSTHORN_API_URL: `http://${at['registry.http']}`,
    POSTHORN_PUBLISH_URL: `http://${at['ingest.http']}`,
    POSTHORN_API_KEY: env.POSTHORN_AUTH_PLATFORM_KEY,
  }
  const [port] = await freePorts(1)
  say((await runIn(image, helmTest('127.0.0.1', String(port)), connection, stop)).trim())
}
