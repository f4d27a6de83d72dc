import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaMessage } from 'kafkajs'
import type { KafkaConnection } from './connection.js'
import { OffsetGone, PartitionReader } from './partition-reader.js'
import { retryInPlace } from './retry-in-place.js'

/** A fetch wakes with the first record; this bounds only how often an idle topic is asked. */
export const MAX_WAIT_MS = 500
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 1000
/** kafkajs looks for a broker that is away for a minute; nothing it finds after stop() is told to anyone. */
const STOP_MS = 2000

/** Follows one partition from its start for ever, through broker restarts, leader moves and retention. */
export class PartitionFollower {
  private readonly reader: PartitionReader
  private readonly logger
  private readonly ending = new AbortController()
  private readonly waiters: { readonly offset: number; readonly resolve: () => void }[] = []
  private position = 0
  private answeredAt = -Infinity
  private tellCaughtUp!: () => void
  /** Resolves when the end that the log had at the start is reached. */
  readonly caughtUp = new Promise<void>(resolve => (this.tellCaughtUp = resolve))
  private looping?: Promise<void>

  constructor(
    connection: KafkaConnection,
    private readonly topic: string,
    private readonly partition: number,
    /** Throws to end the following for good. */
    private readonly onMessage: (message: KafkaMessage, offset: number) => void,
    private readonly fatal: (error: Error) => void,
  ) {
    this.logger = connection.options.logger
    this.reader = new PartitionReader(connection, topic, partition)
  }

  start(): void {
    this.looping = this.run().catch((error: unknown) => {
      if (!this.ending.signal.aborted) this.fatal(error instanceof Error ? error : new Error(String(error)))
    })
  }

  /** How long ago the broker last answered, ms: what is older than that was read. */
  get answeredAgo(): number {
    return performance.now() - this.answeredAt
  }

  /** Whether nothing was ever written, as far as it was read. */
  get isAtZero(): boolean {
    return this.position === 0
  }

  /** Resolves when everything below `offset` was read. */
  reach(offset: number): Promise<void> {
    if (this.position >= offset) return Promise.resolve()
    return new Promise(resolve => this.waiters.push({ offset, resolve }))
  }

  async stop(): Promise<void> {
    this.ending.abort()
    const ended = Promise.all([this.reader.close().catch(() => undefined), this.looping])
    await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })])
  }

  private async run(): Promise<void> {
    const { signal } = this.ending
    await retryInPlace(`open ${this.topic}`, this.logger, () => this.reader.open(), signal)
    this.position = await retryInPlace(`read ${this.topic}`, this.logger, () => this.reader.start(), signal)
    const endAtStart = await retryInPlace(`find the end of ${this.topic}`, this.logger, () => this.end(), signal)
    this.answeredAt = performance.now()
    while (!signal.aborted) {
      if (this.position >= endAtStart) this.tellCaughtUp()
      const fetched = await this.fetch(MAX_WAIT_MS)
      if (!fetched) return
      this.answeredAt = performance.now()
      for (const message of fetched.messages) this.onMessage(message, Number(message.offset))
      this.position = fetched.next
      this.tellWaiters()
    }
  }

  private async end(): Promise<number> {
    try {
      return await this.reader.end()
    } catch (error) {
      await this.recover(error)
      throw error
    }
  }

  /** Tries until there is an answer; undefined when stopped. */
  private async fetch(maxWaitMs: number) {
    let wait = FIRST_RETRY_MS
    while (!this.ending.signal.aborted) {
      try {
        return await this.reader.fetch(this.position, maxWaitMs)
      } catch (error) {
        if (this.ending.signal.aborted) return undefined
        this.logger.debug({ err: error, topic: this.topic }, 'a fetch failed')
        await this.recover(error)
        await sleep(wait, undefined, { signal: this.ending.signal }).catch(() => undefined)
        wait = Math.min(wait * 2, LONGEST_RETRY_MS)
      }
    }
    return undefined
  }

  private async recover(error: unknown): Promise<void> {
    try {
      if (!(error instanceof OffsetGone)) return await this.reader.recover(error)
      const start = await this.reader.start()
      this.logger.warn({ topic: this.topic, partition: this.partition, at: this.position, start }, 'reading anew')
      this.position = start
    } catch (again) {
      this.logger.debug({ err: again, topic: this.topic }, 'Kafka is away')
    }
  }

  private tellWaiters(): void {
    for (let i = this.waiters.length - 1; i >= 0; i--)
      if (this.waiters[i]!.offset <= this.position) this.waiters.splice(i, 1)[0]!.resolve()
  }
}
