import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type Client,
  type ClientWritableStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { apiKeyFrom, apiKeyHash, PROTO_DIR, PROTO_OPTIONS } from '@posthorn/api'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import { decodeEvent, encodeKey, encodeMark, EVENTS, KEYS, TENANTS } from '@posthorn/topics'
import type { WebhookEvent } from '@posthorn/webhook'
import { type Consumer } from 'kafkajs'
import { ingestService } from './service.js'

const KEY = 'a-platform-key-for-this-test'
const WAIT_MS = 30_000
const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '2',
  POSTHORN_LISTEN_HOST: '127.0.0.1',
  POSTHORN_INGEST_PORT: '0',
  POSTHORN_INGEST_GRPC_PORT: '0',
  POSTHORN_INGEST_MAX_EVENT_BYTES: '4096',
  POSTHORN_AUTH_PLATFORM_KEY: KEY,
})
const logger = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'ingest-test'))

interface Answer {
  readonly data: readonly { readonly id: string; readonly source: string }[]
}
type Done = (error: ServiceError | null, answer: Answer) => void
type PublishClient = Client & {
  Publish(request: object, metadata: Metadata, done: Done): void
  PublishStream(metadata: Metadata, done: Done): ClientWritableStream<object>
}

const producer = new SafeProducer(connection)
const found: { readonly event: WebhookEvent; readonly data: Buffer }[] = []
let ingest: RunningService
let reader: Consumer
let client: PublishClient

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  await producer.connect()
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await reader.connect()
  await reader.subscribe({ topics: [connection.topic(EVENTS)], fromBeginning: true })
  await reader.run({
    eachMessage: async ({ message: { key, value, headers, timestamp } }) => {
      const read = decodeEvent({ key, value, headers: headers ?? {}, timestamp: Number(timestamp) }, undefined)
      if (read.kind === 'bad') throw new Error(JSON.stringify(read.problems))
      found.push(read)
    },
  })
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  ingest = await ingestService.start({ settings, logger, health, fatal })
  const definition = loadSync(join(PROTO_DIR, 'posthorn/publish/v1/publish.proto'), {
    ...PROTO_OPTIONS,
    includeDirs: [PROTO_DIR],
  })
  const { posthorn } = loadPackageDefinition(definition) as unknown as {
    posthorn: { publish: { v1: { PublishService: new (address: string, creds: unknown) => PublishClient } } }
  }
  client = new posthorn.publish.v1.PublishService(ingest.addresses.grpc!, credentials.createInsecure())
}, 60_000)

afterAll(async () => {
  client?.close()
  await ingest?.stop()
  await producer.close()
  await reader?.disconnect()
}, 30_000)

function metadata(fields: Readonly<Record<string, string>> = {}): Metadata {
  const all = new Metadata()
  for (const [name, value] of Object.entries({ authorization: `Bearer ${KEY}`, ...fields })) all.set(name, value)
  return all
}

const settle = (resolve: (answer: Answer) => void, reject: (error: Error) => void): Done => {
  return (error, answer) => (error ? reject(error) : resolve(answer))
}
const publish = (events: object[], fields = {}): Promise<Answer> =>
  new Promise((resolve, reject) => client.Publish({ events }, metadata(fields), settle(resolve, reject)))

function stream(events: Iterable<object>, fields = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = client.PublishStream(metadata(fields), settle(resolve, reject))
    for (const event of events) call.write({ event })
    call.end()
  })
}

async function inTopic(id: string): Promise<(typeof found)[number]> {
  const find = () => found.find(({ event }) => event.id === id)
  await until(() => find() !== undefined, WAIT_MS)
  return find()!
}

async function failureOf(promise: Promise<unknown>) {
  const error = (await promise.then(
    () => {
      throw new Error('it succeeded')
    },
    (failure: unknown) => failure,
  )) as ServiceError
  const [problem] = error.metadata.get('problem-bin')
  return { grpc: error.code, ...(JSON.parse(String(problem)) as { code: string; errors?: { pointer: string }[] }) }
}

describe('publishing over gRPC', () => {
  it('refuses no key and no tenant for good before the registry has published them', async () => {
    const codeOf = async (fields: object) => (await failureOf(publish([{ type: 'a' }], fields))).code
    const [stranger, nobody] = [
      { authorization: `Bearer ${apiKeyFrom(randomBytes(32))}` },
      { 'posthorn-tenant': 'nobody' },
    ]
    expect([await codeOf(stranger), await codeOf(nobody)]).toEqual(['starting', 'starting'])
    for (const topic of [KEYS, TENANTS]) await producer.send(topic, encodeMark('publishing'))
    expect([await codeOf(stranger), await codeOf(nobody)]).toEqual(['starting', 'starting'])
    for (const topic of [KEYS, TENANTS]) await producer.send(topic, encodeMark('published'))
    await until(async () => (await codeOf(nobody)) === 'tenant_not_found', WAIT_MS)
    await until(async () => (await codeOf(stranger)) === 'key_invalid', WAIT_MS)
  })

  it('takes events with all their attributes, and their exact bytes', async () => {
    const data = Buffer.from('{ "big" : 12345678901234567890 }')
    const { data: answers } = await publish([
      { type: 'agent.created', data },
      {
        id: 'all',
        source: '/mine',
        type: 'b',
        time: '2026-11-24T12:00:00Z',
        partitionkey: 'k',
        subject: 's',
        dataschema: '/schema',
        datacontenttype: 'text/plain',
        extensions: { tier: 'gold' },
        data: Buffer.from('text'),
      },
    ])
    expect(answers).toEqual([
      { id: expect.stringMatching(/^event_/), source: '/v1/publish' },
      { id: 'all', source: '/mine' },
    ])
    expect((await inTopic(answers[0]!.id)).data).toEqual(data)
    expect((await inTopic('all')).event).toEqual({
      tenant: 'default',
      id: 'all',
      source: '/mine',
      type: 'b',
      time: '2026-11-24T12:00:00Z',
      partitionkey: 'k',
      subject: 's',
      dataschema: '/schema',
      contenttype: 'text/plain',
      extensions: { tier: 'gold' },
    })
  })

  it('makes of an event the record that HTTP makes of it', async () => {
    await publish([{ id: 'same-grpc', type: 'a', time: '2026-11-24T12:00:00Z', data: Buffer.from('{"a": 1}') }])
    await fetch(`http://${ingest.addresses.http}/v1/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: '{"id":"same-http","type":"a","time":"2026-11-24T12:00:00Z","data":{"a": 1}}',
    })
    const [left, right] = [await inTopic('same-grpc'), await inTopic('same-http')]
    expect({ ...left, event: { ...left.event, id: 'x' } }).toEqual({ ...right, event: { ...right.event, id: 'x' } })
  })

  it('the same idempotency-key makes the same events', async () => {
    const fields = { 'idempotency-key': 'k' }
    const event = { type: 'a', data: Buffer.from('1') }
    const first = await publish([event, event], fields)
    expect(await publish([event, event], fields)).toEqual(first)
    expect(first.data[0]!.id).not.toBe(first.data[1]!.id)
    expect(await stream([event, event], fields)).toEqual(first)
  })

  it('an id, or an idempotency-key, makes the same event as over HTTP, streamed or not', async () => {
    const overHttp = async (body: object, headers: Readonly<Record<string, string>>) => {
      const answer = await fetch(`http://${ingest.addresses.http}/v1/publish`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
      return [(await answer.json()) as { data?: Answer['data'] }].map(({ data, ...one }) => data ?? [one])[0]
    }
    for (const [event, fields] of [
      [{ type: 'a' }, { 'idempotency-key': 'every edge' }],
      [{ type: 'a', id: 'own' }, {}],
      [{ type: 'a', id: 'own', source: '/mine' }, { 'idempotency-key': 'counts for nothing' }],
    ] as const) {
      const message = { ...event, data: Buffer.from('1') }
      const { data } = await publish([message], fields)
      expect((await stream([message], fields)).data).toEqual(data)
      expect(await overHttp({ ...event, data: 1 }, fields)).toEqual(data)
      expect(await overHttp([{ ...event, data: 1 }], fields)).toEqual(data)
    }
    const two = { 'idempotency-key': 'two' }
    const { data } = await publish(
      [
        { type: 'a', data: Buffer.from('1') },
        { type: 'a', data: Buffer.from('2') },
      ],
      two,
    )
    const events = [
      { type: 'a', data: 1 },
      { type: 'a', data: 2 },
    ]
    expect(await overHttp(events, two)).toEqual(data)
  })

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(256)],
  ])('an idempotency-key that is %s is refused, of a stream too', async (_what, key) => {
    const fields = { 'idempotency-key': key }
    expect(await failureOf(publish([{ type: 'a' }], fields))).toMatchObject({ grpc: 3, code: 'request_invalid' })
    expect(await failureOf(stream([{ type: 'a' }], fields))).toMatchObject({ grpc: 3, code: 'request_invalid' })
  })

  it('streams many, and answers them in their order', async () => {
    const ids = Array.from({ length: 3000 }, (_, i) => `streamed-${i}`)
    const { data } = await stream(ids.map(id => ({ id, type: 'a', data: Buffer.from('{}') })))
    expect(data.map(each => each.id)).toEqual(ids)
    await until(() => found.filter(({ event }) => event.id.startsWith('streamed-')).length === 3000, WAIT_MS)
  }, 30_000)

  it.each([
    ['no event', [], 3, 'batch_size', undefined],
    ['1,001 events', Array.from({ length: 1001 }, () => ({ type: 'a' })), 3, 'batch_size', undefined],
    [
      'a bad type, and an attribute as an extension',
      [{ type: 'a' }, { type: 'a b' }, { type: 'a', extensions: { subject: 's' } }],
      3,
      'event_invalid',
      ['/events/1/type', '/events/2/extensions/subject'],
    ],
    ['data that is no JSON', [{ type: 'a', data: Buffer.from('{') }], 3, 'event_invalid', ['/events/0/data']],
    [
      'large data',
      [{ type: 'a', data: Buffer.from(`"${'x'.repeat(4096)}"`) }],
      3,
      'body_too_large',
      ['/events/0/data'],
    ],
  ])('%s is refused', async (_what, events, grpc, code, pointers) => {
    const failure = await failureOf(publish(events))
    expect(failure).toMatchObject({ grpc, code })
    expect(failure.errors?.map(({ pointer }) => pointer)).toEqual(pointers)
  })

  it('a stream ends at its first bad event', async () => {
    const failure = await failureOf(stream([{ type: 'a', data: Buffer.from('1') }, { type: 'a b' }, { type: 'a' }]))
    expect(failure).toMatchObject({ grpc: 3, code: 'event_invalid', errors: [{ pointer: '/1/type' }] })
  })

  it('S7 a key is taken from its addresses alone, on both edges, whatever x-forwarded-for says', async () => {
    const [near, far] = [21, 22].map(n => apiKeyFrom(randomBytes(32).fill(n))) as [string, string]
    const key = { version: 1, status: 'active', tenant: 'default', roles: ['publish'], expiresAt: null } as const
    const ranges = { near: ['127.0.0.0/8', '::1/128'], far: ['203.0.113.0/24', '2001:db8::/32'] }
    await producer.send(KEYS, encodeKey({ ...key, id: 'key_near', hash: apiKeyHash(near), allowedIps: ranges.near }))
    await producer.send(KEYS, encodeKey({ ...key, id: 'key_far', hash: apiKeyHash(far), allowedIps: ranges.far }))
    const forged = { 'x-forwarded-for': '203.0.113.7' }
    const overHttp = async (authorization: string, headers: Readonly<Record<string, string>>) => {
      const answer = await fetch(`http://${ingest.addresses.http}/v1/publish`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: '{"type":"a","data":1}',
      })
      return ((await answer.json()) as { readonly code?: string }).code
    }
    await until(async () => (await overHttp(`Bearer ${far}`, {})) === 'address_not_allowed', WAIT_MS)
    expect(await overHttp(`Bearer ${far}`, forged)).toBe('address_not_allowed')
    expect(await overHttp(`Bearer ${near}`, forged)).toBeUndefined()
    const event = { type: 'a', data: Buffer.from('1') }
    const refused = await failureOf(publish([event], { ...forged, authorization: `Bearer ${far}` }))
    expect(refused).toMatchObject({ grpc: 7, code: 'address_not_allowed' })
    expect((await publish([event], { ...forged, authorization: `Bearer ${near}` })).data).toHaveLength(1)
  })

  it.each([
    ['no key', { authorization: '' }, 16, 'key_missing'],
    ['a wrong key', { authorization: 'Bearer x' }, 16, 'key_invalid'],
    ['an unknown tenant', { 'posthorn-tenant': 'nobody' }, 5, 'tenant_not_found'],
  ])('%s is refused, of a stream too', async (_what, fields, grpc, code) => {
    expect(await failureOf(publish([{ type: 'a' }], fields))).toMatchObject({ grpc, code })
    expect(await failureOf(stream([{ type: 'a' }], fields))).toMatchObject({ grpc, code })
  })
})
