import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { callApi, startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'
import { encodeEvent, EVENTS, partitionFor } from '@posthorn/topics'
import { deliveryId } from '@posthorn/webhook'
import kafkajs, { type Kafka } from 'kafkajs'

/** What is killed: everything between the event and the request. */
const VICTIMS = ['router', 'deliverer', 'retry-scheduler', 'monitor', 'registry', 'ingest']
const SETTLE_MS = 120_000

let stack: Stack
let receiver: Receiver
let kafka: Kafka
let webhook: string
/** Requests by webhook-id; the first one of every tenth is answered 500. */
const requests = new Map<string, number>()

beforeAll(async () => {
  receiver = await startReceiver(({ headers }) => {
    const id = String(headers['webhook-id'])
    const count = (requests.get(id) ?? 0) + 1
    requests.set(id, count)
    return { status: count === 1 && id.charCodeAt(id.length - 2) % 10 === 0 ? 500 : 200 }
  })
  stack = await startStack()
  kafka = new kafkajs.Kafka({ brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING })
  const registered = await callApi(stack, 'POST', '/v1/webhooks', {
    url: `${receiver.url}/hook`,
    events: ['fault.*'],
    retry_policy: { interval_ms: 1000, factor: 1 },
  })
  webhook = (registered as { id: string }).id
}, 120_000)

afterAll(async () => {
  await stack?.stop()
  await receiver?.close()
}, 60_000)

const source = '/faults'

/** Produces events with a plain client at about `rate` a second; gives the delivery ids they must have. */
async function produce(run: string, count: number, rate: number): Promise<string[]> {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const deliveries: string[] = []
  for (let at = 0; at < count; at += rate / 10) {
    const messages = Array.from({ length: Math.min(rate / 10, count - at) }, (_, i) => {
      const event = { tenant: 'default', id: `${run}-${at + i}`, source, type: `fault.${run}` }
      deliveries.push(deliveryId(event, webhook))
      const whole = { ...event, time: new Date().toISOString(), contenttype: 'application/json' }
      const { key, value, headers } = encodeEvent(whole, Buffer.from(`{"n":${at + i}}`))
      return { key, value, headers: { ...headers }, partition: partitionFor(key!, 12) }
    })
    await producer.send({ topic: `posthorn.${EVENTS.name}`, acks: -1, messages })
    await sleep(100)
  }
  await producer.disconnect()
  return deliveries
}

const missing = (deliveries: readonly string[]) => deliveries.filter(id => !requests.has(id)).length

/** Records that a group has not finished, over all topics it reads. */
async function behind(group: string, topics: readonly string[]): Promise<number> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    let records = 0
    for (const topic of topics.map(name => `posthorn.${name}`)) {
      const [ends, committed] = await Promise.all([
        admin.fetchTopicOffsets(topic),
        admin.fetchOffsets({ groupId: `posthorn.${group}`, topics: [topic] }),
      ])
      for (const { partition, high } of ends) {
        const at = committed[0]?.partitions.find(one => one.partition === partition)?.offset ?? '-1'
        records += Math.max(0, Number(high) - Math.max(0, Number(at)))
      }
    }
    return records
  } finally {
    await admin.disconnect()
  }
}

async function allCommitted(): Promise<boolean> {
  const left = await Promise.all([
    behind('router', ['events.v1']),
    behind('deliverer', ['deliveries.v1', 'due.v1']),
    behind('retry-scheduler', ['delay.0s.v1', 'delay.5s.v1']),
    behind('monitor', ['events.v1', 'deliveries.v1', 'attempts.v1']),
  ])
  return left.every(records => records === 0)
}

describe('at least once', () => {
  it('S2 routes an event published right after the 201 to the new webhook', async () => {
    const ids: string[] = []
    for (let n = 0; n < 20; n++) {
      const registration = { url: `${receiver.url}/new`, events: [`new.${n}`] }
      const { id } = (await callApi(stack, 'POST', '/v1/webhooks', registration)) as { id: string }
      const answer = await fetch(`${stack.publish}/v1/publish`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ id: `new-${n}`, source, type: `new.${n}`, data: n }),
      })
      expect(answer.status).toBe(202)
      ids.push(deliveryId({ tenant: 'default', source, id: `new-${n}` }, id))
    }
    await until(
      () => missing(ids) === 0,
      30_000,
      () => `${missing(ids)} of 20 were not routed`,
    )
  }, 60_000)

  it('S4 delivers 20,000 events of a plain producer, each once', async () => {
    const deliveries = await produce('calm', 20_000, 5000)
    await until(
      () => missing(deliveries) === 0,
      SETTLE_MS,
      () => `${missing(deliveries)} of 20,000 are missing`,
    )
    await until(allCommitted, SETTLE_MS)
    const twice = deliveries.filter(id => requests.get(id)! > (id.charCodeAt(id.length - 2) % 10 === 0 ? 2 : 1))
    expect(twice).toEqual([])
  }, 300_000)

  it('S10 loses nothing while services are killed with -9 at random', async () => {
    const producing = produce('killed', 10_000, 500)
    let kills = 0
    const until20s = performance.now() + 20_000
    while (performance.now() < until20s) {
      await sleep(200 + Math.random() * 1000)
      const pid = stack.currentPids()[VICTIMS[kills % VICTIMS.length]!]
      try {
        if (pid !== undefined) process.kill(pid, 'SIGKILL')
        kills++
      } catch {
        // It was about to be started again.
      }
    }
    const deliveries = await producing
    await until(
      () => missing(deliveries) === 0,
      SETTLE_MS,
      () => `${missing(deliveries)} of 10,000 are missing after ${kills} kills`,
    )
    await until(allCommitted, SETTLE_MS)
    const repeats = deliveries.reduce((sum, id) => sum + requests.get(id)! - 1, 0)
    console.log(`${kills} kills; ${repeats} requests beyond the first (retries of failures among them)`)
    expect(kills).toBeGreaterThanOrEqual(15)
    const history = (await callApi(stack, 'GET', `/v1/deliveries?webhook=${webhook}&status=retry`)) as {
      data: object[]
    }
    expect(history.data).toEqual([])
  }, 400_000)
})
