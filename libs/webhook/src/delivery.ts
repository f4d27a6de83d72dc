import type { WebhookEvent } from './event.js'

/** The run of live traffic; replays and redrives have the id of their job. */
export const LIVE_RUN = '0'

/** One event for one webhook, about to be attempted. The event's data travels beside it as bytes. */
export interface Delivery {
  readonly id: string
  readonly webhook: string
  /** Version of the webhook the router matched: a deliverer that has an older one waits for it. */
  readonly webhookVersion: number
  readonly tenant: string
  readonly run: string
  /** Number of the attempt to make next, from 1. */
  readonly attempt: number
  /** When to attempt, ms since the epoch; 0 for at once. */
  readonly due: number
  /** When the event was accepted (the log's append time), ms since the epoch: ages are counted from here. */
  readonly acceptedAt: number
  /** When a replay sent it, ms since the epoch: ages are counted from here then, or old events would expire at once. */
  readonly replayedAt?: number
  /** Where the event stands in the events topic; -1 where that is not known. */
  readonly origin: { readonly partition: number; readonly offset: number }
  /** How often the delivery was moved to a delay topic without an attempt. */
  readonly spills: number
  /** It came by bulk.v1 and was moved to a delay topic: it comes after live work when it is back, too. */
  readonly bulk?: true
  /** What the webhook keeps in order, of those with the same text one after another; absent: it asks for no order. */
  readonly order?: string
  /** Of the span that made the delivery. */
  readonly traceparent?: string
  /** Of the span of the attempt before this one, where it was recorded. */
  readonly attemptBefore?: string
  readonly event: WebhookEvent
}

/** From when the ages of a delivery are counted, ms since the epoch. */
export function ageStart({ replayedAt, acceptedAt }: Delivery): number {
  return replayedAt ?? acceptedAt
}

/** How an attempt ended for the delivery; all but `retry` are final. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly due: number }
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'discarded'; readonly reason: DiscardReason }

export type OutcomeKind = Outcome['kind']
export type DiscardReason = 'webhook_deleted' | 'webhook_disabled' | 'webhook_unknown'

/** What a person sees as the state of a delivery: pending, or the last outcome. */
export type DeliveryStatus = 'pending' | OutcomeKind

export const DELIVERY_STATUSES: readonly DeliveryStatus[] = [
  'pending',
  'retry',
  'delivered',
  'exhausted',
  'expired',
  'gone',
  'discarded',
]

export function isFinal(outcome: OutcomeKind): boolean {
  return outcome !== 'retry'
}

/** Outcomes that end in the dead-letter topic: the receiver never took the event. */
export function isDeadLetter(outcome: OutcomeKind): boolean {
  return outcome === 'exhausted' || outcome === 'expired' || outcome === 'gone'
}
