import type { ReadRecord, TopicContract } from '@posthorn/topics'

/** A record of a group's topic. Key and value are copies: they outlive the fetch they came with. */
export interface ConsumedRecord extends ReadRecord {
  readonly topic: TopicContract
  readonly partition: number
  readonly offset: number
}

/** One partition, held during one stretch of ownership. After it every method does nothing. */
export interface PartitionClaim {
  readonly topic: TopicContract
  readonly partition: number
  /** Marks a received record finished; the lowest unfinished offset is what gets committed. Twice is harmless. */
  done(offset: number): void
  /** Stops fetching this partition until resume(); the loop also pauses it by itself when its window is full. */
  pause(): void
  resume(): void
  /** Aborts when the partition is lost or the consumer stops. */
  readonly revoked: AbortSignal
}

export interface RecordBatch {
  readonly claim: PartitionClaim
  readonly records: readonly ConsumedRecord[]
}

/** Only enqueues; must not throw (a throw is fatal). */
export type BatchHandler = (batch: RecordBatch) => void | Promise<void>

export interface GroupConsumerOptions {
  /** Without the deployment's prefix. */
  readonly group: string
  readonly topics: readonly TopicContract[]
  readonly onBatch: BatchHandler
  /** Called once when the consumer is dead and does not come back by itself. */
  readonly fatal: (error: Error) => void
  /** Said by services that rely on equal partitions of their topics being together; every group is assigned so. */
  readonly copartitioned?: boolean
  /** Largest distance between the lowest unfinished and the newest received offset of a partition; 16,384. */
  readonly window?: number
  /** Bytes received and unfinished over all partitions of this consumer; 64 MiB. */
  readonly maxUnfinishedBytes?: number
  /** What a record is counted with beside its bytes: what is kept of it until it is finished. 200 unless given. */
  readonly recordOverhead?: number
  /** Bytes of one fetch, a quarter of it and 1 MiB at most from one partition; 8 MiB. */
  readonly maxFetchBytes?: number
  /** For readers that are in no hurry: a fetch is answered with so many bytes, or after so long (ms). */
  readonly unhurried?: { readonly minBytes: number; readonly maxWaitMs: number }
  /** Called with what is newly owned, before its first batch; fetching it waits for the promise. */
  readonly onAssigned?: (claims: PartitionClaim[]) => Promise<void> | void
  /**
   * Called when the group is about to be shared out anew, which waits for the promise: what is under way
   * should end, until the signal aborts, and nothing begin while healthyMembership() is false.
   */
  readonly onRebalancing?: (signal: AbortSignal) => Promise<void>
  /** Called with what is lost, after its `revoked` has aborted. */
  readonly onRevoked?: (claims: PartitionClaim[]) => void
}
