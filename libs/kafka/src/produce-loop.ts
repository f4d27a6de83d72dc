import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@posthorn/telemetry'
import type { RecordMetadata, TopicMessages } from 'kafkajs'
import { accessProblem } from './access.js'
import { ProduceMetrics } from './kafka-metrics.js'
import { ProduceQueue, type Outgoing, type Parcel } from './produce-queue.js'
import { RecordRefused } from './produce-errors.js'

/** kafkajs's sendBatch: may resolve although it never sent some of the partitions. */
export type Sender = (topicMessages: TopicMessages[]) => Promise<readonly RecordMetadata[]>

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 1000
const LOG_EVERY_MS = 30_000
/** A send of so many records shows load: the next one gathers until LINGER_MS after its start. Below it nothing waits. */
const BUSY_RECORDS = 8
/** Halves what requests cost the broker and us at 3,000 records/s. */
const LINGER_MS = 5
/** With this much waiting there is nothing to gather for. */
const ENOUGH_BYTES = 256 * 1024
/** Not retriable, and one such record fails the whole send. */
const REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])

/**
 * One send in flight: at once when idle, and what comes meanwhile goes with the next, so that load
 * makes its own batches; only under load do sends keep some milliseconds apart. After every send the
 * partitions answered are compared with those sent, and the missing are sent again: kafkajs skips
 * partitions whose leader moves to a broker that has answered already, and resolves.
 */
export class ProduceLoop {
  private readonly queue = new ProduceQueue()
  private readonly ending = new AbortController()
  private readonly metrics: ProduceMetrics
  private roomWaiters: (() => void)[] = []
  private emptyWaiters: (() => void)[] = []
  private scheduled = false
  /** So many records still go one by one, to find the one that is refused. */
  private suspects = 0
  private wait = FIRST_WAIT_MS
  private startedAt = -Infinity
  private busy = false
  private loggedAt = -Infinity

  constructor(
    private readonly sender: Sender,
    private readonly logger: Logger,
    private readonly maxQueuedBytes: number,
    /** Sends keep LINGER_MS apart also when there is little to do. */
    private readonly unhurried = false,
    /** Of the topics' names. */
    prefix = '',
  ) {
    this.metrics = new ProduceMetrics(prefix)
  }

  get queuedBytes(): number {
    return this.queue.queuedBytes
  }

  add(topic: string, record: Outgoing): void {
    this.queue.add(topic, record)
    if (this.scheduled) return
    this.scheduled = true
    // After all that this turn of the event loop brought, so that what one fetch causes goes together.
    setImmediate(() => void this.run())
  }

  /** Settles a record early. In flight it may still arrive. */
  giveUp(topic: string, record: Outgoing, error: Error): void {
    if (record.settled) return
    record.settled = true
    record.reject(error)
    if (this.queue.drop(topic, record)) this.tellWaiters()
  }

  room(): Promise<void> {
    if (this.queuedBytes < this.maxQueuedBytes) return Promise.resolve()
    return new Promise(resolve => this.roomWaiters.push(resolve))
  }

  flush(): Promise<void> {
    if (this.queue.isEmpty) return Promise.resolve()
    return new Promise(resolve => this.emptyWaiters.push(resolve))
  }

  /** Rejects all that is left; nothing is sent any more. */
  end(error: Error): void {
    this.ending.abort(error)
    for (const record of this.queue.all()) settle(record, () => record.reject(error))
    for (const resolve of [...this.roomWaiters.splice(0), ...this.emptyWaiters.splice(0)]) resolve()
  }

  private async run(): Promise<void> {
    while (!this.queue.isEmpty && !this.ending.signal.aborted) {
      const rest = this.restToGather()
      if (rest > 0) await sleep(rest, undefined, { signal: this.ending.signal }).catch(() => undefined)
      const parcels = this.queue.take(this.suspects > 0 ? 1 : Infinity)
      if (parcels.length === 0 || this.ending.signal.aborted) continue
      this.startedAt = performance.now()
      const covered = await this.sendOnce(parcels)
      this.busy = covered >= BUSY_RECORDS
      this.queue.release(parcels)
      if (this.suspects > 0) this.suspects -= covered
      if (covered > 0) this.wait = FIRST_WAIT_MS
      else await this.pause()
      this.tellWaiters()
    }
    this.scheduled = false
  }

  /** How many records are done with: acknowledged or refused. */
  private async sendOnce(parcels: readonly Parcel[]): Promise<number> {
    let answers: readonly RecordMetadata[]
    try {
      answers = await this.sender(messagesOf(parcels))
    } catch (error) {
      return this.onFailure(parcels, error)
    }
    let covered = 0
    for (const parcel of parcels) {
      const answer = answers.findLast(
        ({ topicName, partition }) => topicName === parcel.lane.topic && partition === parcel.lane.partition,
      )
      if (answer?.errorCode !== 0) continue
      this.acknowledge(parcel, Number(answer.baseOffset))
      covered += parcel.items.length
    }
    this.metrics.sent(performance.now() - this.startedAt)
    const sent = parcels.reduce((sum, { items }) => sum + items.length, 0)
    if (covered < sent) {
      this.metrics.failed('left_out')
      this.logger.warn({ sent, covered }, 'the client left out partitions of a send: sending them again')
    }
    return covered
  }

  private acknowledge(parcel: Parcel, baseOffset: number): void {
    this.queue.remove(parcel)
    this.metrics.acknowledged(parcel.lane.topic, parcel.items.length)
    parcel.items.forEach((record, i) => settle(record, () => record.resolve(baseOffset + i)))
  }

  private tell(error: unknown): void {
    if (performance.now() - this.loggedAt <= LOG_EVERY_MS) return
    this.loggedAt = performance.now()
    const { queuedBytes } = this
    const problem = accessProblem(error)
    if (problem !== undefined) this.logger.error({ queuedBytes }, `cannot produce: ${problem}`)
    else this.logger.warn({ err: error, queuedBytes }, 'cannot produce: trying until it works')
  }

  private onFailure(parcels: readonly Parcel[], error: unknown): number {
    const refusal = refusalOf(error)
    const records = parcels.reduce((sum, { items }) => sum + items.length, 0)
    if (refusal === undefined) {
      this.metrics.failed(accessProblem(error) === undefined ? 'failed' : 'not_let_in')
      this.tell(error)
      return 0
    }
    if (records > 1) {
      this.suspects = records
      // Not a wait for Kafka: the next send follows at once.
      this.wait = 0
      return 0
    }
    this.metrics.failed('refused')
    const parcel = parcels[0]!
    this.queue.remove(parcel)
    for (const record of parcel.items)
      settle(record, () => record.reject(new RecordRefused(`the broker refused the record: ${refusal}`)))
    return records
  }

  private restToGather(): number {
    if ((!this.busy && !this.unhurried) || this.emptyWaiters.length > 0 || this.queue.queuedBytes >= ENOUGH_BYTES)
      return 0
    return this.startedAt + LINGER_MS - performance.now()
  }

  private async pause(): Promise<void> {
    await sleep(this.wait, undefined, { signal: this.ending.signal }).catch(() => undefined)
    this.wait = Math.min(Math.max(this.wait * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS)
  }

  private tellWaiters(): void {
    if (this.queuedBytes < this.maxQueuedBytes) for (const resolve of this.roomWaiters.splice(0)) resolve()
    if (this.queue.isEmpty) for (const resolve of this.emptyWaiters.splice(0)) resolve()
  }
}

function settle(record: Outgoing, how: () => void): void {
  if (record.settled) return
  record.settled = true
  how()
}

function messagesOf(parcels: readonly Parcel[]): TopicMessages[] {
  const byTopic = new Map<string, Outgoing[]>()
  for (const { lane, items } of parcels) {
    const messages = byTopic.get(lane.topic)
    if (messages) for (const item of items) messages.push(item)
    else byTopic.set(lane.topic, [...items])
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }))
}

/** The broker's name for why a record can never be accepted; undefined for everything that may pass. */
function refusalOf(error: unknown): string | undefined {
  for (let at = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    const { type } = at as { type?: unknown }
    if (typeof type === 'string' && REFUSALS.has(type)) return type
  }
  return undefined
}
