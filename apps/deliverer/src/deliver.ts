import { ProxyFailed, type Egress, type EgressResult } from '@posthorn/egress'
import {
  ageStart,
  decideOutcome,
  judge,
  PROBE_TENANT,
  reactionOf,
  type Delivery,
  type Outcome,
  type Reaction,
  type Verdict,
  type Webhook,
} from '@posthorn/webhook'
import type { AttemptLines } from './attempt-line.js'
import { sentAttempt, unsentAttempt } from './attempt-record.js'
import type { AttemptSpan, AttemptTrace } from './attempt-trace.js'
import type { DelivererMetrics } from './deliverer-metrics.js'
import { recordAttempt, type Ended, type Output } from './record.js'
import { signedRequest, type SignedRequest } from './signed-request.js'
import type { PreparedWebhook, WebhookCache } from './webhook-cache.js'
import { isOrdered, type Work } from './work.js'

/** What delivering needs from outside. */
export interface DeliverParts {
  readonly webhooks: { get(id: string): Webhook | undefined }
  readonly cache: WebhookCache
  readonly egress: Pick<Egress, 'send'>
  readonly output: Output
  readonly trace: AttemptTrace
  readonly metrics: DelivererMetrics
  readonly lines: AttemptLines
  /** Told of each request that the proxy of the deployment did not let through. */
  readonly proxyFailed: (error: ProxyFailed) => void
}

/** What became of a piece of work: its effect is durable, or it has to wait in a delay topic until `due` (reckoned from `now`, ms). */
export type Delivered =
  | { readonly kind: 'recorded'; readonly ended: Ended }
  | { readonly kind: 'postpone'; readonly due: number; readonly now: number; readonly reason: PostponeReason }

export type PostponeReason = 'paused' | 'sealed' | 'proxy'

type Answer = (reaction: Reaction, holdMs: number | undefined) => void

/** Rounds through the delay topics while a webhook is paused: after a short pause nothing waits for long. */
const PAUSED_MS = [5_000, 30_000, 120_000, 600_000]
const SEALED_MS = 30_000
/** Rounds while the proxy of the deployment is away. */
const PROXY_MS = [5_000, 30_000]
/** After a 410: until then the registry has disabled the webhook. */
const GONE_MS = 10_000

/**
 * One attempt, from top to bottom. What the customer does wrong is part of the outcome; it throws
 * only for our own failures, and what it throws before recording may be done again. `answered` is
 * called when the request is over and only the recording is left, with what it says about the webhook
 * and for how long (ms) nothing else may be sent to it.
 */
export async function deliver(work: Work, parts: DeliverParts, answered: Answer): Promise<Delivered> {
  const now = Date.now()
  const prepared = prepare(work, parts, now)
  switch (prepared.kind) {
    case 'postpone':
      return prepared
    case 'ended': {
      const { outcome, version } = prepared
      return record(work, { outcome, attempt: unsentAttempt(work.delivery, outcome, version, now), now }, parts)
    }
    case 'ready': {
      const request = await signedRequest(work, prepared.webhook, now)
      const span = parts.trace.start(work.delivery, request.method, now)
      const result = await send(withTraceparent(request, prepared.webhook, span), span, parts)
      if (result === 'proxy_failed') return { kind: 'postpone', ...proxyRound(work.delivery), reason: 'proxy' }
      if (work.delivery.tenant !== PROBE_TENANT) parts.metrics.answered(result)
      const finishedAt = Date.now()
      const verdict = judge(result, finishedAt)
      answered(reactionOf(result), holdOf(verdict))
      return record(
        work,
        classify(work, prepared.webhook, { startedAt: now, finishedAt, result, verdict, span }),
        parts,
      )
    }
  }
}

type Prepared =
  | { readonly kind: 'ready'; readonly webhook: PreparedWebhook }
  | { readonly kind: 'ended'; readonly outcome: Extract<Outcome, { kind: 'expired' | 'discarded' }>; version: number }
  | Extract<Delivered, { kind: 'postpone' }>

/** Whether there is anything to send now. The table has at least the version that the router matched. */
function prepare({ delivery }: Work, { webhooks, cache, metrics }: DeliverParts, now: number): Prepared {
  const webhook = webhooks.get(delivery.webhook)
  const version = webhook?.version ?? delivery.webhookVersion
  switch (webhook?.status) {
    case undefined:
      return { kind: 'ended', outcome: { kind: 'discarded', reason: 'webhook_unknown' }, version }
    case 'deleted':
      return { kind: 'ended', outcome: { kind: 'discarded', reason: 'webhook_deleted' }, version }
    case 'disabled':
      return { kind: 'ended', outcome: { kind: 'discarded', reason: 'webhook_disabled' }, version }
    case 'paused':
    case 'pending':
      if (isTooOld(delivery, webhook, now)) return { kind: 'ended', outcome: { kind: 'expired' }, version }
      return { kind: 'postpone', due: now + roundOf(PAUSED_MS, delivery), now, reason: 'paused' }
    case 'active':
  }
  if (isTooOld(delivery, webhook, now)) return { kind: 'ended', outcome: { kind: 'expired' }, version }
  const opened = cache.open(webhook, now)
  if (opened.kind === 'prepared') return { kind: 'ready', webhook: opened.prepared }
  metrics.sealed()
  return { kind: 'postpone', due: now + SEALED_MS, now, reason: 'sealed' }
}

function roundOf(delays: readonly number[], { spills }: Delivery): number {
  return delays[Math.min(spills, delays.length - 1)]!
}

function proxyRound(delivery: Delivery): { due: number; now: number } {
  const now = Date.now()
  return { due: now + roundOf(PROXY_MS, delivery), now }
}

function isTooOld(delivery: Delivery, { retryPolicy }: Webhook, now: number): boolean {
  return now > ageStart(delivery) + retryPolicy.maxAgeMs
}

function withTraceparent(request: SignedRequest, { webhook }: PreparedWebhook, { traceparent }: AttemptSpan) {
  if (!webhook.sendTraceparent || traceparent === undefined) return request
  return { ...request, headers: { ...request.headers, traceparent } }
}

/** A proxy that fails is neither the customer's failure nor a reason to try at once again. */
async function send(
  request: SignedRequest,
  span: AttemptSpan,
  { egress, metrics, proxyFailed }: DeliverParts,
): Promise<EgressResult | 'proxy_failed'> {
  try {
    return await egress.send(request)
  } catch (error) {
    span.fail(error as Error)
    if (!(error instanceof ProxyFailed)) throw error
    metrics.proxyFailed(error.fault)
    proxyFailed(error)
    return 'proxy_failed'
  }
}

function holdOf(verdict: Verdict): number | undefined {
  switch (verdict.kind) {
    case 'success':
      return undefined
    case 'gone':
      return GONE_MS
    case 'failure':
      return verdict.retryAfterMs
  }
}

interface Answered {
  readonly startedAt: number
  readonly finishedAt: number
  readonly result: EgressResult
  readonly verdict: Verdict
  readonly span: AttemptSpan
}

function classify(
  work: Work,
  { webhook, publicUrl }: PreparedWebhook,
  { startedAt, finishedAt, result, verdict, span }: Answered,
): Ended {
  const { delivery } = work
  const next = isOrdered(work) ? 'in_place' : 'tier'
  const outcome = decideOutcome(webhook.retryPolicy, delivery, verdict, finishedAt)
  span.end(outcome.kind, result)
  const trace = span.ids === undefined ? {} : { trace: span.ids }
  const sent = {
    startedAt,
    finishedAt,
    publicUrl,
    webhookVersion: webhook.version,
    result,
    verdict,
    next,
    ...trace,
  } as const
  return { outcome, attempt: sentAttempt(delivery, outcome, sent), now: finishedAt }
}

/** Acknowledged in the order of recordAttempt, then told to metrics and log. */
async function record(work: Work, ended: Ended, { output, metrics, lines }: DeliverParts): Promise<Delivered> {
  await recordAttempt(output, work, ended)
  metrics.attempted(ended.attempt, work)
  lines.attempted(work, ended)
  return { kind: 'recorded', ended }
}
