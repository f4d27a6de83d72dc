import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
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
import { DEFAULT_RETRY_POLICY, type Webhook } from '@posthorn/webhook'
import type { Consumer } from 'kafkajs'
import { routerService } from './service.js'

const WAIT_MS = 15_000
const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '2',
  POSTHORN_LOG_LEVEL: 'silent',
})
const logger = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'router-test'))
const producer = new SafeProducer(connection)
const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
const delivered: string[] = []
const poisoned: string[] = []
let reader: Consumer
let router: RunningService

const webhook = (id: string): Webhook => ({
  id,
  tenant: 'acme',
  version: 1,
  status: 'active',
  url: 'http://127.0.0.1:1/',
  method: 'POST',
  events: ['*'],
  format: 'standard',
  sealedSecrets: [],
  retryPolicy: DEFAULT_RETRY_POLICY,
})

function publish(id: string, type: string) {
  const event = { tenant: 'acme', id, source: '/tests', type, time: '2026-01-31T12:00:00Z' }
  return producer.send(EVENTS, encodeEvent({ ...event, contenttype: 'application/json' }, Buffer.from('{}')))
}

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  await producer.connect()
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await reader.connect()
  await reader.subscribe({ topics: [DELIVERIES, POISON].map(one => connection.topic(one)), fromBeginning: true })
  await reader.run({
    eachMessage: async ({ topic, message }) => {
      if (topic === connection.topic(POISON)) {
        const read = decodePoison(message.value)
        if (read.kind === 'poison') poisoned.push(read.head.reason)
        return
      }
      const read = decodeDelivery(message.value)
      if (read.kind === 'delivery') delivered.push(`${read.delivery.event.id} ${read.delivery.webhook}`)
    },
  })
  health.markStarted()
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

describe('a router on a cluster to which the registry has not published yet', () => {
  it('routes nothing and says why, until all webhooks and schemas are there; then nothing has passed them by', async () => {
    const held = () => health.notReady()['router.tables']
    await publish('early', 'a.b')
    await until(() => health.notReady()['router.consumer'] === undefined, WAIT_MS)
    expect(held()).toContain('waits for the registry')
    for (const topic of [CATALOGUE, WEBHOOKS]) await producer.send(topic, encodeMark('publishing'))
    await producer.send(WEBHOOKS, encodeWebhook(webhook('webhook_first')))
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
    await producer.send(WEBHOOKS, encodeWebhook(webhook('webhook_second')))
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
