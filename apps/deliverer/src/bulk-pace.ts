/** What bulk begins with, also after a pause of its own. It is never held back further: a replay has to end some day. */
const LEAST_PER_SECOND = 50
/** Of the live deliveries, where that is more. */
const LEAST_SHARE = 1 / 20
const MOST_PER_SECOND = 20_000
/**
 * The age that is looked at: nine of ten live deliveries come in younger. A median tells too late: on a machine
 * near its end it had grown by 5 ms when p99 had doubled.
 */
const QUANTILE = 0.9
/** So much older than without bulk may live work come in beside it; and more where its age varies by more anyway. */
const ALLOWED_MS = 5
const ALLOWED_DEVIATIONS = 0.5
/** Bulk rests so often, to see what live work is like without it; it counts when what was under way is over. */
const REST_EVERY_MS = 60_000
const REST_MS = 3_000
const DRAINED_MS = 1_500
/** Share of the newest in what is usual: that of a rest or two. */
const NEWEST = 0.2
/** Change of the rate from one observation to the next: at the beginning, later, and back at most. */
const FIRST_GROWTH = 0.5
const GROWTH = 0.04
const MOST_BACK = 0.5
/**
 * At once, for as much as live work is late, and until it is not. Lateness is what a queue has summed up,
 * and the rate sums it up again: without this both would swing for ever.
 */
const AT_ONCE = 0.2
/** Without a live delivery for so long bulk has the process for itself. */
const ALONE_MS = 5_000
const PAUSE_MS = 10_000
/** What was not let in since may follow at once, or timers would bound the rate. */
const CATCH_UP_MS = 25
/** A quantile of so many is one of all. */
const MOST_SAMPLES = 501

/**
 * How much bulk a process lets in a second, so that live work hardly grows older for it. The age at which
 * live deliveries come in is held against what it is without bulk, and the rate follows the difference, as
 * with LEDBAT (RFC 6817). Where the bottleneck is, here, in Kafka or behind, does not matter: what is late is
 * seen here, and clocks that differ count in neither. All times are of one clock, ms.
 */
export class BulkPace {
  /** What would be let in if no live work were late. */
  private perSecond = LEAST_PER_SECOND
  /** How late live work is, of what is allowed. */
  private late = 0
  private least = LEAST_PER_SECOND
  private isFirstGrowth = true
  private nextAt = 0
  private restsAt = 0
  private bulkAt = -Infinity
  private liveAt = -Infinity
  /** Age of live work without bulk: its mean and mean deviation. */
  private usual: { ms: number; deviation: number } | undefined
  /** Since the last observation. */
  private observedAt: number | undefined
  private letInSince = 0
  private liveSince = 0
  private ages: number[] = []

  /** Deliveries a second. */
  get rate(): number {
    return Math.max(this.least, this.perSecond * Math.max(MOST_BACK, 1 - AT_ONCE * Math.max(0, this.late)))
  }

  /** When the next may be let in. */
  get opensAt(): number {
    return this.nextAt
  }

  letIn(now: number): void {
    if (now - this.bulkAt > PAUSE_MS) this.begin(now)
    this.bulkAt = now
    this.letInSince++
    this.nextAt = Math.max(this.nextAt, now - CATCH_UP_MS) + 1000 / this.rate
    if (now < this.restsAt) return
    this.nextAt = now + REST_MS
    this.restsAt = this.nextAt + REST_EVERY_MS
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
    this.late = this.lateness(quantile(this.ages), now)
    if (this.late > 0.5) this.isFirstGrowth = false
    if (this.isFirstGrowth) return 1 + FIRST_GROWTH
    return Math.max(MOST_BACK, 1 + GROWTH * (1 - this.late))
  }

  private lateness(ageMs: number, now: number): number {
    const usual = (this.usual ??= { ms: ageMs, deviation: 0 })
    if (now - this.bulkAt > DRAINED_MS) {
      usual.deviation += NEWEST * (Math.abs(ageMs - usual.ms) - usual.deviation)
      usual.ms += NEWEST * (ageMs - usual.ms)
    }
    return (ageMs - usual.ms) / (ALLOWED_MS + ALLOWED_DEVIATIONS * usual.deviation)
  }

  private begin(now: number): void {
    this.perSecond = LEAST_PER_SECOND
    this.isFirstGrowth = true
    this.restsAt = now + REST_EVERY_MS
  }
}

function quantile(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * QUANTILE)]!
}
