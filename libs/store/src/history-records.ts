import type { AttemptWire, PoisonReader } from '@posthorn/topics'
import type { DeliveryStatus, WebhookEvent } from '@posthorn/webhook'

/** A `pg` pool or a TypeORM DataSource: both take text and values, and answer rows or a result with rows. */
export interface SqlSource {
  query(text: string, values?: unknown[]): Promise<unknown>
}

/** The rows of a statement, whichever of the two it is asked of. */
export async function rowsOf<Row>(source: SqlSource, text: string, values: unknown[]): Promise<Row[]> {
  const result = await source.query(text, values)
  return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as Row[]
}

/** An event without its data. */
export interface EventHead {
  readonly event: WebhookEvent
  readonly acceptedAt: Date
}

export interface EventRecord extends EventHead {
  readonly data: Buffer
}

export interface DeliveryRecord {
  readonly id: string
  readonly tenant: string
  readonly webhook: string
  readonly event: { readonly id: string; readonly source: string; readonly type: string }
  /** The run that the state below belongs to: the latest. */
  readonly run: string
  readonly status: DeliveryStatus
  /** Attempts made in that run. */
  readonly attempts: number
  readonly nextAttemptAt: Date | null
  readonly acceptedAt: Date
  readonly updatedAt: Date
  readonly lastErrorClass: string | null
  readonly lastStatusCode: number | null
  /** When its dead letter was discarded; null of what is open, or none. */
  readonly discardedAt: Date | null
  /** Id of the key that was used. */
  readonly discardedBy: string | null
}

export interface AttemptRecord {
  readonly delivery: string
  readonly webhook: string
  readonly run: string
  readonly attempt: number
  readonly webhookVersion: number
  readonly outcome: string
  readonly discardReason: string | null
  readonly dueAt: Date
  readonly startedAt: Date
  readonly finishedAt: Date
  readonly durationMs: number
  readonly url: string | null
  readonly statusCode: number | null
  readonly errorClass: string | null
  readonly error: string | null
  readonly advice: string | null
  readonly responseBody: string | null
  readonly nextAttemptAt: Date | null
  readonly next: string | null
  readonly traceId: string | null
  readonly spanId: string | null
  readonly wire: AttemptWire | null
}

export interface PoisonRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** When the log took the record. */
  readonly at: Date
  readonly reason: string
  readonly detail: string
  readonly pointers: readonly string[]
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of the whole value. */
  readonly size: number
  /** Bytes of it that are kept. */
  readonly kept: number
  /** Whether the key or a header is not here as it was. */
  readonly partial: boolean
  /** Null: nobody's that is known. */
  readonly tenant: string | null
  /** Which source read it on a user's own topic. */
  readonly source: string | null
  /** The service that set it aside, where others had read it. */
  readonly reader: PoisonReader | null
  /** The only webhook that it was set aside for. */
  readonly webhook: string | null
  /** How many times it was set aside. */
  readonly count: number
  /** Id of the poison that it was before. */
  readonly previous: string | null
  readonly redrivenAt: Date | null
  /** Id of the key that was used. */
  readonly redrivenBy: string | null
  /** What is kept of it; in a list the first 4,096 bytes. */
  readonly value: Buffer
}

interface EventHeadColumns {
  readonly tenant: string
  readonly id: string
  readonly source: string
  readonly type: string
  readonly contenttype: string
  readonly attributes: Partial<WebhookEvent>
  readonly time: Date
  readonly accepted_at: Date
}

export type EventColumns = EventHeadColumns & { readonly data: Buffer }

export const EVENT_COLUMNS = 'tenant, id, source, type, contenttype, attributes, time, accepted_at'

export function eventHeadOf(row: EventHeadColumns): EventHead {
  const { tenant, id, source, type, contenttype, attributes } = row
  return {
    event: { time: row.time.toISOString(), ...attributes, tenant, id, source, type, contenttype },
    acceptedAt: row.accepted_at,
  }
}

export function eventOf(row: EventColumns): EventRecord {
  return { ...eventHeadOf(row), data: row.data }
}

export type DeliveryColumns = Omit<DeliveryRecord, 'event'> & {
  readonly event_id: string
  readonly event_source: string
  readonly event_type: string
}

export const DELIVERY_COLUMNS = `id, tenant, webhook, event_id, event_source, event_type, run, status, attempts,
  next_attempt_at as "nextAttemptAt", accepted_at as "acceptedAt", updated_at as "updatedAt",
  last_error_class as "lastErrorClass", last_status_code as "lastStatusCode",
  discarded_at as "discardedAt", discarded_by as "discardedBy"`

export function deliveryOf({ event_id, event_source, event_type, ...row }: DeliveryColumns): DeliveryRecord {
  return { ...row, event: { id: event_id, source: event_source, type: event_type } }
}

export const ATTEMPT_COLUMNS = `delivery, webhook, run, attempt, webhook_version as "webhookVersion", outcome,
  discard_reason as "discardReason", due_at as "dueAt", started_at as "startedAt", finished_at as "finishedAt",
  duration_ms as "durationMs", url, status_code as "statusCode", error_class as "errorClass", error, advice,
  response_body as "responseBody", next_attempt_at as "nextAttemptAt", next, trace_id as "traceId", span_id as "spanId", wire`
