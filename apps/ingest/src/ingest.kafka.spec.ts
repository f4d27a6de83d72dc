import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { apiKeyFrom, apiKeyHash } from '@posthorn/api'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, TableFollower } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type ServiceContext } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import {
  decodeEvent,
  decodeKeyUse,
  encodeKey,
  encodeTenant,
  EVENTS,
  KEY_USES,
  KEYS,
  TENANTS,
  type ApiKey,
} from '@posthorn/topics'
import type { WebhookEvent } from '@posthorn/webhook'
import { Partitioners, type Consumer } from 'kafkajs'
import { ingestService } from './service.js'

const WAIT_MS = 30_000
const KEY = 'a-platform-key-for-this-test'
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '2',
  POSTHORN_LOG_LEVEL: 'silent',
  POSTHORN_LISTEN_HOST: '127.0.0.1',
  POSTHORN_INGEST_PORT: '0',
  POSTHORN_INGEST_GRPC_PORT: '0',
  POSTHORN_AUTH_PLATFORM_KEY: KEY,
})
const connection = new KafkaConnection(kafkaOptionsFrom(settings, createLogger('silent', 'test'), 'ingest-test'))

interface Answer {
  readonly status: number
  readonly json: { readonly id?: string; readonly data?: readonly { readonly id: string }[]; readonly code?: string }
}

const found: { readonly event: WebhookEvent; readonly data: Buffer }[] = []
let ingest: RunningService
let reader: Consumer

function context(): ServiceContext {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  return { settings, logger: createLogger('silent', 'test'), health, fatal }
}

type Headers = Record<string, string>

async function send(body: string | Buffer, headers: Headers): Promise<Answer> {
  const response = await fetch(`http://${ingest.addresses.http}/v1/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    body: new Uint8Array(Buffer.from(body)),
  })
  return { status: response.status, json: (await response.json()) as Answer['json'] }
}

const json = { 'content-type': 'application/json' }
const post = (body: string | Buffer, headers: Headers = {}) => send(body, { ...json, ...headers })

/** The event of this id as it stands in the topic. */
async function inTopic(id: string) {
  const find = () => found.find(({ event }) => event.id === id)
  await until(
    () => find() !== undefined,
    WAIT_MS,
    () => `no event ${id} is in the topic`,
  )
  return find()!
}

const PUBLISHER = apiKeyFrom(new Uint8Array(32).fill(1))
const READER = apiKeyFrom(new Uint8Array(32).fill(2))

function key(id: string, secret: string, change: Partial<ApiKey> = {}): ApiKey {
  const rest = { version: 1, status: 'active', roles: ['publish'], allowedIps: [], expiresAt: null } as const
  return { id, tenant: 'acme', hash: apiKeyHash(secret), ...rest, ...change }
}

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  const producer = connection.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await Promise.all([producer.connect(), reader.connect()])
  const tenants = [
    { id: 'acme', version: 1, status: 'active' },
    { id: 'gone', version: 2, status: 'deleted' },
  ] as const
  const messages = tenants.map(encodeTenant).map(({ key, value }) => ({ key, value }))
  await producer.send({ topic: connection.topic(TENANTS), messages })
  const keys = [key('key_a', PUBLISHER), key('key_r', READER, { roles: ['read'] })].map(encodeKey)
  await producer.send({ topic: connection.topic(KEYS), messages: keys.map(({ key, value }) => ({ key, value })) })
  await producer.disconnect()
  await reader.subscribe({ topics: [connection.topic(EVENTS)], fromBeginning: true })
  await reader.run({
    eachMessage: async ({ message }) => {
      const { key, value, headers } = message
      const read = decodeEvent({ key, value, headers: headers ?? {}, timestamp: Number(message.timestamp) }, undefined)
      if (read.kind === 'bad') throw new Error(JSON.stringify(read.problems))
      found.push(read)
    },
  })
  ingest = await ingestService.start(context())
}, 60_000)

afterAll(async () => {
  await ingest?.stop()
  await reader?.disconnect()
}, 30_000)

describe('S7 keys of keys.v1, without the database', () => {
  const withKey = (secret: string, tenant?: string) =>
    post('{"type":"a","data":1}', {
      authorization: `Bearer ${secret}`,
      ...(tenant === undefined ? {} : { 'posthorn-tenant': tenant }),
    })

  it('a key publishes for its tenant alone, and only with the role', async () => {
    const { status, json: answer } = await withKey(PUBLISHER)
    expect(status).toBe(202)
    expect((await inTopic(answer.id!)).event.tenant).toBe('acme')
    expect(await withKey(PUBLISHER, 'default')).toMatchObject({ status: 404, json: { code: 'tenant_not_found' } })
    expect(await withKey(READER)).toMatchObject({ status: 403, json: { code: 'role_missing' } })
    expect(await withKey(apiKeyFrom(new Uint8Array(32)))).toMatchObject({ status: 401, json: { code: 'key_invalid' } })
  })

  it('tells which keys are used, and when', async () => {
    const uses = new TableFollower(connection, { topic: KEY_USES, decode: decodeKeyUse, fatal: context().fatal })
    await uses.start()
    const before = Math.floor(Date.now() / 60_000)
    for (let i = 0; i < 5; i++) expect((await withKey(PUBLISHER)).status).toBe(202)
    await until(() => (uses.get('key_a')?.version ?? 0) >= before, WAIT_MS)
    expect([...uses.values()].map(({ id }) => id).sort()).toEqual(['key_a', 'key_r'])
    await uses.stop()
  })

  it('a deleted key ends', async () => {
    const producer = connection.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const gone = encodeKey(key('key_a', PUBLISHER, { version: 2, status: 'deleted' }))
    await producer.send({ topic: connection.topic(KEYS), messages: [{ key: gone.key, value: gone.value }] })
    await producer.disconnect()
    await until(async () => (await withKey(PUBLISHER)).status === 401, WAIT_MS)
  })
})

describe('POST /v1/publish: what is accepted is in the topic, with its exact bytes', () => {
  const data = '{ "big" : 12345678901234567890, "far": 1e400,\n"text":"\\u00e9é😀" }'

  it('S4 one plain event', async () => {
    const { status, json: answer } = await post(`{"type":"agent.created","data":${data}}`)
    expect([status, answer]).toEqual([202, { id: expect.stringMatching(/^event_/), source: '/v1/publish' }])
    const { event, data: bytes } = await inTopic(answer.id!)
    expect(event).toMatchObject({ tenant: 'default', type: 'agent.created', contenttype: 'application/json' })
    expect(bytes.toString()).toBe(data)
  })

  it('an array of plain events and CloudEvents, in its order', async () => {
    const cloudEvent = `{"specversion":"1.0","id":"arr-2","source":"/s","type":"b","data" : ${data} }`
    const { status, json: answer } = await post(`[{"id":"arr-1","type":"a","data":${data}},\n${cloudEvent}]`)
    expect(status).toBe(202)
    expect(answer).toEqual({
      data: [
        { id: 'arr-1', source: '/v1/publish' },
        { id: 'arr-2', source: '/s' },
      ],
    })
    for (const id of ['arr-1', 'arr-2']) expect((await inTopic(id)).data.toString()).toBe(data)
  })

  it('a thousand events in one request', async () => {
    const events = Array.from({ length: 1000 }, (_, i) => ({ id: `many-${i}`, type: 'a', data: i }))
    const { status, json: answer } = await post(JSON.stringify(events))
    expect([status, answer.data!.length]).toEqual([202, 1000])
    expect((await inTopic('many-999')).data.toString()).toBe('999')
  })

  it('a structured CloudEvent, its extensions and its tenant', async () => {
    const body = `{"specversion":"1.0","id":"str-1","source":"/s","type":"a.b","tenant":"acme","myext":7,"data":${data}}`
    const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8', 'posthorn-tenant': 'acme' }
    expect((await send(body, headers)).status).toBe(202)
    const { event, data: bytes } = await inTopic('str-1')
    expect(event).toMatchObject({ tenant: 'acme', extensions: { myext: '7' } })
    expect(bytes.toString()).toBe(data)
  })

  it('a batch of CloudEvents', async () => {
    const body = `[{"specversion":"1.0","id":"bat-1","source":"/s","type":"a","data":${data}}]`
    const { status, json: answer } = await send(body, { 'content-type': 'application/cloudevents-batch+json' })
    expect([status, answer]).toEqual([202, { data: [{ id: 'bat-1', source: '/s' }] }])
    expect((await inTopic('bat-1')).data.toString()).toBe(data)
  })

  const binary = { 'ce-specversion': '1.0', 'ce-source': '/s', 'ce-type': 'a' }

  it.each([
    ['application/json', Buffer.from(` ${data}\n`)],
    ['text/plain', Buffer.from('not JSON {')],
    ['application/octet-stream', Buffer.from([0, 1, 0xff, 0xfe])],
    ['application/vnd.acme+json', Buffer.from('[1 ]')],
    ['application/json', Buffer.alloc(0)],
  ])('a binary CloudEvent of %s', async (type, bytes) => {
    const id = `bin-${randomBytes(4).toString('hex')}`
    expect((await send(bytes, { ...binary, 'ce-id': id, 'content-type': type })).status).toBe(202)
    const { event, data: read } = await inTopic(id)
    expect(event.contenttype).toBe(type)
    expect(read.equals(bytes)).toBe(true)
  })

  it('data of exactly the limit', async () => {
    const text = `"${'x'.repeat(settings.ingestMaxEventBytes - 2)}"`
    expect((await post(`{"id":"limit","type":"a","data":${text}}`)).status).toBe(202)
    expect((await inTopic('limit')).data.toString()).toBe(text)
  })

  it("the request's trace", async () => {
    await post('{"id":"trace","type":"a","data":1}', { traceparent: TRACE })
    expect((await inTopic('trace')).event.extensions).toEqual({ traceparent: TRACE })
  })

  it('S10 the same Idempotency-Key makes the same event', async () => {
    const twice = await Promise.all([1, 2].map(() => post('{"type":"a","data":1}', { 'idempotency-key': 'order-17' })))
    expect(twice[0]!.json.id).toBe(twice[1]!.json.id)
  })

  it.each(['nobody', 'gone'])('nothing for the tenant "%s", which is not there', async tenant => {
    const { status, json: answer } = await post('{"id":"refused","type":"a","data":1}', { 'posthorn-tenant': tenant })
    expect([status, answer.code]).toEqual([404, 'tenant_not_found'])
  })

  it('nothing of an array with one bad event', async () => {
    const body = '[{"id":"refused","type":"a","data":1},{"id":"refused","type":"a b","data":1}]'
    expect((await post(body)).status).toBe(400)
    await post('{"id":"last","type":"a","data":1}')
    await inTopic('last')
    expect(found.some(({ event }) => event.id === 'refused')).toBe(false)
  })
})
