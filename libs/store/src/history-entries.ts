import type { Attempt, AttemptWire, PoisonHead } from '@posthorn/topics'
import type { Delivery, WebhookEvent } from '@posthorn/webhook'

/** What a record means for the history. */
export type HistoryEntry =
  | { readonly kind: 'event'; readonly event: WebhookEvent; readonly data: Buffer; readonly acceptedAt: number }
  | { readonly kind: 'delivery'; readonly delivery: Delivery }
  | { readonly kind: 'attempt'; readonly attempt: Attempt }
  /** The attempt that ended a delivery, told once more: it makes the same rows but is not counted again. */
  | { readonly kind: 'dead-letter'; readonly attempt: Attempt }
  | { readonly kind: 'poison'; readonly head: PoisonHead; readonly value: Buffer; readonly tenant?: string }
  /** Leaves no row; only its offset passes. */
  | { readonly kind: 'nothing' }

/** An entry and the record it comes from. The topic is its full name, prefix included. */
export interface PositionedEntry {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Append time of the record, ms since the epoch. */
  readonly timestamp: number
  readonly entry: HistoryEntry
}

export interface EventRow {
  readonly day: string
  readonly tenant: string
  readonly id: string
  readonly source: string
  readonly type: string
  readonly time: string
  /** All attributes that have no column, as JSON. */
  readonly attributes: string
  readonly contenttype: string
  readonly data: Buffer
  readonly acceptedAt: string
}

export interface DeliveryRow {
  readonly day: string
  readonly id: string
  readonly tenant: string
  readonly webhook: string
  readonly run: string
  readonly eventId: string
  readonly eventSource: string
  readonly eventType: string
  readonly status: string
  readonly attempts: number
  readonly nextAttemptAt: string | null
  readonly acceptedAt: string
  readonly updatedAt: string
  readonly lastErrorClass: string | null
  readonly lastStatusCode: number | null
}

export interface AttemptRow {
  readonly day: string
  readonly delivery: string
  readonly run: string
  readonly attempt: number
  readonly tenant: string
  readonly webhook: string
  readonly webhookVersion: number
  readonly outcome: string
  readonly discardReason: string | null
  readonly dueAt: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly durationMs: number
  readonly url: string | null
  readonly statusCode: number | null
  readonly errorClass: string | null
  readonly error: string | null
  readonly advice: string | null
  readonly responseBody: string | null
  readonly nextAttemptAt: string | null
  readonly next: string | null
  readonly traceId: string | null
  readonly spanId: string | null
  /** AttemptWire as JSON. */
  readonly wire: string | null
}

export interface CounterRow {
  readonly day: string
  readonly tenant: string
  readonly webhook: string
  readonly minute: string
  readonly outcome: string
  count: number
  durationMs: number
  longestMs: number
}

export interface PoisonRow {
  readonly day: string
  readonly at: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly reason: string
  readonly detail: string
  readonly pointers: string
  readonly key: string | null
  readonly headers: string
  readonly size: number
  readonly partial: string
  readonly tenant: string | null
  readonly source: string | null
  readonly reader: string | null
  readonly webhook: string | null
  readonly count: number
  readonly previous: string | null
  readonly value: Buffer
}

const MINUTE_LENGTH = 'YYYY-MM-DDThh:mm'.length
/** Postgres has no year 0 in this notation; such an event's own text of its time is among its attributes. */
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z')
const SUSPECT = /[\0\ud800-\udfff]/
const NOT_STORABLE = /[\0\p{Surrogate}]/gu

/** Text as Postgres can hold it: NUL and halves of surrogate pairs become U+FFFD. */
export function storable(text: string): string {
  if (typeof text !== 'string') throw new TypeError('a text is missing')
  // The exact expression costs nine times the rough one, and 30 texts a delivery come through here.
  return SUSPECT.test(text) ? text.replace(NOT_STORABLE, '\ufffd') : text
}

const optional = (text: string | undefined): string | null => (text === undefined ? null : storable(text))
const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? storable(inner) : inner))

/** ISO text of a time in ms or RFC 3339 (a leap second is the second before). Throws RangeError for anything else. */
function instant(time: number | string): string {
  const ms = typeof time === 'number' ? time : Date.parse(time.replace(/:60(?=\.|[Zz+-])/, ':59'))
  return new Date(Math.max(ms, EARLIEST_MS)).toISOString()
}

const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** The same for times that Posthorn wrote itself: they are what toISOString makes, and a microsecond is saved on each. */
function ownInstant(time: string): string {
  return CANONICAL.test(time) ? time : instant(time)
}

const dayOf = (iso: string): string => iso.slice(0, 10)

export function eventRow(event: WebhookEvent, data: Buffer, accepted: number): EventRow {
  const { tenant, id, source, type, time, contenttype, ...rest } = event
  const at = instant(time)
  const acceptedAt = instant(accepted)
  return {
    day: dayOf(acceptedAt),
    tenant,
    id: storable(id),
    source: storable(source),
    type,
    time: at,
    attributes: json(time === at ? rest : { ...rest, time }),
    contenttype: storable(contenttype),
    data,
    acceptedAt,
  }
}

/** A delivery nobody has attempted yet. */
export function pendingRow(delivery: Delivery): DeliveryRow {
  const acceptedAt = instant(delivery.acceptedAt)
  return {
    day: dayOf(acceptedAt),
    id: storable(delivery.id),
    tenant: storable(delivery.tenant),
    webhook: storable(delivery.webhook),
    run: storable(delivery.run),
    eventId: storable(delivery.event.id),
    eventSource: storable(delivery.event.source),
    eventType: storable(delivery.event.type),
    status: 'pending',
    attempts: 0,
    nextAttemptAt: null,
    acceptedAt,
    updatedAt: acceptedAt,
    lastErrorClass: null,
    lastStatusCode: null,
  }
}

/** The delivery as it stands after this attempt. */
export function attemptedRow(attempt: Attempt): DeliveryRow {
  const acceptedAt = ownInstant(attempt.accepted_at)
  return {
    day: dayOf(acceptedAt),
    id: storable(attempt.delivery),
    tenant: storable(attempt.tenant),
    webhook: storable(attempt.webhook),
    run: storable(attempt.run),
    eventId: storable(attempt.event.id),
    eventSource: storable(attempt.event.source),
    eventType: storable(attempt.event.type),
    status: attempt.outcome,
    attempts: attempt.attempt,
    nextAttemptAt: attempt.next_attempt_at === undefined ? null : ownInstant(attempt.next_attempt_at),
    acceptedAt,
    updatedAt: ownInstant(attempt.finished_at),
    lastErrorClass: optional(attempt.error_class),
    lastStatusCode: attempt.status_code ?? null,
  }
}

export function attemptRow(attempt: Attempt): AttemptRow {
  return {
    day: dayOf(ownInstant(attempt.accepted_at)),
    delivery: storable(attempt.delivery),
    run: storable(attempt.run),
    attempt: attempt.attempt,
    tenant: storable(attempt.tenant),
    webhook: storable(attempt.webhook),
    webhookVersion: attempt.webhook_version,
    outcome: attempt.outcome,
    discardReason: optional(attempt.discard_reason),
    dueAt: ownInstant(attempt.due_at),
    startedAt: ownInstant(attempt.started_at),
    finishedAt: ownInstant(attempt.finished_at),
    durationMs: attempt.duration_ms,
    url: optional(attempt.url),
    statusCode: attempt.status_code ?? null,
    errorClass: optional(attempt.error_class),
    error: optional(attempt.error),
    advice: optional(attempt.advice),
    responseBody: optional(attempt.response_body),
    nextAttemptAt: attempt.next_attempt_at === undefined ? null : ownInstant(attempt.next_attempt_at),
    next: optional(attempt.next),
    traceId: optional(attempt.trace_id),
    spanId: optional(attempt.span_id),
    wire: wireJson(attempt),
  }
}

function wireJson({ remote_address, tls_version, certificate_expires_at, phases }: Attempt): string | null {
  const wire: AttemptWire = { remote_address, tls_version, certificate_expires_at, phases }
  return Object.values(wire).every(value => value === undefined) ? null : json(wire)
}

/** Stands for the webhook in counters of all webhooks of a tenant. */
export const TENANT_TOTAL = ''

/** One attempt as counters, by the minute in which it ended: of its webhook, and of its tenant. */
export function counterRows(attempt: Attempt): CounterRow[] {
  const row = counterRow(attempt)
  return [row, { ...row, webhook: TENANT_TOTAL }]
}

function counterRow(attempt: Attempt): CounterRow {
  const minute = `${ownInstant(attempt.finished_at).slice(0, MINUTE_LENGTH)}:00.000Z`
  return {
    day: dayOf(minute),
    tenant: storable(attempt.tenant),
    webhook: storable(attempt.webhook),
    minute,
    outcome: attempt.outcome,
    count: 1,
    durationMs: attempt.duration_ms,
    longestMs: attempt.duration_ms,
  }
}

export function poisonRow(head: PoisonHead, value: Buffer, tenant?: string): PoisonRow {
  const at = instant(head.timestamp)
  return {
    day: dayOf(at),
    at,
    topic: storable(head.topic),
    partition: head.partition,
    offset: head.offset,
    reason: storable(head.reason),
    detail: storable(head.detail),
    pointers: json(head.pointers ?? []),
    key: optional(head.key),
    headers: json(head.headers ?? {}),
    size: head.size,
    partial: String(head.partial === true),
    tenant: optional(tenant),
    source: optional(head.source),
    reader: optional(head.reader),
    webhook: optional(head.webhook),
    count: head.count ?? 1,
    previous: optional(head.previous),
    value,
  }
}
