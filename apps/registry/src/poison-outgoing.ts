import { ApiError } from '@posthorn/api'
import { sourceDocument, type PoisonRecord, type Sources } from '@posthorn/store'
import {
  encodeEvent,
  EVENTS,
  redriveHeader,
  redriveTopic,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import { compileSource, type SourceRecord } from '@posthorn/webhook'

/** A record that is to be produced. */
export interface Outgoing {
  readonly topic: TopicContract
  readonly record: TopicRecord
  /** Where it stood; absent: by its key. */
  readonly partition?: number
}

/** Whether the record can be put back with the very bytes that it had. */
export function isRedrivable({ topic, source, reader, size, kept, partial }: PoisonRecord): boolean {
  return size === kept && !partial && (source !== null || redriveTopic(topic, reader ?? undefined) !== undefined)
}

/**
 * The record as it was, on the topic that it came from, with a header that says how often it was set aside and who
 * alone is to read it. Throws ApiError poison_not_redrivable.
 */
export function putBack(id: string, row: PoisonRecord): Outgoing {
  const { key, headers, value, reader, webhook, count, partition } = row
  const topic = redriveTopic(row.topic, reader ?? undefined)
  if (!topic) throw refused('Others of its topic have handled it, and would do so again.')
  requireWhole(row)
  const again = { of: id, count, ...(reader === null ? {} : { reader }), ...(webhook === null ? {} : { webhook }) }
  const record = {
    key: key === null ? null : Buffer.from(key),
    value,
    headers: { ...headers, ...redriveHeader(again) },
  }
  return { topic, record, partition }
}

/** What a topic of a user's own is read by. */
export interface SourceParts {
  readonly sources: Pick<Sources, 'get'>
  /** Throws ApiError tenant_not_found. */
  requireTenant(tenant: string): Promise<unknown>
}

/**
 * The event that the source makes of the record now. Nothing is written to the user's own topic, which has other
 * readers. Throws ApiError poison_not_redrivable, tenant_not_found.
 */
export async function mapAgain(row: PoisonRecord, source: string, parts: SourceParts): Promise<Outgoing> {
  requireWhole(row)
  const found = await parts.sources.get(source)
  if (!found)
    throw refused(`The source ${source} was deleted, or is of the configuration, which this API does not know.`)
  const mapped = compileSource(sourceDocument(found))(recordOf(row))
  switch (mapped.kind) {
    case 'event':
      await parts.requireTenant(mapped.event.tenant)
      return { topic: EVENTS, record: encodeEvent(mapped.event, mapped.data) }
    case 'bad': {
      const [first] = mapped.problems
      throw refused(`The source still makes no event of it: ${first!.pointer} ${first!.message}.`)
    }
    case 'tombstone':
      throw refused('It has no value.')
  }
}

function recordOf({ topic, partition, offset, at, key, value, headers }: PoisonRecord): SourceRecord {
  const bytes = key === null ? null : Buffer.from(key)
  return { topic, partition, offset, timestamp: at.getTime(), key: bytes, value, headers }
}

function requireWhole({ size, kept, partial }: PoisonRecord): void {
  if (size !== kept) throw refused(`Of its ${size} bytes ${kept} were kept.`)
  if (partial) throw refused('Its key or one of its headers was not kept as it was: it is too long, or no text.')
}

function refused(detail: string): ApiError {
  return new ApiError('poison_not_redrivable', detail)
}
