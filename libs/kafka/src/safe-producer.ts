import type { TopicContract, TopicRecord } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'

export interface SendOptions {
  readonly partition?: number
  readonly timeoutMs?: number
}

export interface RecordPosition {
  readonly partition: number
  readonly offset: number
}

/** The record can never be accepted: too large, or without a key on a compacted topic. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused'
}

/** No acknowledgement within `timeoutMs`; the record may still arrive. */
export class ProduceTimeout extends Error {
  override readonly name = 'ProduceTimeout'
}

/** The producer was closed before the record was acknowledged. */
export class ProducerClosed extends Error {
  override readonly name = 'ProducerClosed'
}

const NOT_YET = 'not built yet'

export class SafeProducer {
  constructor(
    readonly connection: KafkaConnection,
    readonly options: { readonly maxQueuedBytes?: number } = {},
  ) {}

  get queuedBytes(): number {
    return 0
  }

  async connect(): Promise<void> {
    throw new Error(NOT_YET)
  }

  async send(_topic: TopicContract, _record: TopicRecord, _options?: SendOptions): Promise<RecordPosition> {
    throw new Error(NOT_YET)
  }

  async room(): Promise<void> {
    throw new Error(NOT_YET)
  }

  async partitionsOf(_topic: TopicContract): Promise<number> {
    throw new Error(NOT_YET)
  }

  async flush(): Promise<void> {
    throw new Error(NOT_YET)
  }

  async close(): Promise<void> {
    throw new Error(NOT_YET)
  }
}
