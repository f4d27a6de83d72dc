import type { Attempt } from '@posthorn/topics'
import { RESERVED_PREFIX, type HealthSignal } from '@posthorn/webhook'
import type { PositionedEntry } from './history-entries.js'

/** What one attempt says of the health of its webhook. */
export interface AttemptSignal extends HealthSignal {
  readonly webhookVersion: number
  readonly statusCode: number | null
  readonly errorClass: string | null
}

/**
 * The requests that were made, by webhook. Those with events of our own say nothing: no event of our own may
 * ever be raised about the delivery of another one.
 */
export function signalsOf(entries: readonly PositionedEntry[]): Map<string, AttemptSignal[]> {
  const signals = new Map<string, AttemptSignal[]>()
  for (const [attempt, at] of requests(entries)) {
    if (attempt.event.type.startsWith(RESERVED_PREFIX)) continue
    const signal = {
      at,
      ok: attempt.outcome === 'delivered',
      webhookVersion: attempt.webhook_version,
      statusCode: attempt.status_code ?? null,
      errorClass: attempt.error_class ?? null,
    }
    const some = signals.get(attempt.webhook)
    if (some) some.push(signal)
    else signals.set(attempt.webhook, [signal])
  }
  return signals
}

/** When, first and last, a receiver was reached in one minute, as the attempts of one partition say. */
export interface ReachedMinute {
  /** Minutes since the epoch. */
  readonly minute: number
  readonly partition: number
  first: number
  last: number
}

export const MINUTE_MS = 60_000

/** An answer, whatever it says, or at least a new connection shows that our own network works. */
export function reachOf(entries: readonly PositionedEntry[]): ReachedMinute[] {
  const minutes = new Map<string, ReachedMinute>()
  for (const [attempt, at, { partition }] of requests(entries)) {
    if (attempt.status_code === undefined && attempt.phases?.connect_ms === undefined) continue
    const minute = Math.floor(at / MINUTE_MS)
    const key = `${minute} ${partition}`
    const known = minutes.get(key)
    if (!known) minutes.set(key, { minute, partition, first: at, last: at })
    else {
      known.first = Math.min(known.first, at)
      known.last = Math.max(known.last, at)
    }
  }
  return [...minutes.values()]
}

/** Attempts that sent something, and when they ended: never later than the log has them, whatever a clock says. */
function* requests(entries: readonly PositionedEntry[]): Generator<[Attempt, number, PositionedEntry]> {
  for (const positioned of entries) {
    const { entry, timestamp } = positioned
    if (entry.kind !== 'attempt' || entry.attempt.url === undefined) continue
    yield [entry.attempt, Math.min(Date.parse(entry.attempt.finished_at), timestamp), positioned]
  }
}
