import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  commitPositions,
  createTopics,
  KafkaConnection,
  kafkaOptionsFrom,
  planTopics,
  TableFollower,
} from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, testBrokers, until, type TestDatabase } from '@posthorn/testkit'
import { decodeSource, sourceGroup, SOURCES } from '@posthorn/topics'
import type { Source } from '@posthorn/webhook'
import { registryService } from './service.js'

const KEY = 'a-platform-key-for-this-test'
const TOPIC = `orders-${randomBytes(4).toString('hex')}`
const ORDERS = { topic: TOPIC, event: { tenant: 'acme', type: { pointer: '/type' }, key: { record: 'key' } } }
const logger = createLogger('silent', 'test')

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly json: Record<string, unknown> & { readonly errors?: readonly { readonly pointer: string }[] }
}

let database: TestDatabase
let connection: KafkaConnection
let registry: RunningService
let published: TableFollower<Source>

const fatal = (error: Error) => {
  throw error
}

async function call(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
  const response = await fetch(`http://${registry.addresses.http}/v1/sources${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text === '' ? {} : JSON.parse(text) }
}

async function created(body: object = ORDERS): Promise<string> {
  const { status, json } = await call('POST', '', body)
  expect(status).toBe(201)
  return json.id as string
}

beforeAll(async () => {
  database = await createTestDatabase()
  await migrate(database.url, logger)
  const settings = readSettings({
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_DATABASE_URL: database.url,
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_AUTH_PLATFORM_KEY: KEY,
    POSTHORN_SEALING_KEYS: `test:${randomBytes(32).toString('base64')}`,
  })
  connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'sources-test'))
  await createTopics(connection, await planTopics(connection))
  await connection.withAdmin(async admin => {
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic: TOPIC, numPartitions: 2, replicationFactor: 1 }],
    })
    await until(async () => (await admin.fetchTopicOffsets(TOPIC).catch(() => [])).length === 2, 30_000)
  })
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  registry = await registryService.start({ settings, logger, health, fatal })
  published = new TableFollower<Source>(connection, { topic: SOURCES, decode: decodeSource, fatal })
  await published.start()
}, 60_000)

afterAll(async () => {
  await Promise.all([registry?.stop(), published?.stop()])
  await connection.withAdmin(admin => admin.deleteTopics({ topics: [TOPIC] }))
  await database.drop()
}, 30_000)

describe('/v1/sources', () => {
  it('answers a source as it was made, and has it on sources.v1 by then', async () => {
    const { status, headers, json } = await call('POST', '', ORDERS)
    expect([status, headers.get('location'), headers.get('etag')]).toEqual([201, `/v1/sources/${json.id}`, '"1"'])
    expect(json).toEqual({
      id: expect.stringMatching(/^source_[0-9a-z]{26}$/),
      status: 'active',
      topic: TOPIC,
      pattern: null,
      value: 'json',
      start: 'latest',
      event: { tenant: { constant: 'acme' }, type: { pointer: '/type' }, key: { record: 'key' } },
      created_at: expect.any(String),
      updated_at: json.created_at,
      version: 1,
    })
    await published.readToEnd()
    expect(published.get(json.id as string)).toMatchObject({
      version: 1,
      status: 'active',
      topic: TOPIC,
      since: Date.parse(json.created_at as string),
    })
  })

  it.each<[string, object, string[]]>([
    ['no topic', { event: ORDERS.event }, ['/topic']],
    ['no type', { topic: 'a', event: { tenant: 'a' } }, ['/event/type']],
    ['an unknown field', { ...ORDERS, colour: 'red' }, ['/colour']],
    ['an unknown attribute', { ...ORDERS, event: { ...ORDERS.event, colour: 'red' } }, ['/event/colour']],
    ['wrong types', { topic: {}, event: [] }, ['/topic', '/event']],
  ])('refuses by the fields at fault: %s', async (_name, body, pointers) => {
    const { status, json } = await call('POST', '', body)
    expect([status, json.code, json.errors?.map(({ pointer }) => pointer)]).toEqual([400, 'request_invalid', pointers])
  })

  it("refuses Posthorn's own topics: events would be made of events for ever", async () => {
    const { status, json } = await call('POST', '', { ...ORDERS, topic: `${connection.prefix}events.v1` })
    expect([status, json.errors?.map(({ pointer }) => pointer)]).toEqual([400, ['/topic']])
    const patched = await call('PATCH', `/${await created()}`, { topic: `${connection.prefix}due.v1` })
    expect(patched.status).toBe(400)
  })

  it('changes what a patch names, under the next version; nothing changed is no version', async () => {
    const id = await created()
    const { json: before } = await call('GET', `/${id}`)
    const same = await call('PATCH', `/${id}`, { topic: TOPIC, event: { type: { pointer: '/type' } } })
    expect(same.json.version).toBe(1)
    const paused = await call('PATCH', `/${id}`, { status: 'paused', event: { key: null } })
    expect(paused.json).toMatchObject({
      version: 2,
      status: 'paused',
      event: { tenant: { constant: 'acme' }, type: { pointer: '/type' } },
    })
    expect(paused.json.event).not.toHaveProperty('key')
    await published.readToEnd()
    // The place to begin stays where it was: only what is read was not changed.
    expect(published.get(id)).toMatchObject({ version: 2, since: Date.parse(before.created_at as string) })
    const moved = await call('PATCH', `/${id}`, { topic: null, pattern: 'orders-.*' })
    expect(moved.json).toMatchObject({ version: 3, topic: null, pattern: 'orders-.*' })
    await published.readToEnd()
    expect(published.get(id)!.since).toBeGreaterThan(Date.parse(before.created_at as string))
    expect((await call('PATCH', `/${id}`, { topic: TOPIC })).json.errors).toEqual([
      { pointer: '/pattern', detail: 'cannot stand beside topic' },
    ])
  })

  it('lets only the reader of the current version change it', async () => {
    const id = await created()
    const late = await call('PATCH', `/${id}`, { status: 'paused' }, { 'if-match': '"7"' })
    expect([late.status, late.json.code]).toEqual([412, 'version_conflict'])
    const { status } = await call('PATCH', `/${id}`, { status: 'paused' }, { 'if-match': '"1"' })
    expect(status).toBe(200)
  })

  it('tells how far each topic is read, and by how many', async () => {
    const id = await created()
    const fresh = await call('GET', `/${id}`)
    const group = sourceGroup(connection.prefix, id)
    expect(fresh.json).toMatchObject({ group, readers: 0, lag: [] })
    const producer = connection.kafka.producer()
    await producer.connect()
    const messages = [0, 0, 0, 1].map(partition => ({ partition, value: '{}' }))
    await producer.send({ topic: TOPIC, messages })
    await producer.disconnect()
    await commitPositions(connection, group, [{ topic: TOPIC, partition: 0, offset: 1 }])
    expect((await call('GET', `/${id}`)).json.lag).toEqual([{ topic: TOPIC, lag: 3 }])
  })

  it('lists page by page, newest first', async () => {
    const ids = [await created(), await created(), await created()]
    const first = await call('GET', '?limit=2')
    const second = await call('GET', `?limit=2&cursor=${first.json.next_cursor as string}`)
    const listed = [first, second].flatMap(({ json }) => (json.data as { id: string }[]).map(({ id }) => id))
    expect(listed.slice(0, 3)).toEqual(ids.reverse())
  })

  it('deletes, tells the readers, and knows the source no more', async () => {
    const id = await created()
    expect((await call('DELETE', `/${id}`)).status).toBe(204)
    await published.readToEnd()
    expect(published.get(id)).toMatchObject({ version: 2, status: 'deleted' })
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const { status, json } = await call(method, `/${id}`, method === 'PATCH' ? {} : undefined)
      expect([status, json.code]).toEqual([404, 'source_not_found'])
    }
    expect((await call('GET', '/webhook_1')).status).toBe(404)
  })
})
