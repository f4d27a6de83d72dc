import { setTimeout as sleep } from 'node:timers/promises'
import { OffsetGone, PartitionReader, type KafkaConnection } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { ATTEMPTS, decodeAttempt, type Attempt } from '@posthorn/topics'

/**
 * Three windows of 16,384: no more attempts can be recorded whose offsets, in deliveries, due and
 * bulk, were not committed. Reading them takes about half a second per partition.
 */
const TAIL_RECORDS = 50_000
const RETRY_MS = 200

/** Reads the end of one partition of attempts.v1: what an earlier owner has done but not committed. */
export class AttemptsTail {
  constructor(
    private readonly connection: KafkaConnection,
    private readonly logger: Logger,
  ) {}

  /** Tells each attempt, oldest first. Waits while Kafka is away; ends early when the signal aborts. */
  async read(partition: number, signal: AbortSignal, tell: (attempt: Attempt) => void): Promise<void> {
    const reader = new PartitionReader(this.connection, this.connection.topic(ATTEMPTS), partition)
    try {
      await this.retry(reader, signal, () => reader.open())
      const start = (await this.retry(reader, signal, () => reader.start())) ?? 0
      const end = (await this.retry(reader, signal, () => reader.end())) ?? 0
      let at = Math.max(start, end - TAIL_RECORDS)
      while (at < end && !signal.aborted) {
        const fetched = await this.retry(reader, signal, () => reader.fetch(at, 0))
        if (!fetched) return
        for (const { value } of fetched.messages) {
          const read = decodeAttempt(value)
          if (read.kind === 'attempt') tell(read.attempt)
        }
        at = fetched.next
      }
    } finally {
      await reader.close().catch(() => undefined)
    }
  }

  /** Undefined when aborted, or when retention took what was asked for: then the tail was older than it. */
  private async retry<T>(reader: PartitionReader, signal: AbortSignal, ask: () => Promise<T>): Promise<T | undefined> {
    while (!signal.aborted)
      try {
        return await ask()
      } catch (error) {
        if (error instanceof OffsetGone) return undefined
        this.logger.debug({ err: error, topic: ATTEMPTS.name }, 'reading the last attempts failed: again')
        await reader.recover(error).catch(() => undefined)
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    return undefined
  }
}
