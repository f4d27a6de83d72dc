/** The times that were promised to a webhook's moved work, one after another; ms since the epoch. */
export class Slots {
  /** The last one, and the mean time between them until then. */
  private last = 0
  private meanMs = 1

  /**
   * The next free slot, `everyMs` after the last one and after `from`; undefined when it is later than
   * `latest`. That one is not promised: the work comes before it, and is planned then; kept for it, the
   * slot would pass unused.
   */
  next(from: number, everyMs: number, latest: number, now: number): number | undefined {
    const last = Math.max(this.last, from)
    if (last + everyMs > latest) return undefined
    const promised = (last - now) / (this.last > now ? this.meanMs : everyMs)
    this.last = last + everyMs
    this.meanMs = (this.last - now) / (promised + 1)
    return this.last
  }

  /**
   * As many promises as there are, at the present speed, when that is higher. When it is lower they
   * are not put off: the work comes when it was told to, and is planned anew.
   */
  replan(everyMs: number, now: number): void {
    if (this.last <= now || everyMs >= this.meanMs) return
    this.last = now + ((this.last - now) * everyMs) / this.meanMs
    this.meanMs = everyMs
  }
}
