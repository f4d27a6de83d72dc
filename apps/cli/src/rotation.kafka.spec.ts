import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { delivererService } from '@posthorn/deliverer'
import { ingestService } from '@posthorn/ingest'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Service } from '@posthorn/process'
import { registryService } from '@posthorn/registry'
import { routerService } from '@posthorn/router'
import { Sealer } from '@posthorn/sealing'
import { Database, migrate, SealedValues, WebhookRow } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import {
  createAuthority,
  createTestDatabase,
  startReceiver,
  testBrokers,
  until,
  type ReceivedRequest,
  type Receiver,
  type TestDatabase,
} from '@posthorn/testkit'
import type { TopicContract } from '@posthorn/topics'
import { verify } from '@posthorn/verify'
import { headerContext, secretFrom, webhookId } from '@posthorn/webhook'
import { CLI_MAIN } from './repository.js'
import { runCommand } from './run-command.js'

type Json = Record<string, unknown> & { readonly id: string }

const KEY = 'a-platform-key-for-this-test'
const WAIT_MS = 60_000
/** More than a page of the command, so that it can be killed after it. */
const OTHERS = 300
const [OLD, NEW, STRANGE] = ['old', 'new', 'strange'].map(id => `${id}:${randomBytes(32).toString('base64')}`) as [
  string,
  string,
  string,
]
const logger = createLogger('silent', 'test')
const told: { alert?: string; key?: string; count?: number; webhook?: string }[] = []
const telling = Object.assign(Object.create(logger) as typeof logger, {
  error: (fields: object) => void told.push(fields),
  child: () => telling,
})
const running = new Map<Service, RunningService>()
const prefix = `t-${randomBytes(5).toString('hex')}.`
let created: TestDatabase
let database: Database
let receiver: Receiver
let connection: KafkaConnection
let keys = [OLD]

const environment = () => ({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: prefix,
  POSTHORN_KAFKA_PARTITIONS: '1',
  POSTHORN_DATABASE_URL: created.url,
  POSTHORN_AUTH_PLATFORM_KEY: KEY,
  POSTHORN_SEALING_KEYS: keys.join(),
  POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
  POSTHORN_LISTEN_HOST: '127.0.0.1',
  POSTHORN_REGISTRY_PORT: '0',
  POSTHORN_REGISTRY_GRPC_PORT: '0',
  POSTHORN_INGEST_PORT: '0',
  POSTHORN_INGEST_GRPC_PORT: '0',
})

async function start(...services: Service[]): Promise<void> {
  const settings = readSettings(environment())
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  const started = services.map(each => each.start({ settings, logger: telling, health, fatal }))
  for (const [at, service] of (await Promise.all(started)).entries()) running.set(services[at]!, service)
}

/** As a rollout does it. */
async function restartWith(next: string[], ...services: Service[]): Promise<void> {
  keys = next
  await Promise.all(services.map(each => running.get(each)!.stop()))
  await start(...services)
}

beforeAll(async () => {
  receiver = await startReceiver()
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 2, name: 'test', logger })
  await database.connect()
  connection = new KafkaConnection(kafkaOptionsFrom(readSettings(environment()), logger, 'rotation'))
  await createTopics(connection, await planTopics(connection))
  await start(registryService, ingestService, routerService, delivererService)
}, 90_000)

afterAll(async () => {
  await Promise.all([...running.values()].map(service => service.stop()))
  connection?.close()
  await receiver?.close()
  await database?.close()
  await created?.drop()
}, 60_000)

async function call(to: Service, method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const answer = await fetch(`http://${running.get(to)!.addresses.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, json: (await answer.json()) as Json }
}

async function posthorn(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const stop = new AbortController().signal
  const env = { ...environment(), POSTHORN_EMBEDDED_DIR: join(tmpdir(), 'no-posthorn-here') }
  const ended = await runCommand(args, { stop, env, print: text => out.push(text), say: line => err.push(line) })
  return { status: ended, out: out.join('\n'), err: err.join('\n') }
}

/** Resolves once the command was killed with -9, in the middle of its work. */
async function killedMidway(): Promise<void> {
  const env = { ...process.env, ...environment(), POSTHORN_TEST_KAFKA_BROKERS: '', POSTHORN_TEST_DATABASE_URL: '' }
  const lines: string[] = []
  const killedBy = () => {
    const child = spawn(process.execPath, [CLI_MAIN, 'secrets', 'reseal'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    createInterface({ input: child.stderr }).on('line', line => {
      lines.push(line)
      if (line.includes('sealed anew …')) child.kill('SIGKILL')
    })
    return new Promise(resolve => child.once('close', (_code, by) => resolve(by)))
  }
  // However late it is killed: it does not come past the last webhook.
  const signal = await database.manager.transaction(async tx => {
    await tx.query('SELECT id FROM webhooks ORDER BY id DESC LIMIT 1 FOR UPDATE')
    return killedBy()
  })
  expect({ signal, lines }).toMatchObject({ signal: 'SIGKILL' })
}

const publish = (id: string) => call(ingestService, 'POST', '/v1/publish', { id, type: 'rotation.test', data: { id } })

function arrived(id: string): ReceivedRequest[] {
  return receiver.requests.filter(request => request.body.includes(`"${id}"`))
}

async function webhooksLike(id: string): Promise<string[]> {
  const row = await database.manager.findOneByOrFail(WebhookRow, { id })
  const sealer = new Sealer([OLD])
  const ids = Array.from({ length: OTHERS }, () => webhookId(randomBytes(16)))
  const rows = ids.map(other => ({
    ...row,
    id: other,
    uid: null,
    authentication: null,
    tls: null,
    events: ['nothing.at.all'],
    secrets: [{ ...row.secrets[0]!, sealed: sealer.seal(secretFrom(randomBytes(32)), other) }],
    sealedHeaders: { 'x-key': sealer.seal('value', headerContext(other, 'x-key')) },
  }))
  await database.manager.insert(WebhookRow, rows)
  await database.manager.query(`INSERT INTO outbox (kind, subject) SELECT 'webhook', unnest($1::text[])`, [ids])
  await until(async () => (await new SealedValues(database).unpublished()) === 0, WAIT_MS)
  return ids
}

describe('S7 master keys', () => {
  const headers = { 'x-api-key': 'value of the header' }
  const client = createAuthority('Rotation CA').issue('posthorn')
  let id: string
  let secret: string

  test('are rotated while serving: killed with -9 midway, then two at once; then the old one is not needed', async () => {
    const body = {
      uid: 'kept',
      url: `${receiver.url}/hook`,
      events: ['rotation.*'],
      headers,
      authentication: { type: 'bearer', token: 'of-the-receiver' },
      tls: { certificate: client.cert, key: client.key },
    }
    const made = await call(registryService, 'POST', '/v1/webhooks', body, { 'idempotency-key': 'once' })
    ;({ id, secret } = made.json as Json & { secret: string })
    const signing = { name: 'signs', roles: ['publish'], kind: 'signing' }
    expect((await call(registryService, 'POST', '/v1/keys', signing)).status).toBe(201)
    const others = await webhooksLike(id)
    await publish('before')
    await until(() => arrived('before').length === 1, WAIT_MS)

    await restartWith([NEW, OLD], registryService, delivererService)
    const ids = ['during']
    let rotating = true
    const publishing = (async () => {
      for (let n = 0; rotating; n++) {
        ids.push(`during-${n}`)
        expect((await publish(`during-${n}`)).status).toBe(202)
        await sleep(50)
      }
    })()
    await publish('during')
    await killedMidway()
    const halfway = JSON.parse((await posthorn('secrets', 'status', '--json')).out) as { keys: { secrets: number }[] }
    expect(halfway.keys[0]!.secrets).toBeGreaterThanOrEqual(200)
    expect(halfway.keys[1]!.secrets).toBeGreaterThan(0)
    const both = await Promise.all([posthorn('secrets', 'reseal', '--json'), posthorn('secrets', 'reseal', '--json')])
    expect(both.map(each => [each.status, each.err])).toEqual([
      [0, expect.any(String)],
      [0, expect.any(String)],
    ])
    const did = both.map(each => (JSON.parse(each.out) as { webhooks: number }).webhooks)
    expect(did[0]! + did[1]!).toBe(others.length + 1 - halfway.keys[0]!.secrets)
    const after = JSON.parse((await posthorn('secrets', 'status', '--json')).out) as Json
    expect(after).toEqual({
      keys: [
        {
          id: 'new',
          state: 'seals',
          secrets: others.length + 1,
          headers: others.length + 3,
          keys: 1,
          channels: 0,
          answers: 1,
        },
        { id: 'old', state: 'set', secrets: 0, headers: 0, keys: 0, channels: 0, answers: 0 },
      ],
      unpublished: 0,
      removable: ['old'],
    })
    // Each once, however often the command ran: 1 as it was made, 2 sealed anew.
    expect((await call(registryService, 'GET', `/v1/webhooks/${others[0]}`)).json.version).toBe(2)

    await restartWith([NEW], registryService, delivererService)
    rotating = false
    await publishing
    ids.push('end')
    await publish('end')
    await until(() => ids.every(each => arrived(each).length > 0), WAIT_MS)
    for (const request of receiver.requests) {
      expect(request.headers).toMatchObject({ ...headers, authorization: 'Bearer of-the-receiver' })
      expect(verify({ ...request, secrets: [secret] })).toBeDefined()
    }
    expect(await call(registryService, 'POST', '/v1/webhooks', body, { 'idempotency-key': 'once' })).toEqual(made)
    expect(
      (await call(registryService, 'GET', '/v1/audit?scope=platform&action=secrets.resealed')).json.data,
    ).not.toEqual([])
    expect(told).toEqual([])
  }, 120_000)

  test('one that is missing is told at start; deliveries wait in a tier, and new values make the webhook well', async () => {
    await restartWith([STRANGE], registryService, delivererService)
    const atStart = () => told.filter(each => each.alert === 'sealing_key_missing')
    await until(() => atStart().length === 2, WAIT_MS)
    expect(new Set(atStart().map(each => each.key))).toEqual(new Set(['new']))
    // The deliverer knows webhooks alone, the registry the key that signs, too.
    expect(
      atStart()
        .map(each => each.count)
        .sort(),
    ).toEqual([2 * OTHERS + 4, 2 * OTHERS + 5])
    expect(await posthorn('secrets', 'status')).toMatchObject({ status: 1, err: expect.stringContaining('"new"') })
    const nothing = await posthorn('secrets', 'reseal', '--json')
    expect(nothing.status).toBe(1)
    expect(JSON.parse(nothing.out)).toMatchObject({ webhooks: 0, keys: 0, answers: 0, unpublished: 0 })
    expect((JSON.parse(nothing.out) as { failures: unknown[] }).failures).toHaveLength(OTHERS + 3)

    await publish('waits')
    const tier = connection.topic({ name: 'delay.30s.v1' } as TopicContract)
    await until(async () => (await highOf(tier)) > 0, WAIT_MS)
    expect(told).toContainEqual(expect.objectContaining({ alert: 'secret_sealed', webhook: id }))

    const { json: secrets } = await call(registryService, 'GET', `/v1/webhooks/${id}/secrets`)
    const [only] = secrets.data as Json[]
    const reveal = await call(registryService, 'POST', `/v1/webhooks/${id}/secrets/${only!.id}/reveal`)
    expect(reveal).toMatchObject({ status: 500, json: { code: 'secret_sealed' } })
    const again = { url: `${receiver.url}/hook`, events: ['rotation.*'], headers, secret }
    expect((await call(registryService, 'PUT', '/v1/webhooks/by-uid/kept', again)).status).toBe(200)
    await publish('well again')
    await until(() => arrived('well again').length === 1, WAIT_MS)
    expect(arrived('waits')).toEqual([])
  }, 120_000)
})

async function highOf(topic: string): Promise<number> {
  const offsets = await connection.withAdmin(admin => admin.fetchTopicOffsets(topic))
  return offsets.reduce((sum, { high }) => sum + Number(high), 0)
}
