// Longer than files are here: one run plants every secret, uses each, and then looks into everything that was written.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { freePorts, startKafka, type RunningKafka } from '@posthorn/embedded'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { readSettings } from '@posthorn/process'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
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
import { EVENTS } from '@posthorn/topics'
import kafkajs from 'kafkajs'
import { SMTPServer } from 'smtp-server'
import { CACHE_DIR } from './local-plan.js'
import { SERVICES_MAIN } from './repository.js'

type Json = Record<string, unknown> & { readonly id: string }
/** Bytes by the name of where they were found. */
type Sinks = Map<string, Buffer>

const WAIT_MS = 40_000
const mark = (what: string) => `planted-${what}-${randomBytes(6).toString('hex')}`
const secretBytes = Buffer.from(mark('webhook-secret-of-bytes'))
const masterKey = randomBytes(32)
const [basicPassword, proxyPassword] = [mark('basic'), mark('proxy')]
const signingKey = Buffer.from(mark('signing-key'))
const authority = createAuthority('The CA')
const client = authority.issue('client')

/** What must not be seen, and where it may be all the same: documented in docs/security.md. */
const PLANTED = {
  platformKey: { value: mark('platform-key') },
  wrongKey: { value: mark('wrong-key') },
  databasePassword: { value: mark('database') },
  wrongDatabasePassword: { value: mark('wrong-database') },
  saslPassword: { value: mark('sasl') },
  wrongSaslPassword: { value: mark('wrong-sasl') },
  masterKey: { value: masterKey.toString('base64') },
  masterKeyBytes: { value: masterKey.toString('latin1') },
  badMasterKey: { value: mark('bad-master-key') },
  webhookSecret: { value: secretBytes.toString('base64') },
  webhookSecretBytes: { value: secretBytes.toString('latin1') },
  badWebhookSecret: { value: mark('bad-webhook-secret') },
  header: { value: mark('header') },
  basicPassword: { value: basicPassword },
  basicAuthorization: { value: Buffer.from(`posthorn:${basicPassword}`).toString('base64') },
  clientKey: { value: client.key.split('\n')[1]! },
  signingKey: { value: signingKey.toString('base64') },
  /** Made by the API, and shown once. */
  apiKey: { value: '' },
  proxyPassword: { value: proxyPassword },
  proxyAuthorization: { value: Buffer.from(`posthorn:${proxyPassword}`).toString('base64') },
  wrongProxyPassword: { value: mark('wrong-proxy') },
  smtpPassword: { value: mark('smtp') },
  wrongSmtpPassword: { value: mark('wrong-smtp') },
  chatUrl: { value: mark('chat') },
  badHeader: { value: mark('bad-header') },
  userinfo: { value: mark('userinfo') },
  // A webhook's URL is its configuration: receivers put tokens there, and the audit says what it was.
  path: {
    value: mark('path'),
    may: /^(table (webhooks|audit|history_attempts\w*)|topic (webhooks|attempts|dead-letters)\.v1)$/,
  },
  query: { value: mark('query'), may: /^(table (webhooks|audit)|topic webhooks\.v1)$/ },
  payload: {
    value: mark('payload'),
    may: /^(table history_events\w*|topic (events|deliveries|due|bulk|delay\.\w+|dead-letters|poison)\.v1)$/,
  },
  // What could not be read is kept as it came.
  badPayload: { value: mark('bad-payload'), may: /^(table history_poison\w*|topic (events|poison)\.v1)$/ },
} satisfies Record<string, { value: string; may?: RegExp }>
const planted = (name: keyof typeof PLANTED) => PLANTED[name].value

const ROLE = `planted_${randomBytes(4).toString('hex')}`
const logger = createLogger('silent', 'test')
const dir = mkdtempSync(join(tmpdir(), 'planted-'))
const output: Buffer[] = []
const traces: Buffer[] = []
const answers: Buffer[] = []
let kafka: RunningKafka
let created: TestDatabase
let receiver: Receiver
let collector: Server
let proxy: Server
let mailServer: SMTPServer
let tunnels = 0
let logins = 0
let platform: ChildProcess
let addresses: Record<string, string>
let env: Record<string, string>
let open: KafkaConnection

beforeAll(async () => {
  const [port, controllerPort, saslPort, mutualTlsPort] = (await freePorts(4)) as [number, number, number, number]
  const server = authority.issue('kafka', ['localhost'], ['127.0.0.1'])
  const secured = { saslPort, mutualTlsPort, users: { planted: planted('saslPassword') }, ca: authority.ca, ...server }
  const onProgress = () => undefined
  kafka = await startKafka({ dir, cacheDir: CACHE_DIR, heap: ['-Xmx256m'], port, controllerPort, secured, onProgress })
  created = await createTestDatabase()
  await migrate(created.url, logger)
  // Roles are of the whole server, so it has a name of its own.
  await queryDatabase(created.url, `CREATE ROLE ${ROLE} LOGIN SUPERUSER PASSWORD '${planted('databasePassword')}'`)
  receiver = await startReceiver(({ path }) => {
    if (path.startsWith('/hang')) return new Promise(() => undefined)
    return { status: path.startsWith('/fails') ? 500 : 302, headers: { location: 'http://127.0.0.1/' } }
  })
  collector = await collect()
  proxy = await startProxy()
  mailServer = await startMailServer(server)
  env = environment(saslPort)
  open = await admitted(kafka.brokers)
  platform = start(env)
  addresses = await readyOf(platform)
}, 120_000)

afterAll(async () => {
  if (platform?.exitCode === null) {
    const ended = new Promise(resolve => platform.once('exit', resolve))
    platform.kill('SIGKILL')
    await ended
  }
  open?.close()
  collector?.close()
  proxy?.close()
  mailServer?.close(() => undefined)
  await receiver?.close()
  await kafka?.stop()
  await created?.drop()
  await queryDatabase(testDatabaseUrl(), `DROP ROLE IF EXISTS ${ROLE}`)
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

function environment(saslPort: number): Record<string, string> {
  const database = new URL(created.url)
  database.username = ROLE
  database.password = planted('databasePassword')
  return {
    PATH: process.env.PATH!,
    POSTHORN_KAFKA_BROKERS: `127.0.0.1:${saslPort}`,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_KAFKA_TLS: 'on',
    POSTHORN_KAFKA_TLS_CA_FILE: file('ca.pem', authority.ca),
    POSTHORN_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    POSTHORN_KAFKA_SASL_USERNAME: 'planted',
    POSTHORN_KAFKA_SASL_PASSWORD: planted('saslPassword'),
    POSTHORN_DATABASE_URL: database.href,
    POSTHORN_AUTH_PLATFORM_KEY: planted('platformKey'),
    POSTHORN_SEALING_KEYS: `k1:${planted('masterKey')}`,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_EGRESS_PROXY_URL: `http://posthorn:${planted('proxyPassword')}@127.0.0.1:${portOf(proxy)}`,
    POSTHORN_MONITOR_SMTP_URL: `smtps://posthorn:${planted('smtpPassword')}@localhost:${portOf(mailServer.server)}`,
    NODE_EXTRA_CA_CERTS: file('ca.pem', authority.ca),
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_INGEST_PORT: '0',
    POSTHORN_INGEST_GRPC_PORT: '0',
    POSTHORN_HEALTH_PORT: '0',
    POSTHORN_LOG_LEVEL: 'trace',
    POSTHORN_TRACE_OTLP_URL: `http://127.0.0.1:${portOf(collector)}`,
  }
}

function file(name: string, content: string): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}

/** Makes the topics through the plain listener, and lets the planted user do all. */
async function admitted(brokers: string): Promise<KafkaConnection> {
  const settings = readSettings({ POSTHORN_KAFKA_BROKERS: brokers, POSTHORN_KAFKA_PARTITIONS: '1' })
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'planted'))
  await createTopics(connection, await planTopics(connection))
  const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs
  const acl = [AclResourceTypes.TOPIC, AclResourceTypes.GROUP].map(resourceType => ({
    resourceType,
    resourceName: connection.prefix,
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    principal: 'User:planted',
    host: '*',
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
  }))
  await connection.withAdmin(admin => admin.createAcls({ acl }))
  return connection
}

/** A collector that keeps what it is sent. */
async function collect(): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      traces.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port

/** A proxy that refuses the login twice, then lets through whoever knows it. */
async function startProxy(): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(400).end())
  let refusals = 2
  server.on('connect', ({ headers, url }, socket) => {
    socket.on('error', () => undefined)
    const wanted = `Basic ${planted('proxyAuthorization')}`
    if (headers['proxy-authorization'] !== wanted || refusals-- > 0) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
      return
    }
    tunnels++
    const onward = connect(Number(url!.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
    socket.on('close', () => onward.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** It hears the password, and refuses it. */
async function startMailServer(certificate: { key: string; cert: string }): Promise<SMTPServer> {
  const server = new SMTPServer({
    ...certificate,
    secure: true,
    onAuth: ({ password }, _session, done) => {
      if (password === planted('smtpPassword')) logins++
      done(Object.assign(new Error('no'), { responseCode: 535 }))
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

function start(environment: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [SERVICES_MAIN], { env: environment, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  return child
}

function readyOf(child: ChildProcess): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve((message as { addresses: Record<string, string> }).addresses))
    child.once('exit', code => reject(new Error(`it ended with ${code}: ${Buffer.concat(output).toString()}`)))
  })
}

/** Runs it until it has ended or said `line`, and kills it. */
async function startedWrongly(change: Record<string, string>, line: RegExp): Promise<void> {
  const child = start({ ...env, ...change })
  const said: Buffer[] = []
  child.stderr!.on('data', (chunk: Buffer) => said.push(chunk))
  let hasSaidAll = false
  child.once('close', () => (hasSaidAll = true))
  await until(
    () => hasSaidAll || line.test(Buffer.concat(said).toString()),
    WAIT_MS,
    () => Buffer.concat(said).toString(),
  )
  child.kill('SIGKILL')
  expect(Buffer.concat(said).toString()).toMatch(line)
}

async function call(
  target: 'registry' | 'ingest',
  method: string,
  path: string,
  body?: object | string,
  key = planted('platformKey'),
): Promise<{ status: number; json: Json }> {
  const answer = await fetch(`http://${addresses[`${target}.http`]}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok || path.startsWith('/v1/alert-channels')) answers.push(Buffer.from(text))
  return { status: answer.status, json: JSON.parse(text) as Json }
}

async function refused(status: number, ...request: Parameters<typeof call>): Promise<void> {
  expect(await call(...request)).toMatchObject({ status })
}

const closedPort = async () => (await freePorts(1))[0]!
const where = () => `${planted('path')}?token=${planted('query')}`
const webhook = (url: string, more: object = {}) => ({
  url,
  events: ['planted.*'],
  secret: `whsec_${planted('webhookSecret')}`,
  headers: { 'x-planted': planted('header') },
  authentication: { type: 'basic', username: 'posthorn', password: planted('basicPassword') },
  tls: { certificate: client.cert, key: client.key },
  retry_policy: { attempts: 2, interval_ms: 100, timeout_ms: 1000 },
  ...more,
})

async function tables(): Promise<Sinks> {
  const names = await queryDatabase<{ name: string }>(
    created.url,
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  )
  const sinks: Sinks = new Map()
  for (const { name } of names) {
    const rows = await queryDatabase<Record<string, unknown>>(created.url, `SELECT * FROM "${name}"`)
    const cells = rows.flatMap(row => Object.values(row))
    const bytes = cells.map(cell => (Buffer.isBuffer(cell) ? cell : Buffer.from(JSON.stringify(cell))))
    sinks.set(`table ${name}`, Buffer.concat(bytes))
  }
  return sinks
}

/** The segments as the broker has them: nothing here is compressed. */
function topics(): Sinks {
  const data = join(dir, 'kafka', 'data')
  const sinks: Sinks = new Map()
  for (const folder of readdirSync(data, { withFileTypes: true }).filter(entry => entry.isDirectory())) {
    const name = `topic ${folder.name.replace(/-\d+$/, '').replace('posthorn.', '')}`
    if (name === 'topic __cluster_metadata') continue
    const segments = readdirSync(join(data, folder.name)).filter(each => each.endsWith('.log'))
    const bytes = segments.map(each => readFileSync(join(data, folder.name, each)))
    sinks.set(name, Buffer.concat([sinks.get(name) ?? Buffer.alloc(0), ...bytes]))
  }
  return sinks
}

async function everything(): Promise<Sinks> {
  const metrics = await fetch(`http://${addresses.health}/metrics`)
  return new Map([
    ['output', Buffer.concat(output)],
    ['traces', Buffer.concat(traces)],
    ['metrics', Buffer.from(await metrics.arrayBuffer())],
    ['answers', Buffer.concat(answers)],
    ...topics(),
    ...(await tables()),
  ])
}

function found(sinks: Sinks): string[] {
  const finds: string[] = []
  for (const [name, { value, may }] of Object.entries(PLANTED as Record<string, { value: string; may?: RegExp }>))
    for (const [sink, bytes] of sinks)
      for (const encoding of ['latin1', 'base64', 'hex'] as const) {
        const needle = Buffer.from(
          encoding === 'latin1' ? value : Buffer.from(value, 'latin1').toString(encoding),
          'latin1',
        )
        const at = bytes.indexOf(needle)
        if (at < 0 || may?.test(sink)) continue
        finds.push(`${name} in ${sink}: …${bytes.subarray(Math.max(0, at - 150), at + 60).toString()}…`)
      }
  return finds
}

describe('S7 planted secrets', () => {
  test('are in no log, trace, metric, error, topic and table but those that are documented', async () => {
    const url = receiver.url
    for (const at of [
      `${url}/fails/`,
      `${url}/hang/`,
      `${url}/moved/`,
      `http://127.0.0.1:${await closedPort()}/`,
      `${url.replace('http', 'https')}/`,
    ])
      expect(await call('registry', 'POST', '/v1/webhooks', webhook(`${at}${where()}`))).toMatchObject({ status: 201 })
    await badInput()
    await keys()
    await database()
    await startedWrongly({ POSTHORN_SEALING_KEYS: `k1:${planted('badMasterKey')}` }, /SEALING_KEYS/)
    await startedWrongly({ POSTHORN_KAFKA_SASL_PASSWORD: planted('wrongSaslPassword') }, /refuse the login/)
    const badProxy = `http://posthorn:${planted('wrongProxyPassword')}@127.0.0.1:no`
    await startedWrongly({ POSTHORN_EGRESS_PROXY_URL: badProxy }, /EGRESS_PROXY_URL/)
    const badSmtp = `http://posthorn:${planted('wrongSmtpPassword')}@localhost`
    await startedWrongly({ POSTHORN_MONITOR_SMTP_URL: badSmtp }, /MONITOR_SMTP_URL/)
    const wrong = new URL(env.POSTHORN_DATABASE_URL!)
    wrong.password = planted('wrongDatabasePassword')
    await startedWrongly({ POSTHORN_DATABASE_URL: wrong.href }, /password authentication failed/)

    const data = { secret: planted('payload') }
    expect(await call('ingest', 'POST', '/v1/publish', { id: 'planted', type: 'planted.event', data })).toMatchObject({
      status: 202,
    })
    await poison()
    await channels()
    await until(
      async () => ((await call('registry', 'GET', '/v1/dead-letters')).json.data as unknown[]).length === 5,
      WAIT_MS,
    )
    await until(() => Buffer.concat(traces).includes('planted.event'), WAIT_MS)
    expect({ tunnels, logins }).toEqual({ tunnels: expect.any(Number), logins: expect.any(Number) })
    expect(Math.min(tunnels, logins)).toBeGreaterThan(0)
    expect(Buffer.concat(output).toString()).toContain('egress proxy')

    const sinks = await everything()
    for (const name of ['output', 'traces', 'metrics', 'answers', 'topic deliveries.v1', 'table webhooks'])
      expect({ name, bytes: sinks.get(name)?.length }).toEqual({ name, bytes: expect.any(Number) })
    // What may be seen is: a search that finds nothing at all would pass as well.
    expect(sinks.get('topic events.v1')!.includes(planted('payload'))).toBe(true)
    expect(sinks.get('table webhooks')!.includes(planted('query'))).toBe(true)
    expect(found(sinks)).toEqual([])
  }, 300_000)
})

async function badInput(): Promise<void> {
  const at = `${receiver.url}/${where()}`
  const withUser = at.replace('http://', `http://user:${planted('userinfo')}@`)
  await refused(401, 'registry', 'GET', '/v1/webhooks', undefined, planted('wrongKey'))
  await refused(401, 'ingest', 'POST', '/v1/publish', { type: 'a', data: 1 }, planted('wrongKey'))
  await refused(400, 'registry', 'POST', '/v1/webhooks', webhook(withUser))
  await refused(
    400,
    'registry',
    'POST',
    '/v1/webhooks',
    webhook(at, { secret: planted('badWebhookSecret').slice(0, 8) }),
  )
  await refused(
    400,
    'registry',
    'POST',
    '/v1/webhooks',
    webhook(at, { headers: { 'x-y': `${planted('badHeader')}\n` } }),
  )
  await refused(400, 'registry', 'POST', '/v1/webhooks', `{"secret": ${planted('badWebhookSecret')}}`)
  await refused(400, 'ingest', 'POST', '/v1/publish', `{"data": "${planted('badPayload')}", }`)
  await refused(400, 'ingest', 'POST', '/v1/publish', { type: `no type ${planted('badPayload')}`, data: 1 })
}

/** Keys of the API, one of each kind, and both in use. */
async function keys(): Promise<void> {
  const made = await call('registry', 'POST', '/v1/keys', { name: 'planted', roles: ['read'] })
  PLANTED.apiKey.value = (made.json as unknown as { key: string }).key
  expect(await call('registry', 'GET', '/v1/webhooks', undefined, planted('apiKey'))).toMatchObject({ status: 200 })
  await refused(403, 'registry', 'POST', '/v1/keys', { name: 'more', roles: ['admin'] }, planted('apiKey'))
  const secret = `whsec_${planted('signingKey')}`
  const signing = { name: 'signs', kind: 'signing', roles: ['publish'], secret }
  expect(await call('registry', 'POST', '/v1/keys', signing)).toMatchObject({ status: 201 })
}

/** Channels of alerts that cannot be told of any: a login that is refused, a chat that fails and one that is no TLS. */
async function channels(): Promise<void> {
  const chats = [`${receiver.url}/fails/`, `${receiver.url.replace('http', 'https')}/`]
  const all = [
    { type: 'email', name: 'mail', to: ['ops@example.com'] },
    ...chats.map(url => ({ type: 'slack', name: 'chat', url: `${url}${planted('chatUrl')}` })),
  ]
  for (const body of all) {
    const { json, status } = await call('registry', 'POST', '/v1/alert-channels', body)
    expect({ status, json }).toMatchObject({ status: 201 })
    const tested = await call('registry', 'POST', `/v1/alert-channels/${json.id}/test`)
    expect(tested.json).toMatchObject({ error: expect.any(String) })
  }
}

/** Postgres says in its errors what it refused: the values of the row. */
async function database(): Promise<void> {
  const at = webhook(`${receiver.url}/${where()}`)
  const constrained = async (table: string, act: () => Promise<unknown>) => {
    await queryDatabase(created.url, `ALTER TABLE ${table} ADD CONSTRAINT refuses CHECK (false) NOT VALID`)
    await act()
    await queryDatabase(created.url, `ALTER TABLE ${table} DROP CONSTRAINT refuses`)
  }
  await constrained('webhooks', () => refused(500, 'registry', 'POST', '/v1/webhooks', at))
  await constrained('history_events', async () => {
    const data = { secret: planted('payload') }
    await call('ingest', 'POST', '/v1/publish', { id: 'unwritten', type: 'nobody.takes', data })
    await until(() => Buffer.concat(output).includes('violates check constraint'), WAIT_MS)
  })
}

/** What the router cannot read, and what nobody can. */
async function poison(): Promise<void> {
  const producer = new SafeProducer(open)
  await producer.connect()
  const value = Buffer.from(`{"specversion": "1.0", "data": "${planted('badPayload')}`)
  const headers = { 'content-type': 'application/cloudevents+json', ce_tenant: 'default' }
  await producer.send(EVENTS, { key: Buffer.from('k'), value, headers })
  await producer.close()
  await until(async () => ((await call('registry', 'GET', '/v1/poison')).json.data as unknown[]).length > 0, WAIT_MS)
}
