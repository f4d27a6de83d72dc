import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
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
import { DEFAULT_RETRY_POLICY } from '@posthorn/webhook'
import type { Consumer } from 'kafkajs'
import { routerService } from './service.js'

const WAIT_MS = 15_000
const QUOTA = 5
const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '2',
  POSTHORN_LOG_LEVEL: 'silent',
})
const logger = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'router-test'))
const producer = new SafeProducer(connection)
/** Ids of the events delivered, by topic. */
const delivered = { fresh: [] as string[], bulk: [] as string[] }
let reader: Consumer
let router: RunningService

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

const of = (name: string, lane: 'fresh' | 'bulk') => delivered[lane].filter(id => id.startsWith(`${name}-`))

async function deliveredAll(name: string, count: number): Promise<void> {
  const came = () => of(name, 'fresh').length + of(name, 'bulk').length
  await until(
    () => came() >= count,
    WAIT_MS,
    () => `${came()} of ${count} are delivered`,
  )
}

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  await producer.connect()
  for (const tenant of ['busy', 'calm']) {
    const webhook = {
      id: `webhook_${tenant}`,
      tenant,
      version: 1,
      status: 'active',
      url: 'http://127.0.0.1:1/',
      method: 'POST',
      events: ['*'],
      format: 'standard',
      sealedSecrets: [],
      retryPolicy: DEFAULT_RETRY_POLICY,
    } as const
    await producer.send(WEBHOOKS, encodeWebhook(webhook))
  }
  await producer.send(TENANTS, encodeTenant({ id: 'busy', version: 1, status: 'active', eventsPerSecond: QUOTA }))
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await reader.connect()
  await reader.subscribe({ topics: [DELIVERIES, BULK].map(one => connection.topic(one)), fromBeginning: true })
  await reader.run({
    eachMessage: async ({ topic, message }) => {
      const read = decodeDelivery(message.value)
      if (read.kind !== 'delivery') throw new Error(`${topic} has a record that is no delivery`)
      delivered[topic === connection.topic(BULK) ? 'bulk' : 'fresh'].push(read.delivery.event.id)
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
  await reader?.disconnect()
  await producer.close()
}, 30_000)

describe('events above the quota of their tenant', () => {
  it('go through bulk.v1, all of them, and the other tenants do not notice', async () => {
    await Promise.all([produce('busy', 'many', 60), produce('calm', 'other', 60)])
    await Promise.all([deliveredAll('many', 60), deliveredAll('other', 60)])
    // What is produced at once may be accepted in two seconds, seldom in more.
    expect(of('many', 'fresh').length).toBeGreaterThanOrEqual(QUOTA)
    expect(of('many', 'bulk').length).toBeGreaterThanOrEqual(60 - 3 * QUOTA)
    expect(new Set([...of('many', 'fresh'), ...of('many', 'bulk')]).size).toBe(60)
    expect(of('other', 'fresh')).toHaveLength(60)
  }, 30_000)

  it('are above it no more once it is lifted', async () => {
    await producer.send(TENANTS, encodeTenant({ id: 'busy', version: 2, status: 'active' }))
    let wave = 0
    await until(async () => {
      const name = `lifted${wave++}`
      await produce('busy', name, 20)
      await deliveredAll(name, 20)
      return of(name, 'bulk').length === 0
    }, WAIT_MS)
  }, 30_000)
})
