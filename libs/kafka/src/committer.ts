import { setImmediate } from 'node:timers/promises'
import type { Logger } from '@posthorn/telemetry'
import type { EachBatchPayload, OffsetsByTopicPartition } from 'kafkajs'
import type { Claim } from './claims.js'

/** How long finished work gathers before it is committed: bounds what a crash repeats. */
const COMMIT_EVERY_MS = 150

/**
 * kafkajs's single commit attempt, as each batch brings it. consumer.commitOffsets() is no use: it
 * retries, and a retry after a rebalance would commit with the new generation for what others own
 * by then, which the broker takes. This one carries the generation of the moment it is called.
 */
export type CommitOnce = EachBatchPayload['commitOffsetsIfNecessary']

/** Commits what claims have finished, one request at a time, while something changed and only then. */
export class Committer {
  private commitOnce?: CommitOnce
  private timer?: NodeJS.Timeout
  private running?: Promise<void>
  private epoch = 0

  constructor(
    private readonly claims: () => readonly Claim[],
    private readonly logger: Logger,
  ) {}

  /** From every batch: it belongs to the membership that fetched the batch. */
  use(commitOnce: CommitOnce): void {
    this.commitOnce = commitOnce
  }

  /** A new generation, or none. As another member nothing can be committed until its first batch. */
  joined(sameMember: boolean): void {
    this.epoch++
    if (!sameMember) this.commitOnce = undefined
  }

  /** Something was finished. */
  changed(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      void this.commit()
    }, COMMIT_EVERY_MS)
  }

  /**
   * Commits now what is finished by now; never rejects. `last` are claims that have just ended and
   * are ours until the next generation.
   */
  async commit(last?: readonly Claim[]): Promise<void> {
    const { epoch } = this
    while (this.running) {
      await this.running
      // A turn of the event loop: never between kafkajs's join and its telling us of it.
      await setImmediate()
    }
    this.stop()
    if (last && epoch !== this.epoch) return
    this.running = this.send(last ?? this.claims()).finally(() => (this.running = undefined))
    await this.running
  }

  /** No commit will start by itself. */
  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private async send(claims: readonly Claim[]): Promise<void> {
    const dirty = claims.filter(({ tracker, committedVersion }) => tracker && tracker.version !== committedVersion)
    if (dirty.length === 0 || !this.commitOnce) return
    const versions = dirty.map(({ tracker }) => tracker!.version)
    try {
      await this.commitOnce(offsetsOf(dirty))
      dirty.forEach((claim, i) => (claim.committedVersion = versions[i]!))
    } catch (error) {
      // A rebalance or a broker that is away: the offsets stay uncommitted and are tried again.
      this.logger.debug({ err: error }, 'offsets were not committed')
      if (dirty.some(claim => claim.isAlive)) this.changed()
    }
  }
}

function offsetsOf(claims: readonly Claim[]): OffsetsByTopicPartition {
  const byTopic = new Map<string, { partition: number; offset: string; metadata: string }[]>()
  for (const { topicName, partition, tracker } of claims) {
    const partitions = byTopic.get(topicName) ?? []
    partitions.push({ partition, offset: String(tracker!.position), metadata: tracker!.metadata() })
    byTopic.set(topicName, partitions)
  }
  return { topics: [...byTopic].map(([topic, partitions]) => ({ topic, partitions })) }
}
