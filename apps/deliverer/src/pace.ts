import {
  AdaptiveConcurrency,
  Circuit,
  RateMeter,
  spacingOf,
  type CircuitChange,
  type Reaction,
  type Webhook,
} from '@posthorn/webhook'

/** What a webhook says about its own speed, and where it is: somewhere else nothing is known of it. */
export type WebhookLimits = Pick<Webhook, 'status' | 'url' | 'rateLimit' | 'maxConcurrency'>

/** Why work of a webhook has to wait: for a request of its own, or because none may start yet. */
export type WaitReason = 'queue' | 'rate_limit' | 'retry_after' | 'circuit'

/** How a request of a webhook got its turn; for the log. */
export interface Turn {
  /** From when it was ready until it began. */
  readonly queuedMs: number
  /** Requests of the webhook under way, with this one, and how many may be. */
  readonly requests: number
  readonly requestsAtMost: number
  readonly circuit: 'open' | 'closed'
  /** What the webhook's next request had to wait for, as far as that was noticed, and how long. */
  readonly held?: { readonly by: WaitReason; readonly ms: number }
}

/** Retry-After holds the whole webhook up for so long at most: a mistake in one answer costs an hour, not a day. */
export const MAX_HELD_MS = 3600_000

/** How fast a webhook may be sent to: its rate limit, its Retry-After, its concurrency and its circuit. */
export class Pace {
  private meter = new RateMeter(0)
  private concurrency: AdaptiveConcurrency
  private circuit = new Circuit()
  private heldUntil = 0
  private url: string | undefined
  /** Why the next request waits, and since when. */
  private holding: { readonly by: WaitReason; readonly since: number } | undefined

  constructor(private readonly perWebhook: number) {
    this.concurrency = new AdaptiveConcurrency(perWebhook)
  }

  /** To be told again when the webhook has changed; undefined: its document is not known. */
  limit(limits: WebhookLimits | undefined): void {
    // Nothing is sent to a webhook that has ended: what waits for it is discarded at once, and not at its rate.
    const held = limits && hasEnded(limits) ? undefined : limits
    if (limits !== undefined && held?.url !== this.url) this.moved(held?.url)
    this.concurrency.limit = Math.min(this.perWebhook, held?.maxConcurrency ?? Infinity)
    const spacingMs = held?.rateLimit === undefined ? 0 : spacingOf(held.rateLimit)
    // The slot that the old rate gave may be a minute off.
    if (spacingMs !== this.meter.spacingMs) this.meter = new RateMeter(spacingMs)
  }

  get atOnce(): number {
    return this.concurrency.atOnce
  }

  /** See AdaptiveConcurrency. */
  get expectedAtOnce(): number {
    return this.concurrency.expected
  }

  /** Between two requests by the rate limit, ms; 0 without one. */
  get spacingMs(): number {
    return this.meter.spacingMs
  }

  /** When the next request may start, ms since the epoch; in the past: now. */
  get startsAt(): number {
    return Math.max(this.meter.startsAt, this.heldUntil, this.circuit.startsAt)
  }

  get circuitOpen(): boolean {
    return this.circuit.isOpen
  }

  waitsFor(now: number): WaitReason {
    if (this.circuit.isOpen) return 'circuit'
    if (this.heldUntil > now) return 'retry_after'
    return this.meter.startsAt > now ? 'rate_limit' : 'queue'
  }

  /** The next request was found to have to wait. */
  holds(now: number): void {
    this.holding ??= { by: this.waitsFor(now), since: now }
  }

  /** One more request begins, beside `running` others, `queuedMs` after it was ready. */
  started(running: number, queuedMs: number, now: number): Turn {
    const { holding } = this
    this.holding = undefined
    this.meter.started(now)
    this.circuit.started(now)
    return {
      queuedMs,
      requests: running + 1,
      requestsAtMost: this.concurrency.atOnce,
      circuit: this.circuit.isOpen ? 'open' : 'closed',
      ...(holding === undefined ? {} : { held: { by: holding.by, ms: now - holding.since } }),
    }
  }

  /** `reaction` undefined: no request was made after all. */
  ended(
    reaction: Reaction | undefined,
    retryAfterMs: number | undefined,
    startedAt: number,
    now: number,
  ): CircuitChange | undefined {
    if (retryAfterMs !== undefined) this.heldUntil = Math.max(this.heldUntil, now + Math.min(retryAfterMs, MAX_HELD_MS))
    if (reaction !== undefined) this.concurrency.ended(reaction, startedAt, now)
    return this.circuit.ended(reaction, startedAt, now)
  }

  private moved(url: string | undefined): void {
    this.url = url
    this.concurrency = new AdaptiveConcurrency(this.perWebhook)
    this.circuit = new Circuit()
    this.heldUntil = 0
  }
}

function hasEnded({ status }: WebhookLimits): boolean {
  return status === 'disabled' || status === 'deleted'
}
