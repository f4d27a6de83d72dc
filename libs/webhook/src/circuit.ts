import type { Reaction } from './reaction.js'

/** So many failures in a row open it … */
export const OPENS_AFTER = 20
/** … when they last this long: what a receiver needs for its restart is the retry policy's to bridge. */
export const OPENS_AFTER_MS = 5_000
/** Until the first probe; after each that fails twice as long. */
const FIRST_PROBE_MS = 5_000
const MAX_PROBE_MS = 60_000

export type CircuitChange = 'opened' | 'closed'

/**
 * Stops the requests of a webhook that nothing but fails, and lets one through at a time to find out
 * whether it is back. Times in ms since the epoch.
 */
export class Circuit {
  private failures = 0
  private failingSince = 0
  private openedAt = 0
  private nextProbe = 0
  /** 0: closed. */
  private probeEveryMs = 0

  get isOpen(): boolean {
    return this.probeEveryMs > 0
  }

  /** When the next request may start; in the past: now. */
  get startsAt(): number {
    return this.nextProbe
  }

  started(now: number): void {
    if (this.isOpen) this.nextProbe = now + this.probeEveryMs
  }

  /** `reaction` undefined: no request was made after all. */
  ended(reaction: Reaction | undefined, startedAt: number, now: number): CircuitChange | undefined {
    if (reaction === 'fine') return this.close()
    // What was under way before it opened says nothing new.
    if (this.isOpen) return startedAt < this.openedAt ? undefined : this.probed(reaction, now)
    if (reaction === undefined) return undefined
    if (this.failures++ === 0) this.failingSince = startedAt
    if (this.failures < OPENS_AFTER || now < this.failingSince + OPENS_AFTER_MS) return undefined
    this.openedAt = now
    this.wait(FIRST_PROBE_MS, now)
    return 'opened'
  }

  private probed(reaction: Exclude<Reaction, 'fine'> | undefined, now: number): undefined {
    if (reaction === undefined) this.nextProbe = now
    else this.wait(Math.min(2 * this.probeEveryMs, MAX_PROBE_MS), now)
  }

  private wait(probeEveryMs: number, now: number): void {
    this.probeEveryMs = probeEveryMs
    this.nextProbe = now + probeEveryMs
  }

  private close(): 'closed' | undefined {
    this.failures = 0
    if (!this.isOpen) return undefined
    this.probeEveryMs = 0
    this.nextProbe = 0
    return 'closed'
  }
}
