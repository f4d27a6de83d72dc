import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { until } from '@posthorn/testkit'
import {
  decodeDelivery,
  decodePoison,
  DELIVERIES,
  encodeEvent,
  encodeWebhook,
  EVENTS,
  partitionFor,
  POISON,
  WEBHOOKS,
  type PoisonHead,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import { deliveryId, type Delivery, type Webhook, type WebhookEvent } from '@posthorn/webhook'
import { Partitioners, type Producer } from 'kafkajs'
import { TestRouter, WAIT_MS, webhookOf } from './test-router.js'

const PARTITIONS = 3

const router = new TestRouter(PARTITIONS)
const { connection, settings } = router

interface Routed {
  readonly delivery: Delivery
  readonly data: Buffer
}

const deliveries: Routed[] = []
const poison: { readonly head: PoisonHead; readonly body: Buffer }[] = []
let producer: Producer

async function produce(topic: TopicContract, ...records: TopicRecord[]): Promise<void> {
  const messages = records.map(({ key, value, headers }) => ({
    key,
    value,
    ...(headers ? { headers: { ...headers } } : {}),
  }))
  await producer.send({ topic: connection.topic(topic), messages })
}

function webhook(id: string, tenant: string, events: string[], extra: Partial<Webhook> = {}): Webhook {
  return webhookOf(id, tenant, { events, ...extra })
}

function event(id: string, type: string, extra: Partial<WebhookEvent> = {}): WebhookEvent {
  return {
    tenant: 'acme',
    id,
    source: '/tests',
    type,
    time: '2026-01-31T12:00:00Z',
    contenttype: 'application/json',
    ...extra,
  }
}

/** Deliveries of one event so far, by webhook. */
function webhooksOf(id: string): string[] {
  return deliveries
    .filter(({ delivery }) => delivery.event.id === id)
    .map(({ delivery }) => delivery.webhook)
    .sort()
}

/** One webhook for each partition of the deliveries, so that a last delivery passes each of them. */
const SENTINELS = Array.from({ length: PARTITIONS }, (_, partition) => {
  let n = 0
  while (partitionFor(`webhook_sentinel${n}`, PARTITIONS) !== partition) n++
  return `webhook_sentinel${n}`
})

/** Resolves once all deliveries of what was produced before have been read: a last event has passed every partition. */
async function routedAll(): Promise<void> {
  const ids = Array.from({ length: PARTITIONS }, () => randomBytes(6).toString('hex'))
  const messages = ids.map((id, partition) => {
    const { value, headers } = encodeEvent(event(id, 'sentinel.passed'), Buffer.from('0'))
    return { partition, value, headers: { ...headers } }
  })
  await producer.send({ topic: connection.topic(EVENTS), messages })
  await until(
    () => ids.every(id => webhooksOf(id).length === PARTITIONS),
    WAIT_MS,
    () => 'not every event has been routed',
  )
}

beforeAll(async () => {
  await router.open()
  producer = connection.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await produce(
    WEBHOOKS,
    ...[
      ...SENTINELS.map(id => webhook(id, 'acme', ['sentinel.passed'])),
      webhook('webhook_exact', 'acme', ['agent.created'], { version: 5 }),
      webhook('webhook_prefix', 'acme', ['agent.*', 'agent.created']),
      webhook('webhook_all', 'globex', ['*']),
      webhook('webhook_off', 'acme', ['agent.created'], { status: 'disabled' }),
      webhook('webhook_paused', 'acme', ['pause.test'], { status: 'paused' }),
      webhook('webhook_newer', 'acme', ['agent.created'], { filter: { data: [{ newer: 1 }] } }),
      webhook('webhook_orders', 'acme', ['order.paid']),
      webhook('webhook_amount', 'acme', ['order.*'], { filter: { data: { amount: [{ numeric: ['>=', 100] }] } } }),
      webhook('webhook_freebie', 'acme', ['*'], { filter: { data: { lines: { sku: ['a'], free: [true] } } } }),
      webhook('webhook_region', 'acme', ['order.paid'], { filter: { region: ['eu'], subject: [{ exists: false }] } }),
      webhook('webhook_default', 'default', ['default.test']),
    ].map(encodeWebhook),
  )
  await router.start(
    [
      DELIVERIES,
      value => {
        const read = decodeDelivery(value)
        if (read.kind === 'delivery') deliveries.push(read)
      },
    ],
    [
      POISON,
      value => {
        const read = decodePoison(value)
        if (read.kind === 'poison') poison.push(read)
      },
    ],
  )
}, 60_000)

afterAll(async () => {
  await Promise.all([router.stop(), producer?.disconnect()])
}, 30_000)

describe('router', () => {
  it('makes a delivery for each webhook whose patterns take the type', async () => {
    await produce(
      EVENTS,
      encodeEvent(event('types-1', 'agent.created'), Buffer.from('1')),
      encodeEvent(event('types-2', 'agent.error.fatal'), Buffer.from('1')),
      encodeEvent(event('types-3', 'agent'), Buffer.from('1')),
      encodeEvent(event('types-4', 'pause.test'), Buffer.from('1')),
    )
    await routedAll()
    expect(webhooksOf('types-1')).toEqual(['webhook_exact', 'webhook_prefix'])
    expect(webhooksOf('types-2')).toEqual(['webhook_prefix'])
    expect(webhooksOf('types-3')).toEqual([])
    expect(webhooksOf('types-4')).toEqual(['webhook_paused'])
    const { delivery } = deliveries.find(({ delivery }) => delivery.webhook === 'webhook_exact')!
    expect(delivery).toMatchObject({
      id: deliveryId(event('types-1', ''), 'webhook_exact'),
      webhookVersion: 5,
      tenant: 'acme',
      run: '0',
      attempt: 1,
      due: 0,
      spills: 0,
    })
    expect(Math.abs(delivery.acceptedAt - Date.now())).toBeLessThan(60_000)
  }, 30_000)

  it('sets events aside for a webhook whose filter it cannot read', async () => {
    await produce(EVENTS, encodeEvent(event('newer-1', 'agent.created'), Buffer.from('{"newer":1}')))
    const mine = () => poison.filter(({ body }) => body.includes('{"newer":1}'))
    await until(() => mine().length > 0, WAIT_MS)
    expect(mine().map(({ head }) => head.reason)).toEqual(['subscription_unreadable'])
    expect(mine()[0]!.head.detail).toContain('webhook_newer')
    await routedAll()
    expect(webhooksOf('newer-1')).toEqual(['webhook_exact', 'webhook_prefix'])
  }, 30_000)

  it('S3 delivers to a webhook only the events that its filter takes', async () => {
    await produce(
      EVENTS,
      encodeEvent(event('filter-1', 'order.paid'), Buffer.from('{"amount":150,"lines":[{"sku":"a","free":true}]}')),
      encodeEvent(event('filter-2', 'order.paid'), Buffer.from('{"amount":99.5,"lines":[{"sku":"b","free":false}]}')),
      encodeEvent(event('filter-3', 'order.paid', { extensions: { region: 'eu' } }), Buffer.from('{"amount":1}')),
      encodeEvent(event('filter-4', 'order.paid', { contenttype: 'text/plain' }), Buffer.from('{"amount":150}')),
      encodeEvent(
        event('filter-5', 'order.paid'),
        Buffer.from('{"amount":"150","lines":[{"sku":"a"},{"sku":"b","free":true}]}'),
      ),
    )
    await routedAll()
    expect(webhooksOf('filter-1')).toEqual(['webhook_amount', 'webhook_freebie', 'webhook_orders'])
    expect(webhooksOf('filter-2')).toEqual(['webhook_orders'])
    expect(webhooksOf('filter-3')).toEqual(['webhook_orders', 'webhook_region'])
    expect(webhooksOf('filter-4')).toEqual(['webhook_orders'])
    expect(webhooksOf('filter-5')).toEqual(['webhook_orders'])
  }, 30_000)

  it('S3 follows a filter that is changed', async () => {
    const one = async (data: string) => {
      const id = `changed-${randomBytes(4).toString('hex')}`
      await produce(EVENTS, encodeEvent(event(id, 'changed.test'), Buffer.from(data)))
      await routedAll()
      return webhooksOf(id)
    }
    const changing = (version: number, filter: object) =>
      encodeWebhook(webhook('webhook_changing', 'acme', ['changed.test'], { version, filter: { data: filter } }))
    await produce(WEBHOOKS, changing(1, { stage: ['a'] }))
    await until(async () => (await one('{"stage":"a"}')).length === 1, WAIT_MS)
    expect(await one('{"stage":"b"}')).toEqual([])
    await produce(WEBHOOKS, changing(2, { stage: [{ 'anything-but': 'a' }] }))
    await until(async () => (await one('{"stage":"b"}')).length === 1, WAIT_MS)
    expect(await one('{"stage":"a"}')).toEqual([])
  }, 40_000)

  it('keeps tenants apart', async () => {
    await produce(
      EVENTS,
      encodeEvent(event('tenant-1', 'agent.created', { tenant: 'globex' }), Buffer.from('1')),
      encodeEvent(event('tenant-2', 'anything.else', { tenant: 'globex' }), Buffer.from('1')),
      encodeEvent(event('tenant-3', 'agent.created', { tenant: 'nobody' }), Buffer.from('1')),
    )
    await routedAll()
    expect(webhooksOf('tenant-1')).toEqual(['webhook_all'])
    expect(webhooksOf('tenant-2')).toEqual(['webhook_all'])
    expect(webhooksOf('tenant-3')).toEqual([])
  }, 30_000)

  it('follows changes of webhooks', async () => {
    await produce(WEBHOOKS, encodeWebhook(webhook('webhook_late', 'acme', ['late.test'])))
    await until(async () => {
      const id = `late-${randomBytes(4).toString('hex')}`
      await produce(EVENTS, encodeEvent(event(id, 'late.test'), Buffer.from('1')))
      await routedAll()
      return webhooksOf(id).length === 1
    }, WAIT_MS)
    await produce(
      WEBHOOKS,
      encodeWebhook(webhook('webhook_late', 'acme', ['late.test'], { version: 2, status: 'deleted' })),
    )
    await until(async () => {
      const id = `late-${randomBytes(4).toString('hex')}`
      await produce(EVENTS, encodeEvent(event(id, 'late.test'), Buffer.from('1')))
      await routedAll()
      return webhooksOf(id).length === 0
    }, WAIT_MS)
  }, 40_000)

  it('gives an event that is published twice the same delivery ids', async () => {
    const record = encodeEvent(event('twice', 'agent.created'), Buffer.from('1'))
    await produce(EVENTS, record)
    await produce(EVENTS, record)
    await routedAll()
    const twice = deliveries.filter(({ delivery }) => delivery.event.id === 'twice')
    expect(twice).toHaveLength(4)
    expect(new Set(twice.map(({ delivery }) => delivery.id)).size).toBe(2)
  }, 30_000)

  it('undecodable: to poison with the reason, and the rest goes on', async () => {
    const others = () => poison.filter(({ head }) => head.reason !== 'subscription_unreadable')
    const before = others().length
    await produce(
      EVENTS,
      { key: Buffer.from('k'), value: Buffer.from('no event'), headers: { 'x-from': 'somewhere' } },
      { key: null, value: Buffer.from('{"a'), headers: { 'content-type': 'application/cloudevents+json' } },
      { key: null, value: null },
      encodeEvent(event('bad', 'not a type'), Buffer.from('1')),
      encodeEvent(event('big', 'agent.created'), Buffer.from(`"${'x'.repeat(settings.ingestMaxEventBytes - 1)}"`)),
      encodeEvent(event('good', 'agent.created'), Buffer.from('1')),
    )
    await routedAll()
    await until(
      () => others().length >= before + 5,
      WAIT_MS,
      () => `${others().length - before} records are in poison`,
    )
    const heads = others()
      .slice(before)
      .map(({ head }) => head)
    expect(heads.map(({ reason }) => reason).sort()).toEqual([
      'invalid_event',
      'too_large',
      'undecodable',
      'undecodable',
      'undecodable',
    ])
    expect(heads.find(({ reason }) => reason === 'invalid_event')!.pointers).toEqual(['/type'])
    const first = poison.find(({ head }) => head.key === 'k')!
    expect(first.head).toMatchObject({ topic: 'events.v1', headers: { 'x-from': 'somewhere' }, size: 8 })
    expect(first.body.toString()).toBe('no event')
    expect(webhooksOf('good')).toEqual(['webhook_exact', 'webhook_prefix'])
    expect(webhooksOf('bad').concat(webhooksOf('big'))).toEqual([])
  }, 30_000)

  it('reads both CloudEvents modes of any producer, and gives those without a tenant to the default one', async () => {
    const binary = { ce_specversion: '1.0', ce_id: 'mode-1', ce_source: '/tests', ce_type: 'default.test' }
    await produce(
      EVENTS,
      { key: null, value: Buffer.from([1, 2, 0xff]), headers: { ...binary, 'content-type': 'image/png' } },
      {
        key: null,
        value: Buffer.from(
          '{"specversion":"1.0","id":"mode-2","source":"/tests","type":"default.test","data": {"a": 1} }',
        ),
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      },
    )
    await routedAll()
    const [first, second] = ['mode-1', 'mode-2'].map(id => deliveries.find(({ delivery }) => delivery.event.id === id)!)
    expect(first!.delivery.event).toMatchObject({ tenant: 'default', contenttype: 'image/png' })
    expect([...first!.data]).toEqual([1, 2, 0xff])
    expect(second!.delivery.webhook).toBe('webhook_default')
    expect(second!.data.toString()).toBe('{"a": 1}')
  }, 30_000)

  it('keeps the exact bytes of the data', async () => {
    const texts = [
      '{ "odd" :\t[1 ,2 ],\n"n":12345678901234567890.10 , "far": 1e400 }',
      '"\\u00e9 é 😀 \\ud83d\\ude00"',
      '-0.0',
      `"${'y'.repeat(settings.ingestMaxEventBytes - 2)}"`,
    ]
    await produce(
      EVENTS,
      ...texts.map((text, i) => encodeEvent(event(`bytes-${i}`, 'agent.created'), Buffer.from(text))),
    )
    await routedAll()
    for (const [i, text] of texts.entries()) {
      const routed = deliveries.filter(({ delivery }) => delivery.event.id === `bytes-${i}`)
      expect(routed).toHaveLength(2)
      for (const { data } of routed) expect(data.equals(Buffer.from(text))).toBe(true)
    }
  }, 30_000)

  it('repeats nothing after a restart', async () => {
    await routedAll()
    const ids = Array.from({ length: 200 }, (_, i) => `restart-${i}`)
    await produce(EVENTS, ...ids.map(id => encodeEvent(event(id, 'agent.created'), Buffer.from('1'))))
    await routedAll()
    await router.stopService()
    const before = deliveries.length
    await produce(EVENTS, encodeEvent(event('while-away', 'agent.created'), Buffer.from('1')))
    await router.startService()
    await routedAll()
    expect(webhooksOf('while-away')).toEqual(['webhook_exact', 'webhook_prefix'])
    expect(ids.every(id => webhooksOf(id).length === 2)).toBe(true)
    expect(deliveries.length).toBe(before + 2 + PARTITIONS * PARTITIONS)
  }, 60_000)
})
