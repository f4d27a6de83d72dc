import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type ServiceContext } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import { decodeDelivery, decodePoison, DELAYS, DUE, encodeDelivery, partitionFor, POISON } from '@posthorn/topics'
import { LIVE_RUN, tierFor, type Delivery } from '@posthorn/webhook'
import type { Consumer } from 'kafkajs'
import { retrySchedulerService } from './service.js'

const PARTITIONS = 2
const WAIT_MS = 30_000

const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: String(PARTITIONS),
  POSTHORN_LOG_LEVEL: 'silent',
})
const logger = createLogger(settings.logLevel, 'retry-scheduler.kafka.spec')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'retry-scheduler-test'))
const producer = new SafeProducer(connection)
const fatal: Error[] = []

interface Arrival {
  readonly delivery: Delivery
  readonly partition: number
  /** The broker's append time; broker and scheduler share this machine's clock. */
  readonly at: number
}

const arrivals = new Map<string, Arrival[]>()
/** When a retry was known to be on its delay topic; one that was due before that is not late for it. */
const written = new Map<string, number>()
const poisoned: number[] = []
const running = new Set<RunningService>()
let reader: Consumer

async function startScheduler(): Promise<RunningService> {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const context: ServiceContext = { settings, logger, health, fatal: error => fatal.push(error) }
  const service = await retrySchedulerService.start(context)
  running.add(service)
  return service
}

async function stop(service: RunningService): Promise<void> {
  running.delete(service)
  await service.stop()
}

/** Writes retries as a deliverer does, due within `spreadMs`; resolves with their due times when all are acknowledged. */
async function writeRetries(name: string, count: number, spreadMs: number): Promise<Map<string, number>> {
  const due = new Map<string, number>()
  const sends = Array.from({ length: count }, (_, i) => {
    const now = Date.now()
    const delivery = retry(`${name}-${i}`, now + Math.floor(Math.random() * spreadMs))
    due.set(delivery.id, delivery.due)
    const record = encodeDelivery(delivery, Buffer.from(`"${i}"`))
    return producer
      .send(DELAYS[tierFor(delivery.due - now).name], record)
      .then(() => written.set(delivery.id, Date.now()))
  })
  await Promise.all(sends)
  return due
}

function retry(id: string, due: number): Delivery {
  const event = {
    tenant: 't',
    id,
    source: '/',
    type: 'a',
    time: '2026-01-31T12:00:00Z',
    contenttype: 'application/json',
  }
  const rest = { webhookVersion: 1, tenant: 't', run: LIVE_RUN, attempt: 2, acceptedAt: due, spills: 0 }
  return { id, webhook: `webhook_${id.length}${id.at(-1)}`, due, event, origin: { partition: 0, offset: 0 }, ...rest }
}

const allArrived = (due: ReadonlyMap<string, number>) =>
  until(
    () => [...due.keys()].every(id => arrivals.has(id)),
    WAIT_MS,
    () => `${[...due.keys()].filter(id => !arrivals.has(id)).length} of ${due.size} retries are missing`,
  )

/** Checks that no retry arrived before its time; gives the lateness of every arrival in ms, sorted. */
function noneEarly(due: ReadonlyMap<string, number>): number[] {
  const all = [...due].flatMap(([id, time]) => arrivals.get(id)!.map(({ at }) => ({ id, time, at })))
  expect(Math.min(...all.map(({ at, time }) => at - time))).toBeGreaterThanOrEqual(0)
  return all.map(({ id, time, at }) => at - Math.max(time, written.get(id)!)).sort((a, b) => a - b)
}

/** Everything received is committed: what a restart would read again is nothing. */
async function allCommitted(): Promise<boolean> {
  const admin = connection.kafka.admin()
  await admin.connect()
  try {
    for (const topic of Object.values(DELAYS).map(contract => connection.topic(contract))) {
      const ends = await admin.fetchTopicOffsets(topic)
      const [group] = await admin.fetchOffsets({ groupId: `${connection.prefix}retry-scheduler`, topics: [topic] })
      for (const { partition, high } of ends) {
        const committed = group!.partitions.find(one => one.partition === partition)?.offset ?? '-1'
        if (Math.max(0, Number(committed)) !== Number(high)) return false
      }
    }
    return true
  } finally {
    await admin.disconnect()
  }
}

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await Promise.all([producer.connect(), reader.connect()])
  await reader.subscribe({ topics: [connection.topic(DUE), connection.topic(POISON)], fromBeginning: true })
  await reader.run({
    eachMessage: async ({ topic, partition, message }) => {
      if (topic === connection.topic(POISON)) {
        const read = decodePoison(message.value)
        if (read.kind === 'poison') poisoned.push(read.head.offset)
        return
      }
      const read = decodeDelivery(message.value)
      if (read.kind !== 'delivery') throw new Error(read.kind)
      const { delivery } = read
      const earlier = arrivals.get(delivery.id) ?? []
      arrivals.set(delivery.id, [...earlier, { delivery, partition, at: Number(message.timestamp) }])
    },
  })
}, 60_000)

afterEach(async () => {
  for (const service of running) await stop(service)
}, 30_000)

afterAll(async () => {
  await reader?.disconnect()
  await producer.close()
}, 30_000)

describe('retry-scheduler', () => {
  it('S5 sends each of 300 retries once, and none early', async () => {
    await startScheduler()
    const due = await writeRetries('exact', 300, 12_000)
    await allArrived(due)
    const lateness = noneEarly(due)
    expect(lateness).toHaveLength(300)
    const p = (share: number) => lateness[Math.ceil(lateness.length * share) - 1]!
    process.stderr.write(`300 retries: late by p50 ${p(0.5)} ms, p99 ${p(0.99)} ms, max ${p(1)} ms\n`)
    for (const [{ delivery, partition }] of [...arrivals.values()] as [Arrival][])
      expect(partition).toBe(partitionFor(delivery.webhook, PARTITIONS))
    await until(allCommitted, WAIT_MS, () => 'not everything is committed')
  }, 60_000)

  it('S5 loses none when it stops and starts again in the middle, and repeats none after an orderly stop', async () => {
    const first = await startScheduler()
    const due = await writeRetries('restart', 200, 8_000)
    await until(() => [...due.keys()].filter(id => arrivals.has(id)).length > 50, WAIT_MS)
    await stop(first)
    await startScheduler()
    await allArrived(due)
    expect(noneEarly(due)).toHaveLength(200)
    await until(allCommitted, WAIT_MS, () => 'not everything is committed')
  }, 60_000)

  it('S5 loses none when a second one joins and the first leaves in the middle', async () => {
    const first = await startScheduler()
    const due = await writeRetries('handover', 200, 10_000)
    const second = await startScheduler()
    await until(() => [...due.keys()].filter(id => arrivals.has(id)).length > 80, WAIT_MS)
    await stop(first)
    await allArrived(due)
    const repeated = noneEarly(due).length - 200
    process.stderr.write(`handover: ${repeated} of 200 retries came twice\n`)
    await until(allCommitted, WAIT_MS, () => 'not everything is committed')
    await stop(second)
  }, 60_000)

  it('sets aside what it cannot read and goes on', async () => {
    await startScheduler()
    const bad = await producer.send(DELAYS['0s'], { key: Buffer.from('k'), value: Buffer.from('\x01no frame') })
    const due = await writeRetries('after', 5, 100)
    await allArrived(due)
    await until(
      () => poisoned.includes(bad.offset),
      WAIT_MS,
      () => 'the bad record is not in poison',
    )
    await until(allCommitted, WAIT_MS, () => 'not everything is committed')
    expect(fatal).toEqual([])
  }, 60_000)

  it('ends the process for a frame of a newer version, and does not commit past it', async () => {
    await startScheduler()
    await producer.send(DELAYS['0s'], { key: Buffer.from('k'), value: Buffer.from([2, 0, 0, 0, 0]) })
    await until(
      () => fatal.length > 0,
      WAIT_MS,
      () => 'the newer frame was not noticed',
    )
    expect(fatal[0]!.message).toContain('frame version 2')
    expect(await allCommitted()).toBe(false)
  }, 60_000)
})
