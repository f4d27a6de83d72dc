import { DAY_MS, type ReadRecord, type TopicContract, type TopicRecord } from './contract.js'
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

/** `subscription_unreadable`: a newer version wrote it; the event is set aside for that webhook alone. */
export type PoisonReason =
  | 'undecodable'
  | 'invalid_event'
  | 'event_type_unknown'
  | 'schema_mismatch'
  | 'too_large'
  | 'handler_failed'
  | 'subscription_unreadable'

export interface PoisonHead {
  /** Without the deployment's prefix; of a user's own topic the whole name. */
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
  /** Which source read it, where it stood on a user's own topic. */
  readonly source?: string
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

/** Why a record is set aside, in words for the person who looks at it. */
export type PoisonCause = Pick<PoisonHead, 'reason' | 'detail' | 'pointers' | 'source'>

/** A foreign producer may send headers of any size; with the body they must stay under the record limit. */
const MAX_HEADER_CHARACTERS = 65_536
const MAX_TEXT = 4096
const MAX_POINTERS = 100

/** The poison of a record that was read: where it stands, what is wrong, and its bytes where they fit. */
export function poisonRecord(
  record: ReadRecord & { readonly partition: number; readonly offset: number },
  topic: string,
  { reason, detail, pointers, source }: PoisonCause,
): TopicRecord {
  const headers = headersOf(record)
  return encodePoison(
    {
      topic,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      reason,
      detail: detail.slice(0, MAX_TEXT),
      ...(pointers === undefined ? {} : { pointers: pointers.slice(0, MAX_POINTERS) }),
      ...(source === undefined ? {} : { source }),
      ...(record.key === null ? {} : { key: record.key.toString('utf8', 0, MAX_TEXT) }),
      ...(headers === undefined ? {} : { headers }),
      size: record.value?.length ?? 0,
    },
    record.value,
  )
}

function headersOf(record: ReadRecord): Record<string, string> | undefined {
  const headers: Record<string, string> = {}
  let room = MAX_HEADER_CHARACTERS
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    const text = (Array.isArray(value) ? value[0] : value)?.toString()
    if (text === undefined || name.length + text.length > room) continue
    room -= name.length + text.length
    headers[name] = text
  }
  return Object.keys(headers).length === 0 ? undefined : headers
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
