import type { ConsumedRecord, PartitionClaim } from '@posthorn/kafka'
import type { Delivery } from '@posthorn/webhook'
import type { Turn } from './pace.js'
import type { Place } from './parked-place.js'

/** In the order in which they are served: what was promised for a time, fresh work, replays and what is above a quota. */
export type Lane = 'due' | 'fresh' | 'bulk'

/** Measured: bytes of memory that work takes beside its record's, from reading it until its offset is done. */
export const WORK_OVERHEAD = 1_700

/** One attempt to be made, from the record it came with until its effect is durable. */
export interface Work {
  /** Of ordered work the attempt's number grows here, in place. */
  delivery: Delivery
  readonly data: Buffer
  readonly lane: Lane
  /** Number of the partition, the same in every topic that has the webhook's records. */
  readonly partition: number
  readonly bytes: number
  readonly record: ConsumedRecord
  readonly completion: Completion
  /** Given by the live loop, not read again. */
  readonly live: boolean
  /** The parked place that counts it as unfinished. */
  place: Place<Work> | undefined
  /** How often handling it has thrown. */
  failures: number
  /** It goes to a delay topic: what comes as its copy from then on may be what was put there. */
  moving: boolean
  /** Of the queues: when it came to them, and how it left. */
  queuedAt?: number
  turn?: Turn
}

/** Whether it waits for those of its key that came before; copies in other topics do not. */
export function isOrdered({ lane, delivery }: Work): boolean {
  return lane === 'fresh' && delivery.order !== undefined
}

/** Who has to know that an offset is done. */
export interface OffsetOwner extends Pick<PartitionClaim, 'done' | 'revoked'> {
  /** What was to finish the offset has left memory without doing so. */
  dropped?(): void
}

/**
 * The offsets that are finished by one piece of work: its own, and those of duplicates that were
 * dropped because of it. A duplicate is no safer than its original, so it is done with it, not before.
 */
export class Completion {
  private offsets: { owner: OffsetOwner; offset: number }[]
  private finished = false

  constructor(owner: OffsetOwner, offset: number) {
    this.offsets = [{ owner, offset }]
  }

  /** These offsets are done with those of the other, which does the work. */
  follow(other: Completion): void {
    for (const { owner, offset } of this.offsets)
      if (other.finished) owner.done(offset)
      else other.offsets.push({ owner, offset })
  }

  /** Whether anyone here still owns it; if not, the next owner reads it again. */
  get owned(): boolean {
    return this.offsets.some(({ owner }) => !owner.revoked.aborted)
  }

  done(): void {
    this.finished = true
    for (const { owner, offset } of this.offsets) owner.done(offset)
  }

  /** The work leaves memory: duplicates that can be read again are. */
  drop(): void {
    const [own, ...ties] = this.offsets
    this.offsets = [own!, ...ties.filter(({ owner }) => !owner.dropped)]
    for (const { owner } of ties) owner.dropped?.()
  }
}
