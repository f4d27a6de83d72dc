import { createHmac, createSecretKey, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { Agent, request } from 'undici'
import type { Payload } from './load.js'
import type { Receiver } from './receiver.js'

/** Requests/s of a bare undici loop in this process that signs and posts the same bodies to the same receiver. */
export async function bareUndici(receiver: Receiver, payload: Payload, count: number): Promise<number> {
  const dispatcher = new Agent({ connections: 64 })
  const key = createSecretKey(Buffer.alloc(32, 1))
  const started = performance.now()
  let next = 0
  const loop = async () => {
    while (next < count) {
      const n = next++
      const body = Buffer.concat([
        Buffer.from('{"type":"bench.event","timestamp":"","data":'),
        payload(n),
        Buffer.from('}'),
      ])
      const signature = createHmac('sha256', key).update(`bare-${n}.0.`).update(body).digest('base64')
      const headers = {
        'content-type': 'application/json',
        'webhook-id': `bare-${n}`,
        'webhook-timestamp': '0',
        'webhook-signature': `v1,${signature}`,
      }
      const answer = await request(`${receiver.url}/bare`, { method: 'POST', dispatcher, headers, body })
      await answer.body.dump()
    }
  }
  await Promise.all(Array.from({ length: 64 }, loop))
  await dispatcher.close()
  return (count / (performance.now() - started)) * 1000
}

/**
 * Records/s of a bare kafkajs pipe in this process, from the first record read until the last is at its end.
 * `topics`: with two, everything on the first is copied to the second. With three, a second stage
 * takes the copies and produces a record of 300 bytes for each, and a reader besides takes all three
 * topics: what the platform asks of Kafka for a delivery with history, without what it does in between.
 */
export async function barePipe(kafka: Kafka, topics: readonly string[], count: number): Promise<number> {
  const [from, copies, results] = topics as [string, string, string | undefined]
  await createTopics(kafka, topics.slice(1))
  const started = { at: 0 }
  const stages = [stage(kafka, from, copies, value => value, started)]
  if (results !== undefined) {
    const result = Buffer.alloc(300, 'r')
    stages.push(
      stage(kafka, copies, results, () => result, started),
      ...topics.map(topic => stage(kafka, topic, undefined, value => value, started)),
    )
  }
  const running = await Promise.all(stages)
  while (running.some(({ moved }) => moved() < count)) await sleep(20)
  const rate = (count / (performance.now() - started.at)) * 1000
  await Promise.all(running.map(({ stop }) => stop()))
  return rate
}

interface Stage {
  moved(): number
  stop(): Promise<void>
}

async function stage(
  kafka: Kafka,
  from: string,
  to: string | undefined,
  made: (value: Buffer | null) => Buffer | null,
  started: { at: number },
): Promise<Stage> {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  const consumer = kafka.consumer({ groupId: `bare-${randomUUID()}`, maxWaitTimeInMs: 100 })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: from, fromBeginning: true })
  let moved = 0
  await consumer.run({
    eachBatch: async ({ batch: { messages, partition } }) => {
      started.at ||= performance.now()
      for (let at = 0; at < messages.length; at += 500) {
        const some = messages.slice(at, at + 500)
        const copies = some.map(({ key, value }) => ({ key, value: made(value), partition }))
        if (to !== undefined) await producer.send({ topic: to, acks: -1, messages: copies })
        moved += some.length
      }
    },
  })
  const stop = async () => void (await Promise.all([consumer.disconnect(), producer.disconnect()]))
  return { moved: () => moved, stop }
}

async function createTopics(kafka: Kafka, names: readonly string[]): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const topics = names.map(topic => ({ topic, numPartitions: 12, replicationFactor: 1 }))
  await admin.createTopics({ topics, waitForLeaders: true })
  await admin.disconnect()
}
