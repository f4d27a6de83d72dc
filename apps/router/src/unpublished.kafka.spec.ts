import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { until } from '@posthorn/testkit'
import {
  decodeDelivery,
  decodePoison,
  DELIVERIES,
  encodeEvent,
  encodeEventType,
  encodeMark,
  encodeWebhook,
  EVENTS,
  CATALOGUE,
  POISON,
  WEBHOOKS,
} from '@posthorn/topics'
import { TestRouter, WAIT_MS, webhookOf } from './test-router.js'

const router = new TestRouter(2)
const { producer, health } = router
const delivered: string[] = []
const poisoned: string[] = []

function publish(id: string, type: string) {
  const event = { tenant: 'acme', id, source: '/tests', type, time: '2026-01-31T12:00:00Z' }
  return producer.send(EVENTS, encodeEvent({ ...event, contenttype: 'application/json' }, Buffer.from('{}')))
}

beforeAll(async () => {
  await router.open()
  health.markStarted()
  await router.start(
    [
      POISON,
      value => {
        const read = decodePoison(value)
        if (read.kind === 'poison') poisoned.push(read.head.reason)
      },
    ],
    [
      DELIVERIES,
      value => {
        const read = decodeDelivery(value)
        if (read.kind === 'delivery') delivered.push(`${read.delivery.event.id} ${read.delivery.webhook}`)
      },
    ],
  )
}, 60_000)

afterAll(() => router.stop(), 30_000)

describe('a router on a cluster to which the registry has not published yet', () => {
  it('routes nothing and says why, until all webhooks and schemas are there; then nothing has passed them by', async () => {
    const held = () => health.notReady()['router.tables']
    await publish('early', 'a.b')
    await until(() => health.notReady()['router.consumer'] === undefined, WAIT_MS)
    expect(held()).toContain('waits for the registry')
    for (const topic of [CATALOGUE, WEBHOOKS]) await producer.send(topic, encodeMark('publishing'))
    await producer.send(WEBHOOKS, encodeWebhook(webhookOf('webhook_first', 'acme')))
    await publish('between', 'a.b')
    await publish('misfit', 'strict.type')
    await producer.send(
      CATALOGUE,
      encodeEventType({
        ...{ id: 'type_1', tenant: 'acme', type: 'strict.type', version: 1, status: 'active', mode: 'enforce' },
        schemaVersion: 1,
        schema: { type: 'object', required: ['agent'] },
      }),
    )
    await producer.send(WEBHOOKS, encodeWebhook(webhookOf('webhook_second', 'acme')))
    expect([delivered, poisoned]).toEqual([[], []])
    for (const topic of [CATALOGUE, WEBHOOKS]) await producer.send(topic, encodeMark('published'))
    await until(
      () => delivered.length === 4 && poisoned.length === 1,
      WAIT_MS,
      () => `delivered: ${delivered.join()}; poisoned: ${poisoned.length}`,
    )
    const both = (id: string) => [`${id} webhook_first`, `${id} webhook_second`]
    expect([...delivered].sort()).toEqual([...both('between'), ...both('early')])
    expect(held()).toBeUndefined()
  }, 60_000)
})
