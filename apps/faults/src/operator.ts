import { answerOf, createApiClient } from '@posthorn/api/client'
import { plainKafka } from '@posthorn/embedded'
import { startReceiver, until, type Receiver } from '@posthorn/testkit'
import { ATTEMPTS, DEAD_LETTERS, DELIVERIES, EVENTS as ALL_EVENTS, POISON, WEBHOOKS } from '@posthorn/topics'
import { deliveryId } from '@posthorn/webhook'
import type { Kafka } from 'kafkajs'
import type { Deployment } from './deployment.js'

const EVENTS = 60
const ARRIVES_WITHIN_MS = 90_000
const SOURCE = '/runbooks'
/** A retry that is still in a delay topic when its runbook begins. */
const RETRY_MS = 20_000

/** A webhook of one type of events, by whose name it is reached. */
export interface Webhook {
  readonly id: string
  readonly type: string
}

/** Who makes webhooks, publishes events and looks at what arrives. */
export class Operator {
  private readonly events = new Map<string, number>()
  private readonly failsFirst = new Set<string>()
  private readonly asked = new Map<string, number>()

  private constructor(private readonly deployment: Deployment) {}

  receiver!: Receiver

  static async of(deployment: Deployment): Promise<Operator> {
    const operator = new Operator(deployment)
    operator.receiver = await startReceiver(({ path, headers }) => {
      const id = String(headers['webhook-id'])
      const nth = (operator.asked.get(id) ?? 0) + 1
      operator.asked.set(id, nth)
      return { status: operator.failsFirst.has(path) && nth === 1 ? 500 : 200 }
    })
    return operator
  }

  get api() {
    return createApiClient(this.deployment.api)
  }

  async register(name: string, { failFirst = false } = {}): Promise<Webhook> {
    if (failFirst) this.failsFirst.add(`/${name}`)
    const type = `runbook.${name}`
    const retry = { attempts: 5, interval_ms: RETRY_MS, factor: 1, jitter: 0 }
    const body = { url: `${this.receiver.url}/${name}`, events: [type], retry_policy: retry }
    return { id: (await answerOf(this.api.POST('/v1/webhooks', { body }))).id, type }
  }

  async move({ id }: Webhook, name: string): Promise<void> {
    const body = { url: `${this.receiver.url}/${name}` }
    await answerOf(this.api.PATCH('/v1/webhooks/{id}', { params: { path: { id } }, body }))
  }

  /** Resolves with the deliveries that they must come to. */
  async publish({ id, type }: Webhook, count = EVENTS): Promise<readonly string[]> {
    const from = this.events.get(type) ?? 0
    this.events.set(type, from + count)
    const events = Array.from({ length: count }, (_, n) => ({
      id: `${type}-${from + n}`,
      source: SOURCE,
      type,
      data: n,
    }))
    await answerOf(createApiClient(this.deployment.publish).POST('/v1/publish', { body: events }))
    return events.map(event => deliveryId({ tenant: 'default', source: SOURCE, id: event.id }, id))
  }

  of({ id, type }: Webhook, delivery: string): boolean {
    const count = this.events.get(type) ?? 0
    return Array.from({ length: count }, (_, n) => `${type}-${n}`).some(
      event => deliveryId({ tenant: 'default', source: SOURCE, id: event }, id) === delivery,
    )
  }

  async untilArrived(deliveries: readonly string[]): Promise<void> {
    const taken = () => new Set(this.taken().map(({ headers }) => String(headers['webhook-id'])))
    const missing = () => deliveries.filter(id => !taken().has(id)).length
    await until(
      () => missing() === 0,
      ARRIVES_WITHIN_MS,
      () => `${missing()} of ${deliveries.length} did not arrive`,
    )
  }

  async untilRefused({ type }: Webhook, count: number): Promise<void> {
    const path = type.replace('runbook.', '/')
    const refused = () => this.receiver.requests.filter(request => request.path === path).length
    await until(
      () => refused() >= count,
      ARRIVES_WITHIN_MS,
      () => `${refused()} of ${count} were tried`,
    )
  }

  /** One event after the other: the change is on its way. */
  async untilGoesTo(webhook: Webhook, name: string): Promise<void> {
    await until(async () => {
      const [delivery] = await this.publish(webhook, 1)
      await this.untilArrived([delivery!])
      return this.receiver.requests.some(
        ({ path, headers }) => path === `/${name}` && headers['webhook-id'] === delivery,
      )
    }, ARRIVES_WITHIN_MS)
  }

  /** A tombstone, as kafka-console-producer.sh would write it. */
  async bury({ id }: Webhook): Promise<void> {
    const producer = this.kafka().producer({ allowAutoTopicCreation: false })
    await producer.connect()
    await producer.send({ topic: `posthorn.${WEBHOOKS.name}`, messages: [{ key: id, value: null }] })
    await producer.disconnect()
  }

  /** As kafka-consumer-groups.sh --reset-offsets --to-datetime does it; the monitor must be stopped. */
  async rewindMonitor(to: number): Promise<void> {
    const admin = this.kafka().admin()
    await admin.connect()
    for (const { name } of [ALL_EVENTS, DELIVERIES, ATTEMPTS, DEAD_LETTERS, POISON]) {
      const topic = `posthorn.${name}`
      const partitions = await admin.fetchTopicOffsetsByTimestamp(topic, to)
      await admin.setOffsets({ groupId: 'posthorn.monitor', topic, partitions })
    }
    await admin.disconnect()
  }

  private kafka(): Kafka {
    return plainKafka({ brokers: [this.deployment.brokers], retry: { retries: 20 } })
  }

  async untilSilent(webhook: Webhook): Promise<void> {
    const path = webhook.type.replace('runbook.', '/')
    const heard = () => this.receiver.requests.filter(request => request.path === path).length
    await until(async () => {
      const before = heard()
      await this.publish(webhook, 1)
      await new Promise(resolve => setTimeout(resolve, 2000))
      return heard() === before
    }, ARRIVES_WITHIN_MS)
  }

  async untilHistoryHas(deliveries: readonly string[], status = 'delivered'): Promise<void> {
    let left = deliveries
    const isThere = async () => {
      const found = await Promise.all(
        left.map(async id => {
          const { data } = await this.api.GET('/v1/deliveries/{id}', { params: { path: { id } } })
          return data?.status === status
        }),
      )
      left = left.filter((_, at) => !found[at])
      return left.length === 0
    }
    await until(isThere, ARRIVES_WITHIN_MS, () => `the history lacks ${left.length} as ${status}, such as ${left[0]}`)
  }

  async underWay(status: 'retry' | 'pending'): Promise<readonly string[]> {
    const query = { status, limit: 100 }
    const { data } = await answerOf(this.api.GET('/v1/deliveries', { params: { query } }))
    return data.map(({ id }) => id)
  }

  repeats(): number {
    const taken = this.taken()
    return taken.length - new Set(taken.map(({ headers }) => headers['webhook-id'])).size
  }

  private taken() {
    const seen = new Set<string>()
    return this.receiver.requests.filter(({ path, headers }) => {
      const id = String(headers['webhook-id'])
      const isFirst = !seen.has(id)
      seen.add(id)
      return !(isFirst && this.failsFirst.has(path))
    })
  }
}
