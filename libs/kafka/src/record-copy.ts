import type { TopicContract } from '@posthorn/topics'
import type { KafkaMessage } from 'kafkajs'
import type { ConsumedRecord } from './record.js'

/**
 * kafkajs hands out slices of the fetch response: one record of 1 KiB would hold up to 8 MiB. Copies
 * go into slabs: few allocations, and a record that is kept long holds 64 KiB at most beside itself.
 * The first slab has the size of the first record and each further one that of all before it, because
 * batches of a quiet topic are a record or two.
 */
const LARGEST_SLAB_BYTES = 64 * 1024

export class RecordCopier {
  private slab = Buffer.alloc(0)
  private used = 0
  private copied = 0

  constructor(
    private readonly topic: TopicContract,
    private readonly partition: number,
  ) {}

  copy(message: KafkaMessage, offset: number): ConsumedRecord {
    return {
      topic: this.topic,
      partition: this.partition,
      offset,
      key: this.keep(message.key),
      value: this.keep(message.value),
      headers: this.keepHeaders(message.headers),
      timestamp: Number(message.timestamp),
    }
  }

  private keepHeaders(headers: KafkaMessage['headers']): ConsumedRecord['headers'] {
    let kept: Record<string, Buffer | Buffer[] | undefined> | undefined
    for (const name in headers) {
      const value = headers[name]
      kept ??= {}
      kept[name] = Array.isArray(value) ? value.filter(isPresent).map(one => this.keep(one)) : this.keepOne(value)
    }
    return kept
  }

  private keepOne(value: unknown): Buffer | undefined {
    return isPresent(value) ? this.keep(value) : undefined
  }

  private keep(bytes: Buffer): Buffer
  private keep(bytes: Buffer | null): Buffer | null
  private keep(bytes: Buffer | null): Buffer | null {
    if (!bytes) return null
    if (bytes.length >= LARGEST_SLAB_BYTES / 2) return Buffer.from(bytes)
    if (this.used + bytes.length > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(Math.max(bytes.length, Math.min(this.copied, LARGEST_SLAB_BYTES)))
      this.used = 0
    }
    this.copied += bytes.length
    const kept = this.slab.subarray(this.used, this.used + bytes.length)
    bytes.copy(kept)
    this.used += bytes.length
    return kept
  }
}

/**
 * kafkajs has null for a header without a value, which Kafka allows, and before the first value of a
 * name such as "constructor" what every object has of that name.
 */
function isPresent(value: unknown): value is Buffer {
  return Buffer.isBuffer(value)
}
