import { MAX_RECORD_BYTES, partitionFor, type TopicContract, type TopicRecord } from '@posthorn/topics'
import type { Producer } from 'kafkajs'
import { COMPRESSION_TYPES } from './codecs.js'
import type { KafkaConnection } from './connection.js'
import { ProducerClosed, ProduceTimeout, RecordRefused } from './produce-errors.js'
import { ProduceLoop } from './produce-loop.js'
import type { Outgoing } from './produce-queue.js'
import { retryInPlace } from './retry-in-place.js'

export interface SendOptions {
  /** Otherwise murmur2 of the key over the topic's partitions; without a key, in turn. */
  readonly partition?: number
  readonly timeoutMs?: number
}

export interface SafeProducerOptions {
  /** What may wait before room() does; 64 MiB. */
  readonly maxQueuedBytes?: number
  /** For records that nobody waits for: sends keep 5 ms apart, so that a steady trickle shares requests. */
  readonly unhurried?: boolean
}

export interface RecordPosition {
  readonly partition: number
  readonly offset: number
}

const DEFAULT_MAX_QUEUED_BYTES = 64 * 1024 * 1024
const CLOSE_MS = 5000
/** Batch and record headers; max.message.bytes counts them. */
const RECORD_OVERHEAD = 100
/** The loop goes on for ever: kafkajs's own attempts only save a repeat of what was answered already. */
const ATTEMPTS = 5

/** A record and who waits for it. */
interface Waiting {
  readonly topic: TopicContract
  readonly record: TopicRecord
  readonly bytes: number
  readonly timeoutMs: number | undefined
  readonly resolve: (position: RecordPosition) => void
  readonly reject: (error: Error) => void
}

/** A record whose partition is not known yet; `over` resolves when it is queued or rejected. */
interface Unplaced {
  readonly bytes: number
  readonly over: Promise<void>
  readonly reject: (error: Error) => void
}

/** Produces with acks all and no gaps: see ProduceLoop. Waits for as long as Kafka is away. */
export class SafeProducer {
  private readonly producer: Producer
  private readonly loop: ProduceLoop
  private readonly closing = new AbortController()
  private closed?: Promise<void>
  private readonly unplaced = new Set<Unplaced>()
  private readonly maxQueuedBytes: number
  private turn = 0

  constructor(
    private readonly connection: KafkaConnection,
    options: SafeProducerOptions = {},
  ) {
    // Not idempotent: kafkajs reuses sequence numbers. One send is in flight, so order holds without.
    this.producer = connection.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: ATTEMPTS },
    })
    const compression = COMPRESSION_TYPES[connection.options.compression]
    this.maxQueuedBytes = options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES
    this.loop = new ProduceLoop(
      topicMessages => this.producer.sendBatch({ topicMessages, acks: -1, compression }),
      connection.options.logger,
      this.maxQueuedBytes,
      options.unhurried,
      connection.prefix,
    )
  }

  /** Bytes waiting or in flight. */
  get queuedBytes(): number {
    let bytes = this.loop.queuedBytes
    for (const unplaced of this.unplaced) bytes += unplaced.bytes
    return bytes
  }

  /** Resolves when a broker answers. Rejects only when closed meanwhile. */
  connect(): Promise<void> {
    const { logger } = this.connection.options
    return retryInPlace('connect the producer', logger, () => this.producer.connect(), this.closing.signal)
  }

  /**
   * Resolves when all in-sync replicas have the record. Rejects only with RecordRefused, with
   * ProduceTimeout when `timeoutMs` passed, or with ProducerClosed. Records of one partition keep
   * the order in which they were sent.
   */
  send(topic: TopicContract, record: TopicRecord, options: SendOptions = {}): Promise<RecordPosition> {
    const bytes = sizeOf(record)
    const fault = this.faultOf(topic, record, bytes)
    if (fault) return Promise.reject(fault)
    return new Promise((resolve, reject) => {
      const count = this.connection.knownPartitions(topic)
      const waiting: Waiting = { topic, record, bytes, timeoutMs: options.timeoutMs, resolve, reject }
      if (options.partition !== undefined) this.enqueue(waiting, options.partition)
      else if (count !== undefined) this.enqueue(waiting, this.choose(record, count))
      else this.enqueueWhenPlaced(waiting)
    })
  }

  /** Resolves when less than `maxQueuedBytes` are queued, or when closed. */
  async room(): Promise<void> {
    while (this.queuedBytes >= this.maxQueuedBytes && !this.closing.signal.aborted) {
      const [first] = this.unplaced
      await (first ? first.over : this.loop.room())
    }
  }

  partitionsOf(topic: TopicContract): Promise<number> {
    return this.connection.partitionsOf(topic)
  }

  /** Resolves when nothing is queued. */
  async flush(): Promise<void> {
    for (const { over } of this.unplaced) await over
    await this.loop.flush()
  }

  /** Sends what it can for 5 s, then rejects the rest with ProducerClosed. */
  close(): Promise<void> {
    this.closed ??= this.end()
    return this.closed
  }

  private async end(): Promise<void> {
    const error = new ProducerClosed('the producer is closed')
    this.closing.abort(error)
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>(resolve => (timer = setTimeout(resolve, CLOSE_MS)))
    await Promise.race([this.flush(), timeout])
    for (const { reject } of this.unplaced) reject(error)
    this.loop.end(error)
    await Promise.race([this.producer.disconnect().catch(() => undefined), timeout])
    clearTimeout(timer)
  }

  private faultOf(topic: TopicContract, record: TopicRecord, bytes: number): Error | undefined {
    if (this.closing.signal.aborted) return new ProducerClosed('the producer is closed')
    if (bytes > MAX_RECORD_BYTES)
      return new RecordRefused(`the record has ${bytes} bytes, ${topic.name} takes ${MAX_RECORD_BYTES}`)
    if (topic.cleanup === 'compact' && !record.key?.length)
      return new RecordRefused(`${topic.name} is compacted: a record needs a key`)
    return undefined
  }

  /** While it is not known how many partitions the topic has: only before its first record, or with Kafka away. */
  private enqueueWhenPlaced(waiting: Waiting): void {
    const startedAt = performance.now()
    let finish!: () => void
    const over = new Promise<void>(resolve => (finish = resolve))
    const leave = () => {
      clearTimeout(timer)
      this.unplaced.delete(unplaced)
      finish()
    }
    const reject = (error: Error) => {
      leave()
      waiting.reject(error)
    }
    const unplaced: Unplaced = { bytes: waiting.bytes, over, reject }
    const { timeoutMs } = waiting
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => reject(timedOut(timeoutMs)), timeoutMs)
    this.unplaced.add(unplaced)
    this.connection.partitionsOf(waiting.topic).then(count => {
      if (!this.unplaced.has(unplaced)) return
      leave()
      const left = timeoutMs === undefined ? undefined : timeoutMs - (performance.now() - startedAt)
      this.enqueue({ ...waiting, timeoutMs: left }, this.choose(waiting.record, count))
    }, reject)
  }

  private enqueue({ topic, record, bytes, timeoutMs, resolve, reject }: Waiting, partition: number): void {
    const name = this.connection.topic(topic)
    let timer: NodeJS.Timeout | undefined
    const outgoing: Outgoing = {
      key: record.key,
      value: record.value,
      headers: record.headers,
      partition,
      bytes,
      settled: false,
      resolve: offset => {
        clearTimeout(timer)
        resolve({ partition, offset })
      },
      reject: error => {
        clearTimeout(timer)
        reject(error)
      },
    }
    if (timeoutMs !== undefined)
      timer = setTimeout(() => this.loop.giveUp(name, outgoing, timedOut(timeoutMs)), timeoutMs)
    this.loop.add(name, outgoing)
  }

  private choose(record: TopicRecord, count: number): number {
    return record.key ? partitionFor(record.key, count) : this.turn++ % count
  }
}

function timedOut(timeoutMs: number): ProduceTimeout {
  return new ProduceTimeout(`Kafka did not acknowledge within ${Math.round(timeoutMs)} ms; the record may still arrive`)
}

function sizeOf({ key, value, headers }: TopicRecord): number {
  let bytes = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name]!) + 4
  return bytes
}
