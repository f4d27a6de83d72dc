import type { ConsumedRecord, PartitionClaim } from '@posthorn/kafka'
import type { Delivery } from '@posthorn/webhook'
import type { Turn } from './pace.js'

/** In the order in which they are served: what was promised for a time, fresh work, replays. */
export type Lane = 'due' | 'fresh' | 'bulk'

/** One attempt to be made, from the record it came with until its effect is durable. */
export interface Work {
  readonly delivery: Delivery
  readonly data: Buffer
  readonly lane: Lane
  /** Number of the partition, the same in every topic that has the webhook's records. */
  readonly partition: number
  readonly bytes: number
  readonly record: ConsumedRecord
  readonly completion: Completion
  /** How often handling it has thrown. */
  failures: number
  /** Of the queues: when it came to them, and how it left. */
  queuedAt?: number
  turn?: Turn
}

/**
 * The offsets that are finished by one piece of work: its own, and those of duplicates that were
 * dropped because of it. A duplicate is no safer than its original, so it is done with it, not before.
 */
export class Completion {
  private readonly offsets: { claim: PartitionClaim; offset: number }[]
  private finished = false

  constructor(claim: PartitionClaim, offset: number) {
    this.offsets = [{ claim, offset }]
  }

  tie(claim: PartitionClaim, offset: number): void {
    if (this.finished) claim.done(offset)
    else this.offsets.push({ claim, offset })
  }

  /** Whether anyone here still owns it; if not, the next owner reads it again. */
  get owned(): boolean {
    return this.offsets.some(({ claim }) => !claim.revoked.aborted)
  }

  done(): void {
    this.finished = true
    for (const { claim, offset } of this.offsets) claim.done(offset)
  }
}
