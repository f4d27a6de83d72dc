/** What bulk begins with, also after a rest. It is never held back further: a replay has to end some day. */
const LEAST_PER_SECOND = 50
/** Of the live deliveries, where that is more. */
const LEAST_SHARE = 1 / 20
const MOST_PER_SECOND = 20_000
/** So much older than at its youngest may live work come in beside bulk. */
const ALLOWED_MS = 25
/** The youngest of this time: what made live work older for longer is no fault of bulk. */
const REMEMBERED_MS = 600_000
const REMEMBERED_IN_MS = 60_000
/** Change of the rate from one observation to the next: at the beginning, later, and back at most. */
const FIRST_GROWTH = 0.5
const GROWTH = 0.05
const MOST_BACK = 0.5
/**
 * At once, for each ALLOWED_MS that live work is late, and until it is not. Lateness is what a queue has summed
 * up, and the rate sums it up again: without this both would swing for ever.
 */
const AT_ONCE = 0.25
/** Without a live delivery for so long bulk has the process for itself. */
const ALONE_MS = 5_000
const REST_MS = 10_000
/** What was not let in since may follow at once, or timers would bound the rate. */
const CATCH_UP_MS = 25
/** A median of so many is one of all. */
const MOST_SAMPLES = 501

/**
 * How much bulk a process lets in a second, so that live work hardly grows older for it: the age at
 * which live deliveries come in is held against the lowest of the last minutes, and the rate follows
 * the difference, as LEDBAT (RFC 6817) does with packets. Clocks that differ count in neither. Where
 * the bottleneck is, here, in Kafka or behind, does not matter: what is late is seen here.
 */
export class BulkPace {
  /** Of what the process would let in if no live work were late. */
  private perSecond = LEAST_PER_SECOND
  /** Of ALLOWED_MS, how late live work is. */
  private late = 0
  private isFirstGrowth = true
  private nextAt = 0
  /** Since the last observation. */
  private letInSince = 0
  private liveSince = 0
  private ages: number[] = []
  private observedAt: number | undefined
  private least = LEAST_PER_SECOND
  private liveAt = -Infinity
  private bulkAt = -Infinity
  /** Lowest medians, one for each minute. */
  private lows: { readonly from: number; ms: number }[] = []

  /** Deliveries a second. */
  get rate(): number {
    return Math.max(this.least, this.perSecond * Math.max(MOST_BACK, 1 - AT_ONCE * Math.max(0, this.late)))
  }

  /** When the next may be let in, ms on the clock of letIn() and observe(). */
  get opensAt(): number {
    return this.nextAt
  }

  letIn(now: number): void {
    if (now - this.bulkAt > REST_MS) this.begin()
    this.bulkAt = now
    this.letInSince++
    this.nextAt = Math.max(this.nextAt, now - CATCH_UP_MS) + 1000 / this.rate
  }

  /** A live delivery came in, so long after its event was accepted. */
  live(ageMs: number): void {
    this.liveSince++
    if (this.ages.length < MOST_SAMPLES) this.ages.push(ageMs)
  }

  /** To be called at short intervals. */
  observe(now: number): void {
    const elapsedMs = now - (this.observedAt ?? now)
    this.observedAt = now
    if (elapsedMs > 0) this.adapt(now, elapsedMs)
    this.ages = []
    this.letInSince = this.liveSince = 0
  }

  private adapt(now: number, elapsedMs: number): void {
    // A rate that was not used says nothing about what it would have done.
    const isUsed = this.letInSince * 1000 >= (this.rate * elapsedMs) / 2
    this.least = Math.max(LEAST_PER_SECOND, (this.liveSince * LEAST_SHARE * 1000) / elapsedMs)
    const factor = this.factor(now)
    if (factor > 1 && !isUsed) return
    this.perSecond = Math.min(MOST_PER_SECOND, Math.max(this.least, this.perSecond * factor))
  }

  private factor(now: number): number {
    if (this.ages.length === 0) {
      this.late = 0
      return now - this.liveAt > ALONE_MS ? 1 + FIRST_GROWTH : 1
    }
    this.liveAt = now
    const age = median(this.ages)
    this.late = (age - this.lowest(age, now)) / ALLOWED_MS
    if (this.late > 0.5) this.isFirstGrowth = false
    if (this.isFirstGrowth) return 1 + FIRST_GROWTH
    return Math.max(MOST_BACK, 1 + GROWTH * (1 - this.late))
  }

  private lowest(age: number, now: number): number {
    const last = this.lows.at(-1)
    if (last === undefined || now - last.from >= REMEMBERED_IN_MS) this.lows.push({ from: now, ms: age })
    else last.ms = Math.min(last.ms, age)
    this.lows = this.lows.filter(({ from }) => now - from < REMEMBERED_MS)
    return Math.min(...this.lows.map(({ ms }) => ms))
  }

  private begin(): void {
    this.perSecond = LEAST_PER_SECOND
    this.isFirstGrowth = true
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
