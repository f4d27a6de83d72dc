export const RATE_UNITS = ['second', 'minute'] as const
export type RateUnit = (typeof RATE_UNITS)[number]

/** How many requests a webhook takes at most; they are spread evenly over the unit. */
export interface RateLimit {
  /** From 1 to MAX_RATE. */
  readonly requests: number
  readonly per: RateUnit
}

export const MAX_RATE = 100_000
/** Requests at once that a webhook's own limit may name. */
export const MAX_CONCURRENCY = 4096

const UNIT_MS: { readonly [U in RateUnit]: number } = { second: 1000, minute: 60_000 }
/** What could not start on time is made up for within this: timers are late, and at 1,000 a second each ms counts. */
const MADE_UP_MS = 100

/** Time between two requests, ms. */
export function spacingOf({ requests, per }: RateLimit): number {
  return UNIT_MS[per] / requests
}

/** A token bucket, told by the time when the next token falls: two numbers, and nothing to fill up. */
export class RateMeter {
  private next = 0

  /** `spacingMs` 0: no limit. */
  constructor(readonly spacingMs: number) {}

  /** When the next request may start, ms since the epoch; in the past: now. */
  get startsAt(): number {
    return this.spacingMs === 0 ? 0 : this.next - MADE_UP_MS
  }

  started(now: number): void {
    if (this.spacingMs > 0) this.next = Math.max(this.next, now) + this.spacingMs
  }
}
