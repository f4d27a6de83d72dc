interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** Time that only moves when told. Hand `clock.now` to what takes its time as an argument. */
export class ManualClock {
  private readonly timers = new Set<Timer>()

  constructor(private time = Date.UTC(2026, 0, 1)) {}

  /** Milliseconds since the epoch. */
  readonly now = (): number => this.time

  /** Calls back once the clock has come to now + ms; returns what cancels it. */
  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer: Timer = { due: this.time + ms, callback }
    this.timers.add(timer)
    return () => void this.timers.delete(timer)
  }

  /** Moves on, firing timers in the order of their due times, also those set meanwhile. */
  advance(ms: number): void {
    const end = this.time + ms
    for (let next = this.earliest(end); next !== undefined; next = this.earliest(end)) {
      this.timers.delete(next)
      this.time = Math.max(this.time, next.due)
      next.callback()
    }
    this.time = end
  }

  private earliest(end: number): Timer | undefined {
    let earliest: Timer | undefined
    for (const timer of this.timers)
      if (timer.due <= end && (earliest === undefined || timer.due < earliest.due)) earliest = timer
    return earliest
  }
}
