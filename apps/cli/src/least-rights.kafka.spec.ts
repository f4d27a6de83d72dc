import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { delivererService } from '@posthorn/deliverer'
import { freePorts, startKafka, type RunningKafka } from '@posthorn/embedded'
import { ingestService } from '@posthorn/ingest'
import {
  createTopics,
  KafkaConnection,
  kafkaOptionsFrom,
  planTopics,
  readOldestUnfinished,
  repairKafkajs,
  requireTopics,
} from '@posthorn/kafka'
import { monitorService } from '@posthorn/monitor'
import { Health, readSettings, type RunningService, type Service, type Settings } from '@posthorn/process'
import { registryService } from '@posthorn/registry'
import { replayerService } from '@posthorn/replayer'
import { retrySchedulerService } from '@posthorn/retry-scheduler'
import { routerService } from '@posthorn/router'
import {
  Database,
  grantStatements,
  HistoryPartitions,
  migrate,
  openHistoryPool,
  roleStatements,
  SERVICE_RIGHTS,
} from '@posthorn/store'
import { createLogger, type Logger } from '@posthorn/telemetry'
import {
  createAuthority,
  createTestDatabase,
  queryDatabase,
  startReceiver,
  testDatabaseUrl,
  until,
  type Receiver,
  type TestDatabase,
} from '@posthorn/testkit'
import { aclsOf, ALL_GROUPS, EVENTS, SERVICE_ACCESS, type AclRule } from '@posthorn/topics'
import kafkajs from 'kafkajs'
import { CACHE_DIR } from './local-plan.js'

type Json = Record<string, unknown> & { readonly id: string; readonly data: readonly Json[] }

const WAIT_MS = 40_000
const KEY = 'a-platform-key-for-this-test'
const PREFIX = 'least.'
const FOREIGN = 'shop.orders'
const SERVICES = [
  registryService,
  ingestService,
  routerService,
  delivererService,
  retrySchedulerService,
  replayerService,
  monitorService,
]
const dir = mkdtempSync(join(tmpdir(), 'least-rights-'))
const authority = createAuthority('The CA')
/** Of Postgres: roles are of the whole server, which other tests use. */
const roles = { prefix: `r${randomBytes(4).toString('hex')}_`, owner: `o${randomBytes(4).toString('hex')}` }
const roleNames = [...Object.keys(SERVICE_RIGHTS).map(service => roles.prefix + service), roles.owner]
const LONG_AGO = '2020-01-01'
const sealing = `test:${randomBytes(32).toString('base64')}`
const quiet = createLogger('silent', 'test')
/** What the services complain about, by service. */
const lines = new Map<string, string[]>()
const running = new Map<string, RunningService>()
let kafka: RunningKafka
let saslPort: number
let database: TestDatabase
let receiver: Receiver
/** Through the plain listener, where everything is allowed. */
let open: KafkaConnection
/** The first request of each path is refused, and all of those below /dead until that is over. */
let dead = true

beforeAll(async () => {
  // Before the start of Kafka uses kafkajs as it is.
  repairKafkajs()
  const [port, controllerPort, sasl, mutualTlsPort] = (await freePorts(4)) as [number, number, number, number]
  saslPort = sasl
  const users = Object.fromEntries(Object.keys(SERVICE_ACCESS).map(service => [service, `password of ${service}`]))
  const server = authority.issue('kafka', ['localhost'], ['127.0.0.1'])
  const secured = { saslPort, mutualTlsPort, users, ca: authority.ca, ...server }
  const onProgress = () => undefined
  kafka = await startKafka({ dir, cacheDir: CACHE_DIR, heap: ['-Xmx256m'], port, controllerPort, secured, onProgress })
  writeFileSync(join(dir, 'ca.pem'), authority.ca)
  const settings = readSettings({
    POSTHORN_KAFKA_BROKERS: kafka.brokers,
    POSTHORN_KAFKA_PREFIX: PREFIX,
    POSTHORN_KAFKA_PARTITIONS: '1',
  })
  open = new KafkaConnection(kafkaOptionsFrom(settings, quiet, 'least-rights'))
  await createTopics(open, await planTopics(open))
  await open.withAdmin(admin => admin.createTopics({ waitForLeaders: false, topics: [{ topic: FOREIGN }] }))
  for (const [service, access] of Object.entries(SERVICE_ACCESS)) await allow(service, aclsOf(access, PREFIX))
  const own = { resource: 'topic', pattern: 'literal', names: [FOREIGN] } as const
  await allow('ingest', [{ ...own, operations: ['Read'] }])
  await allow('registry', [{ ...own, operations: ['Describe'] }])
  database = await createTestDatabase()
  await makeRoles()
  const seen = new Set<string>()
  receiver = await startReceiver(({ path }) => {
    const again = seen.has(path)
    seen.add(path)
    return { status: again && !(dead && path.startsWith('/dead')) ? 200 : 500 }
  })
  for (const { target } of SERVICES) await requireTopics(connectionOf(target))
  await Promise.all(SERVICES.map(async service => running.set(service.target, await started(service))))
}, 120_000)

afterAll(async () => {
  await Promise.all([...running.values()].map(service => service.stop()))
  open?.close()
  await receiver?.close()
  await kafka?.stop()
  await database?.drop()
  for (const role of roleNames) await queryDatabase(testDatabaseUrl(), `DROP ROLE IF EXISTS ${role}`)
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

describe('S7 each service with its own user of Kafka and role of Postgres, and no more than its rights', () => {
  test('delivers, retries, gives up, replays, and reads sources and poison', async () => {
    const policy = { attempts: 2, interval_ms: 1_000, jitter: 0 }
    const later = { attempts: 2, interval_ms: 3_600_000 }
    await create('/v1/webhooks', { url: `${receiver.url}/waits`, events: ['a.waits'], retry_policy: later })
    await create('/v1/webhooks', { url: `${receiver.url}/retried`, events: ['a.retried'], retry_policy: policy })
    await create('/v1/webhooks', { url: `${receiver.url}/source`, events: ['a.source'], retry_policy: policy })
    const given = { url: `${receiver.url}/dead`, events: ['a.dead'], retry_policy: { attempts: 1 } }
    const { id: webhook } = await create('/v1/webhooks', given)
    const { id: source } = await create('/v1/sources', {
      topic: FOREIGN,
      start: 'earliest',
      event: { tenant: 'default', type: 'a.source' },
    })
    for (const type of ['a.waits', 'a.retried', 'a.dead'])
      await call('ingest', 'POST', '/v1/publish', { type, data: 1 })
    await produce(FOREIGN, '{"n": 1}')
    await produce(open.topic(EVENTS), 'no event', { 'content-type': 'application/cloudevents+json' })

    // While a retry waits, the monitor looks how long it does.
    await holds('/v1/deliveries?status=retry&event_type=a.waits', ({ data }) => data.length === 1)
    const behind = await readOldestUnfinished(connectionOf('monitor'), ALL_GROUPS)
    expect(behind.filter(({ record }) => record !== undefined)).not.toEqual([])

    await holds(`/v1/dead-letters?webhook=${webhook}`, ({ data }) => data.length === 1)
    const poison = await holds('/v1/poison', ({ data }) => data.length === 1)
    await call('registry', 'POST', `/v1/poison/${poison.data[0]!.id}/redrive`)
    await call('registry', 'POST', `/v1/webhooks/${webhook}/test`)
    dead = false
    const { id: replay } = await create('/v1/replays', { webhook, status: ['exhausted'] })
    await holds(`/v1/replays/${replay}`, ({ status }) => status === 'done')
    await holds('/v1/deliveries?status=delivered', ({ data }) => data.length >= 3)
    expect(receiver.requests.filter(({ path }) => path === '/retried')).toHaveLength(2)
    await holds(`/v1/sources/${source}`, ({ readers }) => readers === 1)
    // The monitor drops a partition that was made before it had its role.
    const old = `history_events_${LONG_AGO.replaceAll('-', '')}`
    const there = () => queryDatabase<{ oid: string | null }>(database.url, 'SELECT to_regclass($1) AS oid', [old])
    await until(async () => (await there())[0]!.oid === null, WAIT_MS)
    expect(refusals()).toEqual([])
  }, 120_000)

  test('no table is left to chance: each is of a service, or of nobody but who migrates', async () => {
    const rows = await queryDatabase<{ name: string }>(
      database.url,
      `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
         AND relnamespace = 'public'::regnamespace ORDER BY 1`,
    )
    const given = Object.values(SERVICE_RIGHTS).flatMap(({ tables, owns }) => [...Object.keys(tables), ...owns])
    expect(rows.map(({ name }) => name)).toEqual([...new Set(given)].sort())
  })

  test('a service that lacks a right in Postgres says which, at its start and to who asks', async () => {
    const role = `${roles.prefix}registry`
    await queryDatabase(urlOf(roles.owner), `REVOKE INSERT ON audit FROM ${role}`)
    const body = { url: receiver.url, events: ['a.none'] }
    await expect(create('/v1/webhooks', body)).rejects.toThrow(/500: .*"database_rights".*denied for table audit/)
    const told: string[] = []
    const logger = createLogger('warn', 'registry', { write: line => void told.push(line) })
    const rights = SERVICE_RIGHTS.registry
    const other = new Database({ url: urlOf(role), poolSize: 1, name: 'posthorn-registry', logger, rights })
    const connected = other.connect()
    await until(() => told.length > 0, WAIT_MS)
    expect(told[0]).toContain(
      `the role ${role} lacks INSERT on audit: run what \\"posthorn database --grants\\" prints`,
    )
    await queryDatabase(urlOf(roles.owner), `GRANT INSERT ON audit TO ${role}`)
    await connected
    await other.close()
    await create('/v1/webhooks', body)
  }, 60_000)

  test.each([
    ['registry', 'UPDATE audit SET action = action'],
    ['registry', 'DROP TABLE webhooks'],
    ['replayer', 'UPDATE webhooks SET url = url'],
    ['replayer', 'SELECT * FROM keys'],
    ['monitor', 'INSERT INTO keys SELECT * FROM keys'],
    ['monitor', 'ALTER TABLE webhooks ADD extra text'],
  ])('%s may not %s', async (service, statement) => {
    await expect(queryDatabase(urlOf(roles.prefix + service), statement)).rejects.toMatchObject({ code: '42501' })
  })

  test('a service that may not look at the topics ends at its start, and says what to do', async () => {
    const [looks] = aclsOf(SERVICE_ACCESS.replayer!, PREFIX)
    const rule: AclRule = { ...looks!, operations: ['DescribeConfigs'] }
    await forbid('replayer', rule)
    await expect(requireTopics(connectionOf('replayer'))).rejects.toThrow(/may not use a topic.*docs\/kafka\.md/)
    await allow('replayer', [rule])
  })

  test('a service that loses a right says so, waits, and goes on when it has it again', async () => {
    const rule = aclsOf(SERVICE_ACCESS.router!, PREFIX).find(({ operations }) => operations.includes('Write'))!
    await forbid('router', rule)
    await call('ingest', 'POST', '/v1/publish', { type: 'a.retried', id: 'late', data: 1 })
    const sentence = /^router: cannot produce: .*may not use a topic.*docs\/kafka\.md/
    await until(
      () => refusals().some(line => sentence.test(line)),
      WAIT_MS,
      () => refusals().join('; '),
    )
    await allow('router', [rule])
    await holds('/v1/deliveries?status=delivered', ({ data }) =>
      data.some(({ event }) => (event as Json).id === 'late'),
    )
  }, 60_000)
})

/** As an operator does, with what `posthorn database --grants` prints; the history was there before. */
async function makeRoles(): Promise<void> {
  const { pathname } = new URL(database.url)
  await queryDatabase(
    database.url,
    `CREATE ROLE ${roles.owner} LOGIN; ALTER DATABASE ${pathname.slice(1)} OWNER TO ${roles.owner}`,
  )
  for (const statement of roleStatements(roles)) await queryDatabase(database.url, statement)
  for (const role of roleNames) await queryDatabase(database.url, `ALTER ROLE ${role} PASSWORD '${role}'`)
  await migrate(urlOf(roles.owner), quiet)
  const pool = openHistoryPool(urlOf(roles.owner), { max: 2, name: 'test', onError: () => undefined })
  await new HistoryPartitions(pool, 1).ensure([LONG_AGO])
  await pool.end()
  for (const statement of grantStatements(roles)) await queryDatabase(urlOf(roles.owner), statement)
}

function urlOf(role: string): string {
  return Object.assign(new URL(database.url), { username: role, password: role }).href
}

function settingsOf(service: string): Settings {
  return readSettings({
    POSTHORN_KAFKA_BROKERS: `127.0.0.1:${saslPort}`,
    POSTHORN_KAFKA_PREFIX: PREFIX,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_KAFKA_TLS: 'on',
    POSTHORN_KAFKA_TLS_CA_FILE: join(dir, 'ca.pem'),
    POSTHORN_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    POSTHORN_KAFKA_SASL_USERNAME: service,
    POSTHORN_KAFKA_SASL_PASSWORD: `password of ${service}`,
    ...(service in SERVICE_RIGHTS ? { POSTHORN_DATABASE_URL: urlOf(roles.prefix + service) } : {}),
    POSTHORN_AUTH_PLATFORM_KEY: KEY,
    POSTHORN_SEALING_KEYS: sealing,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_INGEST_PORT: '0',
    POSTHORN_INGEST_GRPC_PORT: '0',
  })
}

function connectionOf(service: string): KafkaConnection {
  return new KafkaConnection(kafkaOptionsFrom(settingsOf(service), quiet, service))
}

function started(service: Service): Promise<RunningService> {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => void said(service.target).push(error.message)
  return service.start({ settings: settingsOf(service.target), logger: noting(service.target), health, fatal })
}

function noting(service: string): Logger {
  return createLogger('warn', service, { write: line => void said(service).push(line) })
}

function said(service: string): string[] {
  if (!lines.has(service)) lines.set(service, [])
  return lines.get(service)!
}

/** Lines about missing rights, whatever words the layer below has for them. */
function refusals(): string[] {
  return [...lines].flatMap(([service, all]) =>
    all
      .filter(line => /authori|ACL|permission|must be owner|lacks/i.test(line))
      .map(line => `${service}: ${messageOf(line)}`),
  )
}

function messageOf(line: string): string {
  return line.startsWith('{') ? (JSON.parse(line) as { msg: string }).msg : line
}

const OPERATIONS = {
  Read: kafkajs.AclOperationTypes.READ,
  Write: kafkajs.AclOperationTypes.WRITE,
  Describe: kafkajs.AclOperationTypes.DESCRIBE,
  DescribeConfigs: kafkajs.AclOperationTypes.DESCRIBE_CONFIGS,
}

function entriesOf(service: string, { resource, pattern, names, operations }: AclRule) {
  const { AclResourceTypes, ResourcePatternTypes, AclPermissionTypes } = kafkajs
  return names.flatMap(resourceName =>
    operations.map(operation => ({
      resourceType: resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
      resourcePatternType: pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
      resourceName,
      principal: `User:${service}`,
      host: '*',
      operation: OPERATIONS[operation],
      permissionType: AclPermissionTypes.ALLOW,
    })),
  )
}

async function allow(service: string, rules: readonly AclRule[]): Promise<void> {
  const acl = rules.flatMap(rule => entriesOf(service, rule))
  await open.withAdmin(admin => admin.createAcls({ acl }))
}

async function forbid(service: string, rule: AclRule): Promise<void> {
  const filters = entriesOf(service, rule)
  await open.withAdmin(admin => admin.deleteAcls({ filters }))
}

async function produce(topic: string, value: string, headers: Record<string, string> = {}): Promise<void> {
  const producer = open.kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'k', value, headers }] })
  await producer.disconnect()
}

async function call(target: 'registry' | 'ingest', method: string, path: string, body?: object): Promise<Json> {
  const answer = await fetch(`http://${running.get(target)!.addresses.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`)
  return (text === '' ? {} : JSON.parse(text)) as Json
}

const create = (path: string, body: object) => call('registry', 'POST', path, body)
const json = (path: string) => call('registry', 'GET', path)

async function holds(path: string, wanted: (answer: Json) => boolean): Promise<Json> {
  let last: Json | undefined
  await until(
    async () => wanted((last = await json(path))),
    WAIT_MS,
    () => `${path}: ${JSON.stringify(last)}; ${refusals().join('; ')}`,
  )
  return last!
}
