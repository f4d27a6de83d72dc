/** Shorter waits would wake the loop for every single token. */
const SHORTEST_WAIT_MS = 10

/** Bounds a rate: up to `burst` at once, then `perSecond`. Times in ms since the epoch. */
export class TokenBucket {
  private tokens: number
  private filledAt: number

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number,
  ) {
    this.tokens = burst
    this.filledAt = now
  }

  /** Takes one token; false when there is none. */
  take(now: number): boolean {
    this.fill(now)
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }

  /** When to come back for a token: now, or once some have gathered. */
  readyAt(now: number): number {
    this.fill(now)
    return this.tokens >= 1 ? now : now + SHORTEST_WAIT_MS
  }

  private fill(now: number): void {
    // A clock that was set back must not take tokens away.
    const elapsed = Math.max(0, now - this.filledAt)
    this.tokens = Math.min(this.burst, this.tokens + (elapsed * this.perSecond) / 1000)
    this.filledAt = now
  }
}
