/** Observations in a row without strain until its after-effects are over. */
const CALM_AFTER = 4

/** Time of this process in which it kept up with its own work: only then is a webhook's slowness its own. */
export class Calm {
  private inARow = 0
  private observedAt: number | undefined
  /** Of all the time that was observed, ms. */
  totalMs = 0
  /** Begin of the present calm, ms since the epoch; Infinity while there is none. */
  since = Infinity

  /** To be told at short intervals whether the process has kept up since the last time. */
  observe(now: number, strained: boolean): void {
    this.inARow = strained ? 0 : this.inARow + 1
    if (this.inARow < CALM_AFTER) this.since = Infinity
    else {
      this.since = Math.min(this.since, now)
      this.totalMs += now - (this.observedAt ?? now)
    }
    this.observedAt = now
  }
}
