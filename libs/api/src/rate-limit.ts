import { ApiError } from './errors.js'

interface Bucket {
  tokens: number
  /** ms since the epoch. */
  filledAt: number
}

export interface RateState {
  /** Requests that may come at once. */
  readonly burst: number
  readonly remaining: number
  /** Seconds until all of the burst is there again. */
  readonly resetS: number
}

/** A token bucket for each key: `perSecond` on average, twice as many at once. In this process alone. */
export class RateLimit {
  private readonly buckets = new Map<string, Bucket>()
  private readonly burst: number

  constructor(private readonly perSecond: number) {
    this.burst = 2 * perSecond
  }

  /** Counts one request. Throws ApiError rate_limited. */
  take(key: string, now: number): RateState {
    const bucket = this.filled(key, now)
    if (bucket.tokens < 1)
      throw new ApiError('rate_limited', `The key may send ${this.perSecond} requests a second to this API.`)
    bucket.tokens -= 1
    const remaining = Math.floor(bucket.tokens)
    return { burst: this.burst, remaining, resetS: Math.ceil((this.burst - bucket.tokens) / this.perSecond) }
  }

  private filled(key: string, now: number): Bucket {
    const bucket = this.buckets.get(key) ?? { tokens: this.burst, filledAt: now }
    // A clock that was set back gives nothing, and takes nothing.
    const passedMs = Math.max(0, now - bucket.filledAt)
    bucket.tokens = Math.min(this.burst, bucket.tokens + (passedMs / 1000) * this.perSecond)
    bucket.filledAt = now
    this.buckets.set(key, bucket)
    return bucket
  }
}
