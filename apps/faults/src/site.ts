import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, createApiClient } from '@posthorn/api/client'
import { plainKafka } from '@posthorn/embedded'
import { startReceiver, startStack, type Receiver, type ReceiverAnswer, type Stack } from '@posthorn/testkit'
import { encodeEvent, EVENTS, partitionFor } from '@posthorn/topics'
import { deliveryId } from '@posthorn/webhook'
import type { Kafka } from 'kafkajs'
import { Ledger } from './ledger.js'

/** How the receiver answers request number `nth` (from 1) of a delivery. */
export type Behaviour = (delivery: string, nth: number) => ReceiverAnswer | Promise<ReceiverAnswer>

/** One load: its own webhooks, an event for each delivery. */
export interface Run {
  readonly ledger: Ledger
  readonly webhooks: readonly string[]
  /** Id of delivery number `n` (from 0), produced or not. */
  delivery(n: number): string
  /** Produces events with a plain client, about `perSecond`; resolves with the delivery ids they must have. */
  produce(count: number, perSecond: number): Promise<readonly string[]>
}

export interface RunOptions {
  /** Part of event types, ids and the receiver's path. */
  readonly name: string
  readonly webhooks: number
  readonly retryPolicy: Readonly<Record<string, number>>
  readonly answer: Behaviour
  /** Of the webhooks; none unless given. */
  readonly ordering?: 'key' | 'webhook'
  /** The events of each webhook have one of so many keys in turn; none unless given. */
  readonly keys?: number
  /** For several loads together; one of its own unless given. */
  readonly ledger?: Ledger
  /** The registry that makes the webhooks, by URL; that of the stack unless given. */
  readonly registry?: string
}

const PRODUCE_EVERY_MS = 100
export const SOURCE = '/faults'
/** The status of an answer that never comes: the connection is broken off in its place. */
export const UNANSWERED = 0

/** A platform with every service a process, and a receiver outside that notes each request in the ledger of its load. */
export class Site {
  readonly kafka: Kafka

  private constructor(
    readonly stack: Stack,
    readonly receiver: Receiver,
    private readonly loads: Map<string, Answering>,
    brokers: string = stack.kafka,
  ) {
    this.kafka = plainKafka({ brokers: brokers.split(','), retry: { retries: 20 } })
  }

  /** `extra` is told to the services; a Kafka of one's own is told there, too. `build` is another than this one. */
  static async start(extra: Readonly<Record<string, string>> = {}, build?: string): Promise<Site> {
    const loads = new Map<string, Answering>()
    const receiver = await startReceiver(async ({ path, headers, receivedAt }) => {
      const load = loads.get(path)
      if (!load) return { status: 200 }
      const delivery = String(headers['webhook-id'])
      const answer = await load.answer(delivery, load.ledger.count(delivery) + 1)
      load.ledger.received(delivery, { at: receivedAt, status: answer.status })
      if (answer.status === UNANSWERED) throw new Error('this one is not answered')
      return answer
    })
    try {
      return new Site(await startStack(extra, build), receiver, loads, extra.POSTHORN_KAFKA_BROKERS)
    } catch (error) {
      await receiver.close()
      throw error
    }
  }

  /** What comes by this path is noted in the ledger. */
  receiveAt(path: string, ledger: Ledger, answer: Behaviour): void {
    this.loads.set(path, { ledger, answer })
  }

  async stop(): Promise<void> {
    await this.stack.stop()
    await this.receiver.close()
  }

  /** Registers the webhooks of a load. */
  async open(options: RunOptions): Promise<Run> {
    const { name, webhooks, retryPolicy, answer, ordering, keys, ledger = new Ledger() } = options
    this.receiveAt(`/${name}`, ledger, answer)
    const api = createApiClient({ url: options.registry ?? this.stack.api, key: this.stack.key })
    const ids = await Promise.all(
      Array.from({ length: webhooks }, async (_, n) => {
        const body = {
          url: `${this.receiver.url}/${name}`,
          events: [`fault.${name}.${n}`],
          retry_policy: retryPolicy,
          ...(ordering === undefined ? {} : { ordering }),
        }
        return (await answerOf(api.POST('/v1/webhooks', { body }))).id
      }),
    )
    const load = { name, webhooks: ids, keys }
    let produced = 0
    const produce = async (count: number, perSecond: number) => {
      const from = produced
      produced += count
      return this.produce({ ...load, from, to: produced, perSecond })
    }
    const delivery = (n: number) => deliveryId(eventOf(load, n), webhookOf(load, n))
    return { ledger, webhooks: ids, delivery, produce }
  }

  private async produce(load: Span): Promise<readonly string[]> {
    const { from, to, perSecond } = load
    const producer = this.kafka.producer({ allowAutoTopicCreation: false })
    await producer.connect()
    const partitions = await this.partitions()
    const deliveries: string[] = []
    const started = performance.now()
    for (let at = from; at < to;) {
      // By the clock: a busy machine must not make the load smaller.
      const due = Math.ceil(((performance.now() - started + PRODUCE_EVERY_MS) / 1000) * perSecond)
      const batch = Math.min(to - at, Math.max(1, from + due - at), 2000)
      const messages = Array.from({ length: batch }, (_, i) => {
        const n = at + i
        const event = eventOf(load, n)
        deliveries.push(deliveryId(event, webhookOf(load, n)))
        const whole = { ...event, time: new Date().toISOString(), contenttype: 'application/json' }
        const { key, value, headers } = encodeEvent(whole, Buffer.from(`{"n":${n}}`))
        return { key, value, headers: { ...headers }, partition: partitionFor(key!, partitions) }
      })
      await producer.send({ topic: `posthorn.${EVENTS.name}`, acks: -1, messages })
      at += batch
      if (at < to) await sleep(PRODUCE_EVERY_MS)
    }
    await producer.disconnect()
    return deliveries
  }

  private async partitions(): Promise<number> {
    const admin = this.kafka.admin()
    await admin.connect()
    const ends = await admin.fetchTopicOffsets(`posthorn.${EVENTS.name}`)
    await admin.disconnect()
    return ends.length
  }
}

interface Answering {
  readonly ledger: Ledger
  readonly answer: Behaviour
}

interface Load {
  readonly name: string
  readonly webhooks: readonly string[]
  readonly keys: number | undefined
}

/** The part of a load that is produced at once. */
interface Span extends Load {
  readonly from: number
  readonly to: number
  readonly perSecond: number
}

function webhookOf({ webhooks }: Load, n: number): string {
  return webhooks[n % webhooks.length]!
}

function eventOf({ name, webhooks, keys }: Load, n: number) {
  const own = { tenant: 'default', id: `${name}-${n}`, source: SOURCE, type: `fault.${name}.${n % webhooks.length}` }
  return keys === undefined ? own : { ...own, partitionkey: `key-${Math.floor(n / webhooks.length) % keys}` }
}

/** The longest time-out there is: this receiver shares a machine with all that it tests. */
export const PATIENT = { interval_ms: 1000, factor: 1, timeout_ms: 60_000, attempts: 20 }

/** A tenth of all deliveries, the same ones always: the last character of an id is as good as random. */
export function isTenth(delivery: string): boolean {
  return delivery.charCodeAt(delivery.length - 2) % 10 === 0
}
