import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { until } from '@posthorn/testkit'
import {
  BULK,
  decodeDelivery,
  DELIVERIES,
  encodeEvent,
  encodeTenant,
  encodeWebhook,
  EVENTS,
  TENANTS,
  WEBHOOKS,
} from '@posthorn/topics'
import { TestRouter, WAIT_MS, webhookOf } from './test-router.js'

const QUOTA = 5
const router = new TestRouter(2)
const { producer } = router
interface Delivered {
  readonly id: string
  readonly acceptedAt: number
}
/** Events delivered, by topic. */
const delivered = { fresh: [] as Delivered[], bulk: [] as Delivered[] }

async function produce(tenant: string, name: string, count: number): Promise<void> {
  const eventOf = (n: number) => ({
    tenant,
    id: `${name}-${n}`,
    source: '/tests',
    type: 'a.b',
    time: '2026-01-31T12:00:00Z',
  })
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      producer.send(EVENTS, encodeEvent({ ...eventOf(n), contenttype: 'application/json' }, Buffer.from(`${n}`))),
    ),
  )
}

const of = (name: string, lane: 'fresh' | 'bulk') => delivered[lane].filter(({ id }) => id.startsWith(`${name}-`))

async function deliveredAll(name: string, count: number): Promise<void> {
  const came = () => of(name, 'fresh').length + of(name, 'bulk').length
  await until(
    () => came() >= count,
    WAIT_MS,
    () => `${came()} of ${count} are delivered`,
  )
}

function perSecond(events: readonly Delivered[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const { acceptedAt } of events) {
    const second = Math.floor(acceptedAt / 1000)
    counts.set(second, (counts.get(second) ?? 0) + 1)
  }
  return counts
}

const read = (lane: 'fresh' | 'bulk') => (value: Buffer | null) => {
  const found = decodeDelivery(value)
  if (found.kind !== 'delivery') throw new Error(`a record of ${lane} is no delivery`)
  const { event, acceptedAt } = found.delivery
  delivered[lane].push({ id: event.id, acceptedAt })
}

beforeAll(async () => {
  await router.open()
  for (const tenant of ['busy', 'calm'])
    await producer.send(WEBHOOKS, encodeWebhook(webhookOf(`webhook_${tenant}`, tenant)))
  await producer.send(TENANTS, encodeTenant({ id: 'busy', version: 1, status: 'active', eventsPerSecond: QUOTA }))
  await router.start([DELIVERIES, read('fresh')], [BULK, read('bulk')])
}, 60_000)

afterAll(() => router.stop(), 30_000)

describe('events above the quota of their tenant', () => {
  it('go through bulk.v1, all of them, and the other tenants do not notice', async () => {
    await Promise.all([produce('busy', 'many', 60), produce('calm', 'other', 60)])
    await Promise.all([deliveredAll('many', 60), deliveredAll('other', 60)])
    const all = [...of('many', 'fresh'), ...of('many', 'bulk')]
    expect(new Set(all.map(({ id }) => id)).size).toBe(60)
    // What is produced at once may be accepted in two seconds, or in more.
    const [accepted, fresh] = [perSecond(all), perSecond(of('many', 'fresh'))]
    for (const [second, count] of accepted) expect(fresh.get(second)).toBe(Math.min(count, QUOTA))
    expect(Math.max(...accepted.values())).toBeGreaterThan(QUOTA)
    expect(of('other', 'fresh')).toHaveLength(60)
  }, 60_000)

  it('are above it no more once it is lifted', async () => {
    await producer.send(TENANTS, encodeTenant({ id: 'busy', version: 2, status: 'active' }))
    let wave = 0
    await until(async () => {
      const name = `lifted${wave++}`
      await produce('busy', name, 20)
      await deliveredAll(name, 20)
      return of(name, 'bulk').length === 0
    }, WAIT_MS)
  }, 60_000)
})
