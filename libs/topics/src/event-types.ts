import type { TopicRecord } from './contract.js'
import { decodeDocument, encodeDocument, type ReadDocument } from './tables.js'

/**
 * catalogue.v1: the event types that somebody registered, with the schema that their events are held against.
 * The built-in types stand here only where somebody changed them.
 *
 *   key   = (tenant, or "*" for the platform) "/" type
 *   value = JSON object {v: 1, id, version, …EventTypeDocument}
 */
export interface EventTypeDocument {
  readonly id: string
  /** Null: of the platform, for every tenant that has none of this name itself. */
  readonly tenant: string | null
  readonly type: string
  /** Of the document; grows with every change of the type. */
  readonly version: number
  /** An archived type is not checked; `deleted` goes with its tenant. */
  readonly status: 'active' | 'deprecated' | 'archived' | 'deleted'
  readonly mode: 'off' | 'warn' | 'enforce'
  /** Number of the schema's version; 0 without one. */
  readonly schemaVersion: number
  /** JSON Schema of the events' data. */
  readonly schema?: unknown
}

export function eventTypeKey(tenant: string | null, type: string): string {
  return `${tenant ?? '*'}/${type}`
}

export const encodeEventType = (type: EventTypeDocument): TopicRecord => encodeDocument(type)

export function decodeEventType(value: Buffer | null): ReadDocument<EventTypeDocument> {
  const read = decodeDocument<EventTypeDocument>(value)
  if (read.kind !== 'document' || typeof read.document.type === 'string') return read
  return { kind: 'bad', detail: 'the document must have type' }
}
