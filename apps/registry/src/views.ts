import type { AttemptView, DeliveryView, EventView, ListedAttemptView, ListedEventView } from '@posthorn/api'
import type { AttemptRecord, DeliveryRecord, EventHead, EventRecord } from '@posthorn/store'
import { isJsonMediaType, type DeliveryStatus } from '@posthorn/webhook'
import type { TraceLink } from './trace-link.js'

const time = (date: Date): string => date.toISOString()
const timeOrNull = (date: Date | null): string | null => date && time(date)

export function listedEventView({ event, acceptedAt }: EventHead): ListedEventView {
  const { tenant: _tenant, contenttype, ...attributes } = event
  return { ...attributes, datacontenttype: contenttype, accepted_at: time(acceptedAt) }
}

export function eventView(event: EventHead, deliveries: Readonly<Record<DeliveryStatus, number>>): EventView {
  return { ...listedEventView(event), deliveries }
}

/**
 * The answer to a read of one event. JSON data stands in it byte for byte as its producer sent it,
 * so that no number loses digits by being parsed and written again.
 */
export function eventJson(record: EventRecord, deliveries: Readonly<Record<DeliveryStatus, number>>): string {
  const head = JSON.stringify(eventView(record, deliveries))
  const { data } = record
  if (data.length === 0) return head
  const field =
    isJsonMediaType(record.event.contenttype) && isJson(data)
      ? `"data":${data.toString('utf8')}`
      : `"data_base64":"${data.toString('base64')}"`
  return `${head.slice(0, -1)},${field}}`
}

/** A producer straight to Kafka may have called JSON what is none. */
function isJson(data: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data))
    return true
  } catch {
    return false
  }
}

export function deliveryView(row: DeliveryRecord): DeliveryView {
  return {
    id: row.id,
    webhook: row.webhook,
    event: row.event,
    run: row.run,
    status: row.status,
    attempts_made: row.attempts,
    next_attempt_at: timeOrNull(row.nextAttemptAt),
    accepted_at: time(row.acceptedAt),
    updated_at: time(row.updatedAt),
    last_error_class: row.lastErrorClass,
    last_status_code: row.lastStatusCode,
    discarded_at: timeOrNull(row.discardedAt),
    discarded_by: row.discardedBy,
  }
}

/** `link` undefined: nobody has said where traces are to be seen. */
export function attemptView(row: AttemptRecord, link: TraceLink | undefined): AttemptView {
  return {
    run: row.run,
    attempt: row.attempt,
    webhook_version: row.webhookVersion,
    outcome: row.outcome,
    discard_reason: row.discardReason,
    due_at: time(row.dueAt),
    started_at: time(row.startedAt),
    finished_at: time(row.finishedAt),
    duration_ms: row.durationMs,
    url: row.url,
    status_code: row.statusCode,
    error_class: row.errorClass,
    error: row.error,
    advice: row.advice,
    response_body: row.responseBody,
    next_attempt_at: timeOrNull(row.nextAttemptAt),
    trace_id: row.traceId,
    span_id: row.spanId,
    trace_url: (row.traceId !== null && link?.(row.traceId, row.startedAt)) || null,
    remote_address: row.wire?.remote_address ?? null,
    tls_version: row.wire?.tls_version ?? null,
    certificate_expires_at: row.wire?.certificate_expires_at ?? null,
    phases: (row.wire?.phases ?? null) as AttemptView['phases'],
  }
}

export function listedAttemptView(row: AttemptRecord, link: TraceLink | undefined): ListedAttemptView {
  return { delivery: row.delivery, webhook: row.webhook, ...attemptView(row, link) }
}
