import type { ConsumedRecord } from '@posthorn/kafka'
import { encodePoison, type PoisonReason, type TopicRecord } from '@posthorn/topics'

const MAX_TEXT = 4096

/** The record of the poison topic for one that history cannot take: where it stands, why, and its bytes where they fit. */
export function poisonRecord(record: ConsumedRecord, reason: PoisonReason, detail: string): TopicRecord {
  return encodePoison(
    {
      topic: record.topic.name,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      reason,
      detail: detail.slice(0, MAX_TEXT),
      ...(record.key === null ? {} : { key: record.key.toString('utf8', 0, MAX_TEXT) }),
      size: record.value?.length ?? 0,
    },
    record.value,
  )
}
