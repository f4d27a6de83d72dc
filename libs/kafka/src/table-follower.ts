import type { ReadDocument, TopicContract } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'

export interface TablePosition {
  readonly partition: number
  readonly offset: number
  /** Of the document that was read; undefined for a tombstone. */
  readonly version: number | undefined
  /** Older than what the table already has, which stays. */
  readonly stale: boolean
}

export interface TableFollowerOptions<T extends { id: string; version: number }> {
  readonly topic: TopicContract
  readonly decode: (value: Buffer | null) => ReadDocument<T>
  readonly fatal: (error: Error) => void
  readonly onChange?: (id: string, document: T | undefined, position: TablePosition) => void
}

const NOT_YET = 'not built yet'

export class TableFollower<T extends { id: string; version: number }> {
  constructor(
    readonly connection: KafkaConnection,
    readonly options: TableFollowerOptions<T>,
  ) {}

  async start(): Promise<void> {
    throw new Error(NOT_YET)
  }

  get(_id: string): T | undefined {
    return undefined
  }

  values(): Iterable<T> {
    return []
  }

  get size(): number {
    return 0
  }

  async waitFor(_id: string, _version: number, _timeoutMs: number): Promise<boolean> {
    throw new Error(NOT_YET)
  }

  async readToEnd(): Promise<void> {
    throw new Error(NOT_YET)
  }

  async stop(): Promise<void> {
    throw new Error(NOT_YET)
  }
}
