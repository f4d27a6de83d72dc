import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  commitPositions,
  createTopics,
  KafkaConnection,
  kafkaOptionsFrom,
  planTopics,
  readOldestUnfinished,
  readUnderReplicated,
  SafeProducer,
} from '@posthorn/kafka'
import { readSettings } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import {
  ALL_GROUPS,
  ALL_TOPICS,
  DAY_MS,
  DELAYS,
  DELIVERER_GROUP,
  DELIVERIES,
  encodeParked,
  encodeUnparked,
  EVENTS,
  groupName,
  MONITOR_GROUP,
  RETRY_SCHEDULER_GROUP,
  ROUTER_GROUP,
  WEBHOOK_STATE,
  type ConsumerGroup,
  type TopicContract,
} from '@posthorn/topics'
import { builtInRules } from '@posthorn/webhook'
import { AlertsInLog } from './alerts-in-log.js'
import { ParkedWebhooks } from './parked-webhooks.js'
import type { TopicAge } from './retention-metrics.js'
import { KafkaWatch } from './watch-kafka.js'

const WAIT_MS = 30_000
const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '2',
})
const connection = new KafkaConnection(kafkaOptionsFrom(settings, createLogger('silent', 'test'), 'retention-test'))
const producer = new SafeProducer(connection)
const faults: Error[] = []
const parked = new ParkedWebhooks(connection, error => void faults.push(error))

let later = 0
let lines: { readonly level: string; readonly alert?: string; readonly [field: string]: unknown }[] = []
let ages: readonly TopicAge[] = []
let parkedUsed: number | undefined

/** What it finds goes through the rules to the log, as with the database away. */
function aWatch(): { readonly look: () => Promise<void>; readonly readings: KafkaWatch['readings'] } {
  const line = (level: string) => (fields: object, msg: string) => void lines.push({ level, msg, ...fields })
  const now = () => Date.now() + later
  const watch = new KafkaWatch({
    read: () => readOldestUnfinished(connection, ALL_GROUPS),
    underReplicated: () => readUnderReplicated(connection, ALL_TOPICS),
    parked: () => parked.oldest(),
    now,
    everySeconds: 60,
    metrics: { found: (found, used) => ([ages, parkedUsed] = [found, used]) },
    logger: { warn: line('warn') } as ConstructorParameters<typeof KafkaWatch>[0]['logger'],
  })
  const logger = { error: line('error'), info: line('info') } as ConstructorParameters<typeof AlertsInLog>[1]
  const quiet = { retries_overdue: { enabled: false }, consumer_stuck: { enabled: false } }
  const log = new AlertsInLog(builtInRules({ successRate: 0.9, windowSeconds: 600, rules: quiet }), logger)
  const look = async () => {
    await watch.look()
    log.look(watch.readings(), now())
  }
  return { look, readings: () => watch.readings() }
}

const finish = (group: ConsumerGroup, topic: TopicContract, offset: number) =>
  commitPositions(connection, groupName(connection.prefix, group), [
    { topic: connection.topic(topic), partition: 0, offset },
  ])
const ageOf = (group: ConsumerGroup, topic: TopicContract) =>
  ages.find(one => one.group === group.name && one.topic === topic.name)

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  await producer.connect()
  await parked.start()
}, 60_000)

beforeEach(() => {
  later = 0
  lines = []
})

afterAll(async () => {
  await parked.stop()
  await producer.close()
  await connection.withAdmin(async admin => {
    const topics = (await admin.listTopics()).filter(name => name.startsWith(connection.prefix))
    await admin.deleteTopics({ topics })
  })
  expect(faults).toEqual([])
}, 30_000)

describe('KafkaWatch', () => {
  it('tells once of each group that is behind by over half of the retention, and when it no longer is', async () => {
    const watch = aWatch()
    await producer.send(EVENTS, { key: null, value: Buffer.from('x') }, { partition: 0 })
    await watch.look()
    expect(lines).toEqual([])
    expect(ageOf(ROUTER_GROUP, EVENTS)!.used).toBeLessThan(0.01)
    later = 3.4 * DAY_MS
    await watch.look()
    expect(lines).toEqual([])
    expect(ageOf(ROUTER_GROUP, EVENTS)!.used).toBeCloseTo(3.4 / 7, 2)
    expect(ageOf(ROUTER_GROUP, EVENTS)!.seconds).toBeGreaterThanOrEqual((3.4 * DAY_MS) / 1000)
    expect(ageOf(DELIVERER_GROUP, DELIVERIES)).toMatchObject({ seconds: 0, used: 0 })
    later = 3.6 * DAY_MS
    await watch.look()
    await watch.look()
    expect(lines.map(({ level, alert, group, topic }) => [level, alert, group, topic])).toEqual([
      ['error', 'retention_half_used', 'router', 'events.v1'],
      ['error', 'retention_half_used', 'monitor', 'events.v1'],
    ])
    // Back under half, and not yet under the lower bound: nothing new either way.
    later = 3.2 * DAY_MS
    await watch.look()
    later = 3.6 * DAY_MS
    await watch.look()
    expect(lines).toHaveLength(2)
    await finish(ROUTER_GROUP, EVENTS, 1)
    await finish(MONITOR_GROUP, EVENTS, 1)
    await watch.look()
    await watch.look()
    expect(lines.slice(2).map(({ level, alert, group }) => [level, alert, group])).toEqual([
      ['info', 'retention_half_used', 'router'],
      ['info', 'retention_half_used', 'monitor'],
    ])
    expect(ageOf(ROUTER_GROUP, EVENTS)!.used).toBe(0)
  }, 60_000)

  it('names a webhook whose oldest parked record is older than half of that', async () => {
    const watch = aWatch()
    const place = { version: 1, partition: 0, next: 0, left: [], tried: [], due: 0 }
    const now = Date.now()
    const park = (webhook: string, key: string | undefined, since: number) =>
      producer.send(WEBHOOK_STATE, encodeParked({ ...place, webhook, ...(key === undefined ? {} : { key }), since }))
    await park('webhook_ordered', 'young', now)
    await park('webhook_ordered', 'old', now - 6 * DAY_MS)
    await park('webhook_paused', undefined, now - 5 * DAY_MS)
    await until(() => parked.oldest().size === 2, WAIT_MS)
    await watch.look()
    expect(parkedUsed).toBeCloseTo(6 / 14, 2)
    expect(lines).toEqual([])
    later = 1.1 * DAY_MS
    await watch.look()
    await watch.look()
    expect(lines.map(({ level, alert, webhook }) => [level, alert, webhook])).toEqual([
      ['error', 'parked_half_used', 'webhook_ordered'],
    ])
    expect(String(lines[0]!.msg)).not.toContain('young')
    await producer.send(WEBHOOK_STATE, encodeUnparked({ webhook: 'webhook_ordered', key: 'old' }))
    await until(() => parked.oldest().get('webhook_ordered')!.since === now, WAIT_MS)
    await watch.look()
    expect(lines.slice(1).map(({ level, webhook }) => [level, webhook])).toEqual([['info', 'webhook_ordered']])
    expect(parkedUsed).toBeCloseTo(6.1 / 14, 2)
  }, 60_000)

  it('knows which retries are overdue, and which group stands still although records wait', async () => {
    const watch = aWatch()
    const value = Buffer.from('x')
    const sentAt = Date.now()
    await producer.send(DELAYS['30s'], { key: null, value }, { partition: 1 })
    await producer.send(DELIVERIES, { key: null, value }, { partition: 1 })
    await producer.send(DELIVERIES, { key: null, value }, { partition: 1 })
    await watch.look()
    expect(watch.readings().retries_overdue).toEqual([])
    later = 95_000
    await watch.look()
    const [retry] = watch.readings().retries_overdue!
    expect(retry).toMatchObject({ subject: 'delay.30s.v1', details: { topic: 'delay.30s.v1' } })
    expect(retry!.value).toBeGreaterThanOrEqual(65)
    expect(retry!.value).toBeLessThan(66 + (Date.now() - sentAt) / 1000)
    const stuckOn = () => watch.readings().consumer_stuck!.find(({ subject }) => subject === 'deliverer deliveries.v1')
    expect(stuckOn()).toMatchObject({ details: { partition: 1, lag: 2 } })
    expect(stuckOn()!.value).toBeGreaterThanOrEqual(95)
    // One of two is finished: it moves.
    await commitPositions(connection, groupName(connection.prefix, DELIVERER_GROUP), [
      { topic: connection.topic(DELIVERIES), partition: 1, offset: 1 },
    ])
    await watch.look()
    expect(stuckOn()!.value).toBe(0)
    await commitPositions(connection, groupName(connection.prefix, RETRY_SCHEDULER_GROUP), [
      { topic: connection.topic(DELAYS['30s']), partition: 1, offset: 1 },
    ])
    await commitPositions(connection, groupName(connection.prefix, DELIVERER_GROUP), [
      { topic: connection.topic(DELIVERIES), partition: 1, offset: 2 },
    ])
    await watch.look()
    expect([watch.readings().retries_overdue, stuckOn()]).toEqual([[], undefined])
    expect(watch.readings().under_replicated).toEqual([])
    later = 95_000 + 181_000
    expect(watch.readings()).toEqual({})
  }, 60_000)
})
