import type { ConsumedRecord } from '@posthorn/kafka'
import { encodePoison, type PoisonReason, type TopicRecord } from '@posthorn/topics'

/** Why a record cannot become deliveries, in words for the person who looks at it. */
export interface Verdict {
  readonly kind: 'poison'
  readonly reason: PoisonReason
  readonly detail: string
  readonly pointers?: readonly string[]
}

/** A foreign producer may send headers of any size; with the body they must stay under the record limit. */
const MAX_HEADER_CHARACTERS = 65_536
const MAX_TEXT = 4096
const MAX_POINTERS = 100

/** The record of the poison topic: where the bad one stands, what is wrong, and its bytes where they fit. */
export function poisonRecord(record: ConsumedRecord, { reason, detail, pointers }: Verdict): TopicRecord {
  const headers = headersOf(record)
  return encodePoison(
    {
      topic: record.topic.name,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      reason,
      detail: detail.slice(0, MAX_TEXT),
      ...(pointers === undefined ? {} : { pointers: pointers.slice(0, MAX_POINTERS) }),
      ...(record.key === null ? {} : { key: record.key.toString('utf8', 0, MAX_TEXT) }),
      ...(headers === undefined ? {} : { headers }),
      size: record.value?.length ?? 0,
    },
    record.value,
  )
}

function headersOf(record: ConsumedRecord): Record<string, string> | undefined {
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
