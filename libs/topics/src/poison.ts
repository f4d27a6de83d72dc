import { DAY_MS, type TopicContract, type TopicRecord } from './contract.js'
import { frame, unframe } from './frame.js'

/**
 * poison.v1: records that could not be decoded or accepted, so that they stop nothing and are not lost.
 *
 *   key   = topic/partition/offset of the record
 *   value = frame; head = PoisonHead, body = the record's value where it fits
 */
export const POISON: TopicContract = {
  name: 'poison.v1',
  cleanup: 'delete',
  retentionMs: 30 * DAY_MS,
  partitions: 'work',
}

export type PoisonReason = 'undecodable' | 'invalid_event' | 'too_large' | 'handler_failed'

export interface PoisonHead {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Append time of the record, ms since the epoch. */
  readonly timestamp: number
  readonly reason: PoisonReason
  /** For a person: what is wrong and where. */
  readonly detail: string
  /** JSON Pointers of the faults, for an event that was readable but not acceptable. */
  readonly pointers?: readonly string[]
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes of the value; the body is empty when it was too large to keep. */
  readonly size: number
}

/** A larger value is not kept: with its head it could pass the record limit. */
const MAX_BODY = 1024 * 1024

export function encodePoison(head: PoisonHead, value: Uint8Array | null): TopicRecord {
  const body = value && value.length <= MAX_BODY ? value : Buffer.alloc(0)
  return { key: Buffer.from(`${head.topic}/${head.partition}/${head.offset}`), value: frame(head, body) }
}

export type ReadPoison =
  | { readonly kind: 'poison'; readonly head: PoisonHead; readonly body: Buffer }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'bad'; readonly detail: string }

export function decodePoison(value: Buffer | null): ReadPoison {
  const read = unframe(value)
  if (read.kind !== 'frame') return read
  const head = read.head as Partial<PoisonHead>
  if (
    typeof head.topic !== 'string' ||
    typeof head.reason !== 'string' ||
    !Number.isSafeInteger(head.partition) ||
    !Number.isSafeInteger(head.offset)
  )
    return { kind: 'bad', detail: 'head must have topic, partition, offset and reason' }
  return { kind: 'poison', head: head as PoisonHead, body: read.body }
}
