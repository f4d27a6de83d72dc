import type { Reaction } from './reaction.js'

/** What a webhook that nothing is known of gets at once: two rounds of answers later it has 64. */
export const FIRST_AT_ONCE = 16

/**
 * How many requests of a webhook run at once, by additive increase and multiplicative decrease
 * between 1 and its limit: one more for each answer until it was first overloaded, then one more for
 * each round of answers; half when it is overloaded.
 */
export class AdaptiveConcurrency {
  private window = FIRST_AT_ONCE
  /** Below it one more for each answer. */
  private quickUntil = Infinity
  /** Requests that began before belong to the overload that was answered then: of 64 that time out at once one counts. */
  private halvedAt = -Infinity

  constructor(public limit: number) {}

  /** Requests that may run now, at least 1. */
  get atOnce(): number {
    return Math.floor(Math.min(this.limit, this.window))
  }

  /** What it comes to when nothing goes wrong: as far as it grows with each answer. */
  get expected(): number {
    return Math.floor(Math.min(this.limit, Math.max(this.window, this.quickUntil)))
  }

  /** Times in ms since the epoch. */
  ended(reaction: Reaction, startedAt: number, now: number): void {
    if (reaction === 'fine') {
      if (this.window < this.limit) this.window += this.window < this.quickUntil ? 1 : 1 / this.window
    } else if (reaction === 'overloaded' && startedAt > this.halvedAt) {
      this.window = Math.max(1, Math.min(this.limit, this.window) / 2)
      this.quickUntil = this.window
      this.halvedAt = now
    }
  }
}
