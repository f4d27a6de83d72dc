import type { SafeProducer } from '@posthorn/kafka'
import {
  ATTEMPTS,
  DEAD_LETTERS,
  DELAYS,
  encodeAttempt,
  encodeDeadLetter,
  encodeDelivery,
  encodeGone,
  WEBHOOK_STATE,
  type Attempt,
  type GoneWebhook,
} from '@posthorn/topics'
import { isDeadLetter, PROBE_TENANT, tierFor, traceparentText, type Delivery, type Outcome } from '@posthorn/webhook'
import { isOrdered, type Work } from './work.js'

export type Output = Pick<SafeProducer, 'send'>

/** How an attempt ended; `now` (ms) is when that was decided. */
export interface Ended {
  readonly outcome: Outcome
  readonly attempt: Attempt
  readonly now: number
}

/**
 * Makes the outcome of an attempt durable, in the order that a crash between any two steps needs:
 * what carries the delivery on (or keeps it) first, then the attempt that says so. Only after
 * both may the offset be done. Ordered work that is to be attempted again stays where it is: its record
 * carries it on. Rejects with RecordRefused or ProducerClosed only.
 */
export async function recordAttempt(output: Output, work: Work, { outcome, attempt, now }: Ended): Promise<void> {
  const { delivery, data, partition } = work
  if (outcome.kind === 'retry') {
    if (!isOrdered(work)) await sendToTier(output, work, nextAttempt(delivery, attempt, outcome.due), now)
  } else if (isDeadLetter(outcome.kind) && delivery.tenant !== PROBE_TENANT)
    await output.send(DEAD_LETTERS, encodeDeadLetter(delivery, attempt, data), { partition })
  if (outcome.kind === 'gone') await output.send(WEBHOOK_STATE, encodeGone(goneOf(attempt)))
  await output.send(ATTEMPTS, encodeAttempt(attempt), { partition })
}

/** The delivery with the attempt to make at `due` (ms), after one that was made. */
export function nextAttempt(
  delivery: Delivery,
  { trace_id: traceId, span_id: spanId }: Attempt,
  due: number,
): Delivery {
  const { attemptBefore: _before, ...others } = delivery
  const next = { ...others, attempt: delivery.attempt + 1, due }
  if (traceId === undefined || spanId === undefined) return next
  return { ...next, attemptBefore: traceparentText({ traceId, spanId, sampled: true }) }
}

function goneOf({ webhook, tenant, webhook_version: version, delivery, finished_at: at }: Attempt): GoneWebhook {
  return { webhook, tenant, version, delivery, at }
}

/** Moves a delivery to a delay topic without an attempt: the same number comes back at `due` (ms). */
export function postpone(output: Output, work: Work, due: number, now: number): Promise<void> {
  return sendToTier(output, work, { ...work.delivery, due, spills: work.delivery.spills + 1 }, now)
}

// `now` is the time that `due` was reckoned from, and not a little later: a delay of exactly a tier
// goes to that tier (and ends late by what producing takes), not through several shorter ones.
async function sendToTier(output: Output, work: Work, delivery: Delivery, now: number): Promise<void> {
  const tier = tierFor(delivery.due - now)
  const moved = work.lane === 'bulk' ? { ...delivery, bulk: true as const } : delivery
  await output.send(DELAYS[tier.name], encodeDelivery(moved, work.data), { partition: work.partition })
}
