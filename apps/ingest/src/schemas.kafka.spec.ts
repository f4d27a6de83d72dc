import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import {
  CATALOGUE,
  encodeEventType,
  encodeTenant,
  eventTypeKey,
  TENANTS,
  type EventTypeDocument,
  type Tenant,
} from '@posthorn/topics'
import { ingestService } from './service.js'

const KEY = 'a-platform-key-for-this-test'
const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '1',
  POSTHORN_LOG_LEVEL: 'silent',
  POSTHORN_LISTEN_HOST: '127.0.0.1',
  POSTHORN_INGEST_PORT: '0',
  POSTHORN_INGEST_GRPC_PORT: '0',
  POSTHORN_AUTH_PLATFORM_KEY: KEY,
})
const logger = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'ingest-test'))
const producer = new SafeProducer(connection)
let ingest: RunningService

interface Answer {
  readonly status: number
  readonly json: { readonly code?: string; readonly errors?: readonly { readonly pointer: string }[] }
}

async function publish(body: unknown, tenant = 'default'): Promise<Answer> {
  const response = await fetch(`http://${ingest.addresses.http}/v1/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'posthorn-tenant': tenant },
    body: JSON.stringify(body),
  })
  return { status: response.status, json: (await response.json()) as Answer['json'] }
}

const pointersOf = ({ json }: Answer) => json.errors?.map(({ pointer }) => pointer)

function register(type: string, extra: Partial<EventTypeDocument> = {}): Promise<unknown> {
  const document: EventTypeDocument = {
    id: eventTypeKey('default', type),
    tenant: 'default',
    type,
    version: 1,
    status: 'active',
    mode: 'enforce',
    schemaVersion: 1,
    schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    ...extra,
  }
  return producer.send(CATALOGUE, encodeEventType(document))
}

const strict = (unknown: Pick<Tenant, 'unknownEventTypes'>, version: number) =>
  producer.send(TENANTS, encodeTenant({ id: 'strict', version, status: 'active', ...unknown }))

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  await producer.connect()
  await register('order.paid')
  await strict({ unknownEventTypes: 'refuse' }, 1)
  await register('order.warned', { mode: 'warn' })
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  ingest = await ingestService.start({ settings, logger, health, fatal })
}, 60_000)

afterAll(async () => {
  await ingest?.stop()
  await producer.close()
}, 30_000)

// No database is there at all: ingest knows the types by catalogue.v1 alone.
describe('S7 ingest enforces the schemas of event types', () => {
  it('S7 answers an event that does not fit with the JSON Pointers of its faults', async () => {
    const answer = await publish({ type: 'order.paid', data: { id: 7 } })
    expect([answer.status, answer.json.code, pointersOf(answer)]).toEqual([422, 'event_schema_mismatch', ['/data/id']])
    expect((await publish({ type: 'order.paid', data: { id: 'o-1' } })).status).toBe(202)
  })

  it('S7 takes an array whole or not at all', async () => {
    const [good, bad] = [{ id: 'o-1' }, {}].map(data => ({ type: 'order.paid', data }))
    expect(pointersOf(await publish([good, bad, { type: 'order.other', data: 1 }]))).toEqual(['/1/data/id'])
  })

  it('S7 takes what is only warned of, and types without a schema', async () => {
    for (const type of ['order.warned', 'order.other']) expect((await publish({ type, data: 1 })).status).toBe(202)
  })

  it('S7 follows changes', async () => {
    await register('order.other')
    await until(
      async () => (await publish({ type: 'order.other', data: 1 })).status === 422,
      30_000,
      () => 'the new type is not enforced',
    )
  })

  it('S1 refuses a type outside the catalogue where the tenant wants that, built-in ones and its own not', async () => {
    const refused = await publish(
      [
        { type: 'agent.created', data: {} },
        { type: 'order.new', data: 1 },
      ],
      'strict',
    )
    expect([refused.status, refused.json.code, pointersOf(refused)]).toEqual([422, 'event_type_unknown', ['/1/type']])
    expect((await publish({ type: 'agent.created', data: {} }, 'strict')).status).toBe(202)
    const own = { id: eventTypeKey('strict', 'order.new'), tenant: 'strict', mode: 'off' } as const
    await register('order.new', own)
    await until(
      async () => (await publish({ type: 'order.new', data: 1 }, 'strict')).status === 202,
      30_000,
      () => 'the new type is not known',
    )
    await register('order.new', { ...own, version: 2, status: 'archived' })
    await until(
      async () => (await publish({ type: 'order.new', data: 1 }, 'strict')).status === 422,
      30_000,
      () => 'the archived type is still known',
    )
  })

  it('S1 takes unknown types again once the tenant says so', async () => {
    await strict({}, 2)
    await until(
      async () => (await publish({ type: 'order.newer', data: 1 }, 'strict')).status === 202,
      30_000,
      () => 'unknown types are still refused',
    )
  })
})
