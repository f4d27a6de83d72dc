/** Seconds that are told apart. Partitions that are caught up with lie apart in time; two seconds in one place reset it. */
const SECONDS = 256

/**
 * Which events are above so many a second. An event counts for the second in which Kafka accepted
 * it, not in which it is routed: what was within the quota stays so when a router that was away
 * catches up. Costs 3 KiB, whatever the rate.
 */
export class EventRate {
  private readonly seconds = new Float64Array(SECONDS)
  private readonly counts = new Uint32Array(SECONDS)

  constructor(readonly perSecond: number) {}

  /** Counts one event, accepted at `acceptedAt` (ms since the epoch). */
  isOver(acceptedAt: number): boolean {
    const second = Math.floor(acceptedAt / 1000)
    const place = second % SECONDS
    if (this.seconds[place] !== second) {
      this.seconds[place] = second
      this.counts[place] = 0
    }
    const count = this.counts[place]! + 1
    this.counts[place] = count
    return count > this.perSecond
  }
}
