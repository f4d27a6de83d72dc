import type { DiscardReason, FailureClass, OutcomeKind } from '@posthorn/webhook'
import { DAY_MS, type TopicContract, type TopicRecord } from './contract.js'

/**
 * attempts.v1: what happened to every attempt; public. Partitioned like deliveries.v1.
 *
 *   key    = webhook id
 *   header content-type = application/cloudevents+json
 *   value  = one structured CloudEvent of type posthorn.attempt; id = delivery/run/attempt,
 *            source = /posthorn/deliverer, subject = webhook id, data = Attempt
 */
export const ATTEMPTS: TopicContract = {
  name: 'attempts.v1',
  cleanup: 'delete',
  retentionMs: 3 * DAY_MS,
  partitions: 'work',
}

export const ATTEMPT_EVENT_TYPE = 'posthorn.attempt'

/** How its request went over the network; absent where it did not come so far. */
export interface AttemptWire {
  /** The address that it was sent to. */
  readonly remote_address?: string | undefined
  /** As negotiated, such as TLSv1.3. */
  readonly tls_version?: string | undefined
  /** When the receiver's certificate ends. */
  readonly certificate_expires_at?: string | undefined
  /** How long each step took; the first three are absent where a connection was used again. */
  readonly phases?: AttemptPhases | undefined
}

/** In ms. */
export interface AttemptPhases {
  readonly dns_ms?: number
  readonly connect_ms?: number
  readonly tls_ms?: number
  /** From sending the request until the head of the answer. */
  readonly wait_ms?: number
  /** From there to its end. */
  readonly read_ms?: number
}

/** The data of an attempt's CloudEvent. Times are RFC 3339 with milliseconds. */
export interface Attempt extends AttemptWire {
  readonly delivery: string
  readonly run: string
  readonly attempt: number
  readonly webhook: string
  readonly webhook_version: number
  readonly tenant: string
  readonly event: { readonly id: string; readonly source: string; readonly type: string; readonly time: string }
  /** When the event was accepted. */
  readonly accepted_at: string
  readonly outcome: OutcomeKind
  readonly discard_reason?: DiscardReason
  /** When this attempt was due: the time of acceptance for the first. */
  readonly due_at: string
  readonly started_at: string
  readonly finished_at: string
  readonly duration_ms: number
  /** The request's URL without query, user and password; absent when nothing was sent. */
  readonly url?: string
  readonly status_code?: number
  readonly error_class?: FailureClass
  /** What went wrong on the wire, when there was no answer. */
  readonly error?: string
  /** What to do about a failure. */
  readonly advice?: string
  /** The first bytes of the answer, as text. */
  readonly response_body?: string
  /** When the next attempt is due; only with the outcome retry. */
  readonly next_attempt_at?: string
  /** Where the next attempt waits: in a delay topic, or in the deliverer's memory. */
  readonly next?: 'tier' | 'in_place'
  readonly trace_id?: string
  readonly span_id?: string
}

export function encodeAttempt(attempt: Attempt): TopicRecord {
  const value = Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      id: `${attempt.delivery}/${attempt.run}/${attempt.attempt}`,
      source: '/posthorn/deliverer',
      type: ATTEMPT_EVENT_TYPE,
      subject: attempt.webhook,
      time: attempt.finished_at,
      tenant: attempt.tenant,
      datacontenttype: 'application/json',
      data: attempt,
    }),
  )
  return { key: Buffer.from(attempt.webhook), value, headers: { 'content-type': 'application/cloudevents+json' } }
}

export type ReadAttempt =
  { readonly kind: 'attempt'; readonly attempt: Attempt } | { readonly kind: 'bad'; readonly detail: string }

export function decodeAttempt(value: Buffer | null): ReadAttempt {
  if (!value) return { kind: 'bad', detail: 'the record has no value' }
  let envelope: { type?: unknown; data?: Partial<Attempt> | null }
  try {
    envelope = JSON.parse(value.toString('utf8'))
  } catch (error) {
    return { kind: 'bad', detail: `the value is not JSON: ${(error as Error).message}` }
  }
  if (envelope?.type !== ATTEMPT_EVENT_TYPE)
    return { kind: 'bad', detail: `the value is no CloudEvent of type ${ATTEMPT_EVENT_TYPE}` }
  const data = envelope.data
  if (
    typeof data?.delivery !== 'string' ||
    typeof data.webhook !== 'string' ||
    typeof data.run !== 'string' ||
    typeof data.outcome !== 'string' ||
    !Number.isSafeInteger(data.attempt)
  )
    return { kind: 'bad', detail: 'data must have delivery, webhook, run, outcome and attempt' }
  return { kind: 'attempt', attempt: data as Attempt }
}
