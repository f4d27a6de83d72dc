import { setTimeout as sleep } from 'node:timers/promises'
import { encodeEvent, EVENTS, partitionFor } from '@posthorn/topics'
import { deliveryId } from '@posthorn/webhook'
import { KEYS, TO_ALL, type Member } from './crowd.js'
import type { Seeded } from './seeded.js'
import { SOURCE, type Site } from './site.js'

const EVERY_MS = 100
const AGAIN_AFTER_MS = 200
const ANSWERED_WITHIN_MS = 10_000
/** One in so many events is for everybody. */
const ALL_ONE_IN = 100

interface Event {
  readonly id: string
  readonly type: string
  /** A key has its events in one partition, and a receiver that keeps order gets them one by one. */
  readonly partitionkey?: string
}

/** The events that were taken, and the deliveries that they must have: id to member. */
export interface Published {
  readonly events: number
  readonly deliveries: ReadonlyMap<string, Member>
}

/**
 * Publishes at a steady rate until `signal`: half of it over HTTP, half as a plain producer. What is
 * not acknowledged is sent again with the same ids, as a customer does.
 */
export async function publishUntil(
  signal: AbortSignal,
  { site, members, seeded, perSecond }: { site: Site; members: readonly Member[]; seeded: Seeded; perSecond: number },
): Promise<Published> {
  const deliveries = new Map<string, Member>()
  let made = 0
  const make = (): Event => {
    const n = made++
    const id = `random-${n}`
    const to = seeded.between(1, ALL_ONE_IN) === 1 ? members : [weighted(members, seeded)]
    for (const member of to) deliveries.set(deliveryId({ tenant: 'default', source: SOURCE, id }, member.id), member)
    if (to.length > 1) return { id, type: TO_ALL }
    const [{ type, kind }] = to as [Member]
    return kind.ordering === undefined ? { id, type } : { id, type, partitionkey: `key-${n % KEYS}` }
  }
  const stream = async (send: (events: readonly Event[]) => Promise<void>) => {
    const started = performance.now()
    for (let sent = 0; !signal.aborted; await sleep(EVERY_MS)) {
      const due = Math.ceil(((performance.now() - started) / 1000) * (perSecond / 2)) - sent
      const events = Array.from({ length: Math.min(due, 200) }, make)
      if (events.length > 0) await send(events)
      sent += events.length
    }
  }
  const producer = await openProducer(site)
  try {
    await Promise.all([stream(events => overHttp(site, events)), stream(events => producer.send(events))])
  } finally {
    await producer.close()
  }
  return { events: made, deliveries }
}

function weighted(members: readonly Member[], seeded: Seeded): Member {
  let left = seeded.between(
    1,
    members.reduce((sum, { kind }) => sum + kind.weight, 0),
  )
  return members.find(({ kind }) => (left -= kind.weight) <= 0)!
}

async function overHttp({ stack }: Site, events: readonly Event[]): Promise<void> {
  const body = JSON.stringify(events.map(event => ({ ...event, source: SOURCE, data: event.id })))
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  for (;;) {
    const request = { method: 'POST', headers, body, signal: AbortSignal.timeout(ANSWERED_WITHIN_MS) }
    const status = await fetch(`${stack.publish}/v1/publish`, request).then(
      async response => (await response.text(), response.status),
      () => 0,
    )
    if (status === 202) return
    // 0 is a connection that was refused or broken off; anything else blames the events.
    if (![0, 503].includes(status)) throw new Error(`publishing was answered ${status}`)
    await sleep(AGAIN_AFTER_MS)
  }
}

async function openProducer({ kafka }: Site) {
  const topic = `posthorn.${EVENTS.name}`
  const admin = kafka.admin()
  await admin.connect()
  const partitions = (await admin.fetchTopicOffsets(topic)).length
  await admin.disconnect()
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 3, maxRetryTime: 1000 } })
  await producer.connect()
  return {
    async send(events: readonly Event[]): Promise<void> {
      const time = new Date().toISOString()
      const messages = events.map(made => {
        const event = { ...made, tenant: 'default', source: SOURCE, time, contenttype: 'application/json' }
        const { key, value, headers } = encodeEvent(event, Buffer.from(JSON.stringify(made.id)))
        return { key, value, headers: { ...headers }, partition: partitionFor(key!, partitions) }
      })
      // kafkajs can resolve although some partitions were never sent, after a leader has moved.
      const isTaken = (answers: readonly { readonly partition: number }[]) =>
        messages.every(message => answers.some(({ partition }) => partition === message.partition))
      while (!(await producer.send({ topic, acks: -1, messages }).then(isTaken, () => false)))
        await sleep(AGAIN_AFTER_MS)
    },
    close: () => producer.disconnect(),
  }
}
