import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import {
  CATALOGUE,
  decodeDelivery,
  decodePoison,
  DELIVERIES,
  encodeEvent,
  encodeEventType,
  encodeTenant,
  encodeWebhook,
  EVENTS,
  eventTypeKey,
  POISON,
  TENANTS,
  WEBHOOKS,
  type EventTypeDocument,
  type PoisonHead,
} from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY } from '@posthorn/webhook'
import type { Consumer } from 'kafkajs'
import { routerService } from './service.js'

const WAIT_MS = 15_000
const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '1',
  POSTHORN_LOG_LEVEL: 'silent',
})
const logger = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'router-test'))
const producer = new SafeProducer(connection)
const delivered: string[] = []
const poison: PoisonHead[] = []
let reader: Consumer
let router: RunningService

const SCHEMA = {
  type: 'object',
  required: ['lines'],
  properties: { lines: { type: 'array', items: { required: ['sku'] } } },
}

function register(type: string, extra: Partial<EventTypeDocument>): Promise<unknown> {
  const tenant = extra.tenant === undefined ? 'acme' : extra.tenant
  const document: EventTypeDocument = {
    id: eventTypeKey(tenant, type),
    tenant,
    type,
    version: 1,
    status: 'active',
    mode: 'enforce',
    schemaVersion: 1,
    schema: SCHEMA,
    ...extra,
  }
  return producer.send(CATALOGUE, encodeEventType(document))
}

/** Straight to Kafka, as any producer may. */
async function produce(
  id: string,
  type: string,
  data: string,
  contenttype = 'application/json',
  tenant = 'acme',
): Promise<void> {
  const event = { tenant, id, source: '/tests', type, time: '2026-01-31T12:00:00Z', contenttype }
  await producer.send(EVENTS, encodeEvent(event, Buffer.from(data)))
}

const routed = (id: string) =>
  until(
    () => delivered.includes(id),
    WAIT_MS,
    () => `no delivery of ${id}`,
  )

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  await producer.connect()
  await register('order.paid', {})
  await register('order.warned', { mode: 'warn' })
  await register('order.wide', { tenant: null })
  await register('order.mine', { tenant: null })
  await register('order.mine', { mode: 'off' })
  await register('order.future', { schema: { $schema: 'https://json-schema.org/draft/2040-01/schema' } })
  await register('order.known', { tenant: 'strict', mode: 'off' })
  await register('order.old', { tenant: 'strict', mode: 'off', status: 'deprecated' })
  await register('order.archived', { tenant: 'strict', mode: 'off', status: 'archived' })
  await register('order.removed', { tenant: 'strict', mode: 'off', status: 'archived' })
  await register('order.removed', { tenant: null, mode: 'off' })
  await producer.send(
    TENANTS,
    encodeTenant({ id: 'strict', version: 1, status: 'active', unknownEventTypes: 'refuse' }),
  )
  const webhook = {
    version: 1,
    status: 'active',
    url: 'http://127.0.0.1:1/',
    method: 'POST',
    events: ['*'],
    format: 'standard',
    sealedSecrets: [],
    retryPolicy: DEFAULT_RETRY_POLICY,
  } as const
  for (const tenant of ['acme', 'strict'])
    await producer.send(WEBHOOKS, encodeWebhook({ id: `webhook_${tenant}`, tenant, ...webhook }))
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await reader.connect()
  await reader.subscribe({ topics: [DELIVERIES, POISON].map(one => connection.topic(one)), fromBeginning: true })
  await reader.run({
    eachMessage: async ({ topic, message }) => {
      if (topic === connection.topic(DELIVERIES)) {
        const read = decodeDelivery(message.value)
        if (read.kind === 'delivery') delivered.push(read.delivery.event.id)
        return
      }
      const read = decodePoison(message.value)
      if (read.kind === 'poison') poison.push(read.head)
    },
  })
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  router = await routerService.start({ settings, logger, health, fatal })
}, 60_000)

afterAll(async () => {
  await router?.stop()
  await Promise.all([producer.close(), reader?.disconnect()])
}, 30_000)

// No database is there at all: the router knows the types by catalogue.v1 alone.
describe('S7 the router enforces the schemas of event types', () => {
  it('S7 an event that does not fit goes to poison with the JSON Pointers of its faults, and the next goes on', async () => {
    await produce('unfit', 'order.paid', '{"lines":[{"sku":1},{}]}')
    await produce('fit', 'order.paid', '{"lines":[{"sku":1}]}')
    await routed('fit')
    await until(
      () => poison.length > 0,
      WAIT_MS,
      () => 'nothing is in the poison topic',
    )
    expect(poison).toEqual([
      expect.objectContaining({
        topic: 'events.v1',
        reason: 'schema_mismatch',
        pointers: ['/data/lines/1/sku'],
        detail: '/data/lines/1/sku is required',
      }),
    ])
    expect(delivered).not.toContain('unfit')
  })

  it('S7 what is only warned of, switched off by the tenant, or not to be read by this version, is delivered', async () => {
    for (const type of ['order.warned', 'order.mine', 'order.future', 'order.unknown']) await produce(type, type, '{}')
    await Promise.all(['order.warned', 'order.mine', 'order.future', 'order.unknown'].map(routed))
  })

  it('S7 a type of the platform holds for every tenant, and for data that is no JSON', async () => {
    poison.length = 0
    await produce('wide-unfit', 'order.wide', '{}')
    await produce('wide-text', 'order.wide', 'hello', 'text/plain')
    await until(
      () => poison.length === 2,
      WAIT_MS,
      () => `${poison.length} records are in the poison topic`,
    )
    expect(poison.map(({ pointers }) => pointers)).toEqual([['/data/lines'], ['/datacontenttype']])
  })

  it('S7 a change takes effect while events flow', async () => {
    await register('order.paid', { version: 2, mode: 'off' })
    let sent = 0
    await until(
      async () => {
        await produce(`later-${++sent}`, 'order.paid', '{}')
        return delivered.some(id => id.startsWith('later-'))
      },
      WAIT_MS,
      () => `none of ${sent} events was delivered`,
    )
  })

  it('S1 a tenant that takes types of its catalogue alone: others go to poison with their place', async () => {
    poison.length = 0
    const json = 'application/json'
    const known = ['order.known', 'order.old', 'order.removed', 'agent.created']
    for (const type of ['order.other', 'order.archived', ...known])
      await produce(`s-${type}`, type, '{}', json, 'strict')
    await Promise.all(known.map(type => routed(`s-${type}`)))
    await until(
      () => poison.length === 2,
      WAIT_MS,
      () => `${poison.length} records are in the poison topic`,
    )
    for (const { reason, pointers } of poison) expect([reason, pointers]).toEqual(['event_type_unknown', ['/type']])
    await register('order.other', { tenant: 'strict', mode: 'off' })
    let sent = 0
    await until(
      async () => {
        await produce(`known-${++sent}`, 'order.other', '{}', json, 'strict')
        return delivered.some(id => id.startsWith('known-'))
      },
      WAIT_MS,
      () => `none of ${sent} events of the type was delivered once it was registered`,
    )
  })
})
