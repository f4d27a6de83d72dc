/** What a topic has to be like for Posthorn to run on it; the `topics` command creates and compares. */
export interface TopicContract {
  /** Name without the deployment's prefix. */
  readonly name: string
  readonly cleanup: 'delete' | 'compact'
  /** Undefined for compacted topics. */
  readonly retentionMs?: number
  /** `work` follows POSTHORN_KAFKA_PARTITIONS; `table` is small, read whole by every reader, and has one. */
  readonly partitions: 'work' | 'table'
}

/** A record to be produced; the partition is always chosen by us (kafkajs can lose track otherwise). */
export interface TopicRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, string>>
}

/** A record as read, whatever client read it. */
export interface ReadRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>
  /** The log's append time, ms since the epoch. */
  readonly timestamp: number
}

/** No record is larger; the topics are created with it. */
export const MAX_RECORD_BYTES = 2 * 1024 * 1024

export const DAY_MS = 24 * 3600_000

/** The full name of a topic under the deployment's prefix (`posthorn.` unless set). */
export function topicName(prefix: string, contract: TopicContract): string {
  return prefix + contract.name
}
