import type { ReadRecord } from '@posthorn/topics'
import type { KeptBytes } from './slab-pool.js'

/** What the scheduler asks of a partition it holds; offsets may be finished in any order. */
export interface Claim {
  done(offset: number): void
  pause(): void
  resume(): void
}

/** A record of a delay topic: its bytes as they came, decoded only when its time has come. */
export interface WaitingRecord extends KeptBytes {
  readonly offset: number
  /** The log's append time, ms since the epoch. */
  readonly timestamp: number
  /** Of a record that was set aside before, for the case that it is again. */
  readonly headers?: ReadRecord['headers']
}

interface Queued {
  readonly record: WaitingRecord
  readonly releaseAt: number
}

/** Taken records leave a gap at the front; from this size on it is closed. */
const COMPACT_AT = 1024

/**
 * One partition of one delay topic: the records read ahead, in the order of the log. All wait the
 * same time, so the head is always the first to leave.
 */
export class Lane<C extends Claim = Claim> {
  /** Records of this partition in memory, waiting or on their way out, and the bytes of their values. */
  heldRecords = 0
  heldBytes = 0
  paused = false
  private queue: (Queued | undefined)[] = []
  private head = 0

  constructor(
    readonly claim: C,
    readonly topic: string,
    readonly partition: number,
    readonly delayMs: number,
  ) {}

  /** When the head may leave; undefined when nothing waits. */
  get releaseAt(): number | undefined {
    return this.queue[this.head]?.releaseAt
  }

  push(record: WaitingRecord, now: number): void {
    // A broker whose clock is ahead must not make its records late.
    this.queue.push({ record, releaseAt: Math.min(record.timestamp, now) + this.delayMs })
  }

  shift(): WaitingRecord {
    const { record } = this.queue[this.head]!
    this.queue[this.head++] = undefined
    if (this.head >= COMPACT_AT && this.head * 2 >= this.queue.length) {
      this.queue = this.queue.slice(this.head)
      this.head = 0
    }
    return record
  }
}
