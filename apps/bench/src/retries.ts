import { setTimeout as sleep } from 'node:timers/promises'
import { ATTEMPTS, decodeAttempt, DELAYS, DUE, encodeDelivery, partitionFor } from '@posthorn/topics'
import { LIVE_RUN, type Delivery } from '@posthorn/webhook'
import type { Admin, Kafka } from 'kafkajs'
import { memoryOf, peakMemoryOf } from './cpu.js'
import { EVENT_TYPE, kafkaOf, openProducer, payloadOf, recordOf } from './load.js'
import { startReceiver } from './receiver.js'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { startStack, type Stack } from '@posthorn/testkit'
import { megabytes, percentile, perSecond, printTable, round } from './table.js'

export interface RetriesOptions {
  readonly events: number
  readonly pending: number
}

/**
 * How late retries are sent: every event's first attempt fails and the second succeeds; the lateness
 * is read from attempts.v1. Then a mass of pending retries put straight into a delay topic: the
 * scheduler's memory, and the rate at which overdue ones leave it.
 */
export async function retries({ events, pending }: RetriesOptions): Promise<void> {
  const receiver = await startReceiver()
  const stack = await startStack()
  const kafka = kafkaOf(stack.kafka)
  try {
    const body = {
      url: `${receiver.url}/fail-once`,
      events: [EVENT_TYPE],
      retry_policy: { interval_ms: 6000, jitter: 0.5 },
    }
    await answerOf(createApiClient({ url: stack.api, key: stack.key }).POST('/v1/webhooks', { body }))
    const { produce, close } = await openProducer(kafka)
    const payload = payloadOf('1k')
    for (let n = 0; n < events; n++) {
      await produce([recordOf('retry', n, payload(n))])
      await sleep(5)
    }
    await close()
    const lateness = await latenessOfSeconds(kafka, events)
    console.log(`\nretries: ${events} second attempts after 3 to 9 s\n`)
    printTable(
      ['early', 'p50 late', 'p95', 'p99', 'max'],
      [
        [
          String(lateness.filter(ms => ms < 0).length),
          ...[0.5, 0.95, 0.99, 1].map(share => `${round(percentile(lateness, share))} ms`),
        ],
      ],
    )
    if (pending > 0) await massOfPending(stack, kafka, pending)
  } finally {
    await stack.stop()
    receiver.stop()
  }
}

/** ms from each second attempt's due time to its start, from the public topic of outcomes. */
async function latenessOfSeconds(kafka: Kafka, events: number): Promise<number[]> {
  const consumer = kafka.consumer({ groupId: 'bench-attempts', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic: `posthorn.${ATTEMPTS.name}`, fromBeginning: true })
  const late = new Map<string, number>()
  await consumer.run({
    eachMessage: async ({ message }) => {
      const read = decodeAttempt(message.value)
      if (read.kind === 'attempt' && read.attempt.attempt === 2)
        late.set(read.attempt.delivery, Date.parse(read.attempt.started_at) - Date.parse(read.attempt.due_at))
    },
  })
  while (late.size < events) await sleep(100)
  await consumer.disconnect()
  return [...late.values()]
}

async function massOfPending(stack: Stack, kafka: Kafka, pending: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const scheduler = stack.pids['retry-scheduler']!
  const atRest = memoryOf(scheduler)
  const dueBefore = await endOf(admin, DUE.name)
  await produceDelayed(kafka, pending)
  let started: { readonly at: number; readonly released: number } | undefined
  let released = 0
  while (released < pending) {
    await sleep(250)
    released = (await endOf(admin, DUE.name)) - dueBefore
    // What had left before the first look says nothing about the rate.
    if (released > 0) started ??= { at: performance.now(), released }
  }
  const { at, released: before } = started!
  await admin.disconnect()
  console.log(`${pending.toLocaleString('en-US')} pending retries of 1 KiB, due at one moment\n`)
  printTable(
    ['released into due', 'scheduler at rest', 'scheduler peak'],
    [
      [
        perSecond(((pending - before) / (performance.now() - at)) * 1000),
        megabytes(atRest),
        megabytes(peakMemoryOf(scheduler)),
      ],
    ],
  )
}

async function endOf(admin: Admin, topic: string): Promise<number> {
  return (await admin.fetchTopicOffsets(`posthorn.${topic}`)).reduce((sum, { high }) => sum + Number(high), 0)
}

/** Puts retries of webhooks that do not exist into delay.30s, which is longer than filling takes, due when its time is over: the deliverer discards them. */
async function produceDelayed(kafka: Kafka, pending: number): Promise<void> {
  const topic = `posthorn.${DELAYS['30s'].name}`
  const admin = kafka.admin()
  await admin.connect()
  const partitions = (await admin.fetchTopicOffsets(topic)).length
  await admin.disconnect()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const data = Buffer.from(JSON.stringify({ filler: 'x'.repeat(1000) }))
  for (let at = 0; at < pending; at += 2000) {
    const messages = Array.from({ length: Math.min(2000, pending - at) }, (_, i) => {
      const { key, value } = encodeDelivery(delayed(at + i), data)
      return { key, value, partition: partitionFor(key!, partitions) }
    })
    await producer.send({ topic, acks: -1, messages })
  }
  await producer.disconnect()
}

function delayed(n: number): Delivery {
  const now = Date.now()
  const event = {
    tenant: 'default',
    id: `pending-${n}`,
    source: '/bench',
    type: EVENT_TYPE,
    time: new Date(now).toISOString(),
    contenttype: 'application/json',
  }
  return {
    id: `delivery_bench${n}`,
    webhook: `webhook_bench${n % 500}`,
    webhookVersion: 1,
    tenant: 'default',
    run: LIVE_RUN,
    attempt: 2,
    due: now + 30_000,
    acceptedAt: now,
    origin: { partition: 0, offset: n },
    spills: 0,
    event,
  }
}
