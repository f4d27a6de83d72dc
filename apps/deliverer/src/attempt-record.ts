import type { EgressResult, Phases } from '@posthorn/egress'
import type { Attempt, AttemptPhases, AttemptWire } from '@posthorn/topics'
import { ageStart, type Delivery, type Outcome, type Verdict } from '@posthorn/webhook'

/**
 * Of the answer to a delivered attempt, in UTF-16 units: that record is kept for every event, and is
 * hardly ever looked at. Of a failure all that was read is kept.
 */
const MAX_DELIVERED_TEXT = 1024

/** A request that was made, and what it came to. */
export interface SentRequest {
  readonly startedAt: number
  readonly finishedAt: number
  readonly publicUrl: string
  readonly webhookVersion: number
  readonly result: EgressResult
  readonly verdict: Verdict
  readonly trace?: { readonly traceId: string; readonly spanId: string }
  /** Where a retry waits. */
  readonly next: NonNullable<Attempt['next']>
}

/** The record of an attempt whose request was sent. */
export function sentAttempt(delivery: Delivery, outcome: Outcome, sent: SentRequest): Attempt {
  const { result, verdict } = sent
  // Cutting may have left the first half of a surrogate pair.
  const kept = outcome.kind === 'delivered' ? MAX_DELIVERED_TEXT : undefined
  const body = result.responseBody?.slice(0, kept).replace(/[\ud800-\udbff]$/, '')
  return {
    ...named(delivery, outcome, sent.webhookVersion),
    started_at: iso(sent.startedAt),
    finished_at: iso(sent.finishedAt),
    duration_ms: Math.round(result.durationMs * 1000) / 1000,
    url: sent.publicUrl,
    ...(result.kind === 'response' ? { status_code: result.status } : { error: `${result.cause}: ${result.detail}` }),
    ...(verdict.kind === 'success' ? {} : { error_class: verdict.class, advice: verdict.advice }),
    ...(body === undefined ? {} : { response_body: body }),
    ...(outcome.kind === 'retry' ? { next_attempt_at: iso(outcome.due), next: sent.next } : {}),
    ...(sent.trace ? { trace_id: sent.trace.traceId, span_id: sent.trace.spanId } : {}),
    ...wireOf(result),
  }
}

function wireOf({ remoteAddress, tlsVersion, certificateExpiresAt: expires, phases }: EgressResult): AttemptWire {
  return {
    ...(remoteAddress === undefined ? {} : { remote_address: remoteAddress }),
    ...(tlsVersion === undefined ? {} : { tls_version: tlsVersion }),
    ...(expires === undefined ? {} : { certificate_expires_at: new Date(expires).toISOString() }),
    ...(phases === undefined ? {} : { phases: phasesOf(phases) }),
  }
}

const PHASES = {
  dnsMs: 'dns_ms',
  connectMs: 'connect_ms',
  tlsMs: 'tls_ms',
  waitMs: 'wait_ms',
  readMs: 'read_ms',
} as const

function phasesOf(phases: Phases): AttemptPhases {
  const entries = Object.entries(phases) as [keyof Phases, number][]
  return Object.fromEntries(entries.map(([name, ms]) => [PHASES[name], ms]))
}

/** The record of a delivery that ended before a request was made. */
export function unsentAttempt(
  delivery: Delivery,
  outcome: Extract<Outcome, { kind: 'expired' | 'discarded' }>,
  webhookVersion: number,
  now: number,
): Attempt {
  return {
    ...named(delivery, outcome, webhookVersion),
    started_at: iso(now),
    finished_at: iso(now),
    duration_ms: 0,
    advice: outcome.kind === 'expired' ? EXPIRED : DISCARDED[outcome.reason],
  }
}

const EXPIRED =
  "The delivery was older than the webhook's maximum age before this attempt could be made. Raise maxAgeMs, or find out what held it up, then redrive it."
const DISCARDED = {
  webhook_deleted: 'The webhook was deleted before this attempt: nothing was sent.',
  webhook_disabled: 'The webhook was disabled before this attempt: nothing was sent. Enable it, then replay.',
  webhook_unknown: 'The webhook does not exist any more: nothing was sent.',
} as const

function named(delivery: Delivery, outcome: Outcome, webhookVersion: number) {
  const { event } = delivery
  return {
    delivery: delivery.id,
    run: delivery.run,
    attempt: delivery.attempt,
    webhook: delivery.webhook,
    webhook_version: webhookVersion,
    tenant: delivery.tenant,
    event: { id: event.id, source: event.source, type: event.type, time: event.time },
    accepted_at: iso(delivery.acceptedAt),
    outcome: outcome.kind,
    ...(outcome.kind === 'discarded' ? { discard_reason: outcome.reason } : {}),
    due_at: iso(delivery.attempt === 1 || delivery.due === 0 ? ageStart(delivery) : delivery.due),
  }
}

let lastMs = NaN
let lastIso = ''

/** Half of the times of a record are the same as the one before. */
function iso(ms: number): string {
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastIso
}
