import { isUtf8 } from 'node:buffer'
import { TENANT_PATTERN } from '@posthorn/webhook'
import { ATTEMPTS, decodeAttempt } from './attempts.js'
import { DAY_MS, type ReadRecord, type TopicContract, type TopicRecord } from './contract.js'
import { DEAD_LETTERS, decodeDeadLetter } from './dead-letters.js'
import { decodeDelivery } from './deliveries.js'
import { decodeEvent, EVENTS } from './events.js'
import { frame, unframe } from './frame.js'
import { REDRIVE_HEADER, redriveOf, type PoisonReader } from './redrive.js'

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
  /** Whether the key or a header is not here as it was: too long, not text, or one of several of its name. */
  readonly partial?: true
  /** The service that set it aside, where others of the topic had read it. */
  readonly reader?: PoisonReader
  /** The only webhook that it was set aside for. */
  readonly webhook?: string
  /** How many times it was set aside so far; absent: once. */
  readonly count?: number
  /** Id of the poison that it was before it was redriven. */
  readonly previous?: string
}

/** A larger value is not kept: with its head it could pass the record limit. */
const MAX_BODY = 1024 * 1024

export function encodePoison(head: PoisonHead, value: Uint8Array | null): TopicRecord {
  const body = value && value.length <= MAX_BODY ? value : Buffer.alloc(0)
  return { key: Buffer.from(`${head.topic}/${head.partition}/${head.offset}`), value: frame(head, body) }
}

/** Why a record is set aside, in words for the person who looks at it. */
export type PoisonCause = Pick<PoisonHead, 'reason' | 'detail' | 'pointers' | 'source' | 'reader' | 'webhook'>

/** A foreign producer may send headers of any size; with the body they must stay under the record limit. */
const MAX_HEADER_CHARACTERS = 65_536
const MAX_TEXT = 4096
const MAX_POINTERS = 100

/** The poison of a record that was read: where it stands, what is wrong, and its bytes where they fit. */
export function poisonRecord(
  record: ReadRecord & { readonly partition: number; readonly offset: number },
  topic: string,
  { detail, pointers, ...cause }: PoisonCause,
): TopicRecord {
  const { headers, partial } = headersOf(record)
  const redrive = redriveOf(record)
  return encodePoison(
    {
      topic,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      ...cause,
      detail: detail.slice(0, MAX_TEXT),
      ...(pointers === undefined ? {} : { pointers: pointers.slice(0, MAX_POINTERS) }),
      ...(record.key === null ? {} : { key: record.key.toString('utf8', 0, MAX_TEXT) }),
      ...(headers === undefined ? {} : { headers }),
      size: record.value?.length ?? 0,
      ...(partial || isCut(record.key) ? { partial: true } : {}),
      ...(redrive ? { count: redrive.count + 1, previous: redrive.of } : {}),
    },
    record.value,
  )
}

function isCut(key: Buffer | null): boolean {
  return key !== null && (key.length > MAX_TEXT || !isUtf8(key))
}

interface KeptHeaders {
  readonly headers: Record<string, string> | undefined
  readonly partial: boolean
}

function headersOf(record: ReadRecord): KeptHeaders {
  const headers: Record<string, string> = {}
  let [room, partial] = [MAX_HEADER_CHARACTERS, false]
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    if (name === REDRIVE_HEADER) continue
    const one = Array.isArray(value) ? value[0] : value
    const text = one?.toString()
    partial ||= Array.isArray(value) && value.length > 1
    partial ||= Buffer.isBuffer(one) && !isUtf8(one)
    if (text === undefined) continue
    if (name.length + text.length > room) {
      partial = true
      continue
    }
    room -= name.length + text.length
    headers[name] = text
  }
  return { headers: Object.keys(headers).length === 0 ? undefined : headers, partial }
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

/** Whose record it was, where that can be told: what nobody can read, and what stood on a user's own topic, is the platform's. */
export function poisonTenant(head: PoisonHead, body: Buffer, defaultTenant: string | undefined): string | undefined {
  if (head.source !== undefined) return undefined
  const named = tenantNamed(head, body, defaultTenant)
  return named !== undefined && TENANT_PATTERN.test(named) ? named : undefined
}

function tenantNamed(head: PoisonHead, body: Buffer, defaultTenant: string | undefined): string | undefined {
  switch (head.topic) {
    case EVENTS.name: {
      const { headers = {}, timestamp } = head
      const read = decodeEvent({ key: null, value: body, headers, timestamp }, defaultTenant)
      if (read.kind !== 'bad') return read.event.tenant
      return Object.entries(headers).find(([name]) => name.toLowerCase() === 'ce_tenant')?.[1]
    }
    case ATTEMPTS.name: {
      const read = decodeAttempt(body)
      return read.kind === 'attempt' ? read.attempt.tenant : undefined
    }
    case DEAD_LETTERS.name: {
      const read = decodeDeadLetter(body)
      return read.kind === 'dead-letter' ? read.lastAttempt.tenant : undefined
    }
    default: {
      const read = decodeDelivery(body)
      return read.kind === 'delivery' ? read.delivery.tenant : undefined
    }
  }
}
