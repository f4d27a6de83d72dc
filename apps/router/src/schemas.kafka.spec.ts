import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { until } from '@posthorn/testkit'
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
import { TestRouter, WAIT_MS, webhookOf } from './test-router.js'

const router = new TestRouter(1)
const { producer } = router
const delivered: string[] = []
const poison: PoisonHead[] = []

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
  await router.open()
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
  for (const tenant of ['acme', 'strict'])
    await producer.send(WEBHOOKS, encodeWebhook(webhookOf(`webhook_${tenant}`, tenant)))
  await router.start(
    [
      DELIVERIES,
      value => {
        const read = decodeDelivery(value)
        if (read.kind === 'delivery') delivered.push(read.delivery.event.id)
      },
    ],
    [
      POISON,
      value => {
        const read = decodePoison(value)
        if (read.kind === 'poison') poison.push(read.head)
      },
    ],
  )
}, 60_000)

afterAll(() => router.stop(), 30_000)

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
