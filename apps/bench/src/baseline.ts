import { createHmac, createSecretKey } from 'node:crypto'
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

/** Records/s of a bare kafkajs pipe in this process: everything on `from` is consumed and produced to `to`. */
export async function barePipe(kafka: Kafka, from: string, to: string, count: number): Promise<number> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: to, numPartitions: 12, replicationFactor: 1 }], waitForLeaders: true })
  await admin.disconnect()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  const consumer = kafka.consumer({ groupId: `bare-${Date.now()}`, maxWaitTimeInMs: 100 })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: from, fromBeginning: true })
  let moved = 0
  let started = 0
  await consumer.run({
    eachBatch: async ({ batch }) => {
      started ||= performance.now()
      for (let at = 0; at < batch.messages.length; at += 500) {
        const messages = batch.messages.slice(at, at + 500)
        await producer.send({
          topic: to,
          acks: -1,
          messages: messages.map(({ key, value }) => ({ key, value, partition: batch.partition })),
        })
        moved += messages.length
      }
    },
  })
  while (moved < count) await sleep(20)
  const rate = (moved / (performance.now() - started)) * 1000
  await Promise.all([consumer.disconnect(), producer.disconnect()])
  return rate
}
