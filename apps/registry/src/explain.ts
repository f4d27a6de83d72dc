import type { ExplainedReason } from '@posthorn/api'
import type { AttemptRecord, DeliveryRecord } from '@posthorn/store'
import { OPENS_AFTER, OPENS_AFTER_MS, type DeliveryStatus, type RateLimit, type WebhookStatus } from '@posthorn/webhook'

/** What is known of a delivery and of what it waits for. */
export interface Circumstances {
  readonly delivery: Pick<DeliveryRecord, 'status' | 'nextAttemptAt' | 'acceptedAt'>
  readonly last: AttemptRecord | undefined
  /** Undefined: it was deleted. */
  readonly webhook: { readonly status: WebhookStatus; readonly rateLimit: RateLimit | null } | undefined
  /** Delivery of the same key that came before and has not ended. */
  readonly behind: string | undefined
  /** Of its webhook, newest first. */
  readonly recent: readonly Pick<AttemptRecord, 'outcome' | 'startedAt' | 'finishedAt'>[]
}

export interface Explanation {
  readonly reason: ExplainedReason
  readonly because: string
  readonly advice: string | null
}

/** The history follows by some moments; what is late by less is on its way. */
const MOMENTS_MS = 10_000

export function explain(known: Circumstances, now: number): Explanation {
  const { status } = known.delivery
  return status === 'pending' || status === 'retry' ? unfinished(known, now) : finished(status, known.last)
}

function finished(status: Exclude<DeliveryStatus, 'pending' | 'retry'>, last: AttemptRecord | undefined): Explanation {
  const advice = last?.advice ?? null
  switch (status) {
    case 'delivered':
      return { reason: 'delivered', because: `The receiver took it at attempt ${last?.attempt ?? '?'}.`, advice: null }
    case 'exhausted':
      return {
        reason: 'exhausted',
        because: `All attempts of the retry policy failed, the last one by ${failureOf(last)}.`,
        advice: `${advice ?? 'Mend the receiver.'} Then redrive it: posthorn dead-letters redrive.`,
      }
    case 'expired':
      return { reason: 'expired', because: 'It grew older than max_age_ms of the retry policy.', advice }
    case 'gone':
      return {
        reason: 'gone',
        because: 'The receiver answered 410: it wants no more requests, and the webhook was disabled.',
        advice: 'Enable the webhook if that was a mistake, then redrive its dead letters.',
      }
    case 'discarded':
      return { reason: 'discarded', because: last?.advice ?? 'Nothing was sent.', advice: null }
  }
}

function failureOf(last: AttemptRecord | undefined): string {
  if (last?.statusCode) return `status ${last.statusCode}`
  return last?.error ?? 'an unknown cause'
}

function unfinished(known: Circumstances, now: number): Explanation {
  return byWebhook(known.webhook?.status) ?? byOrder(known) ?? byTime(known, now)
}

/** A webhook that is not active gets nothing, whatever else there is. */
function byWebhook(status: WebhookStatus | undefined): Explanation | undefined {
  switch (status) {
    case 'active':
      return undefined
    case 'pending':
      return {
        reason: 'webhook_pending',
        because: 'The receiver has not agreed yet to get requests: what is on its way is kept.',
        advice: 'posthorn webhooks verify asks it again.',
      }
    case 'paused':
      return {
        reason: 'webhook_paused',
        because: 'The webhook is paused: what it would get is kept until it is resumed.',
        advice: 'posthorn webhooks resume',
      }
    case 'disabled':
      return {
        reason: 'webhook_disabled',
        because: 'The webhook is disabled: the delivery is discarded when its turn comes.',
        advice: 'Enable the webhook; what was discarded by then a replay brings back.',
      }
    case 'deleted':
    case undefined:
      return {
        reason: 'webhook_deleted',
        because: 'The webhook was deleted: the delivery is discarded when its turn comes.',
        advice: null,
      }
  }
}

function byOrder({ behind }: Circumstances): Explanation | undefined {
  if (behind === undefined) return undefined
  return {
    reason: 'behind_key',
    because: `The webhook gets events in order, and delivery ${behind} of the same key has not ended.`,
    advice: `Look at that one: posthorn deliveries explain ${behind}`,
  }
}

function byTime({ delivery, last, webhook, recent }: Circumstances, now: number): Explanation {
  const due = delivery.nextAttemptAt?.getTime() ?? delivery.acceptedAt.getTime()
  if (due > now)
    return {
      reason: 'waits_for_retry',
      because: `Attempt ${last?.attempt ?? '?'} failed by ${failureOf(last)}; the next one waits for its time.`,
      advice: last?.advice ?? null,
    }
  if (due > now - MOMENTS_MS) return { reason: 'under_way', because: 'It is being sent.', advice: null }
  if (isFailingFast(recent))
    return {
      reason: 'circuit_open',
      because: `The last ${recent.length} attempts of the webhook failed, so only a probe is sent now and then.`,
      advice: recentAdvice(last),
    }
  if (webhook?.rateLimit)
    return {
      reason: 'rate_limit',
      because: `It waits for its turn: the webhook takes ${webhook.rateLimit.requests} requests a ${webhook.rateLimit.per}.`,
      advice: 'Raise rate_limit if the receiver can take more.',
    }
  return {
    reason: 'overdue',
    because: `It should have been sent ${Math.round((now - due) / 1000)} s ago: the webhook is slow, or deliverers are behind.`,
    advice: 'Ask the operator: posthorn doctor, and the lag of the deliverers.',
  }
}

/** As the deliverer's circuit sees it, as far as the history tells. */
function isFailingFast(recent: Circumstances['recent']): boolean {
  const failed = recent.filter(({ outcome }) => outcome !== 'delivered' && outcome !== 'discarded')
  if (failed.length < OPENS_AFTER || failed.length < recent.length) return false
  return recent[0]!.finishedAt.getTime() - recent.at(-1)!.startedAt.getTime() >= OPENS_AFTER_MS
}

function recentAdvice(last: AttemptRecord | undefined): string {
  return last?.advice ?? 'Mend the receiver: the circuit closes by itself once a probe succeeds.'
}
