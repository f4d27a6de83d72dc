import { ProducerClosed, RecordRefused, type PartitionClaim, type RecordBatch } from '@posthorn/kafka'
import {
  DELAYS,
  DUE,
  POISON,
  poisonRecord,
  redriveOf,
  type PoisonReason,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import { TIERS, type TierName } from '@posthorn/webhook'
import { Lane } from './lane.js'
import { ReadAhead, type ReadAheadLimits } from './read-ahead.js'
import type { RetrySchedulerMetrics } from './retry-scheduler-metrics.js'
import { Schedule, type Release } from './schedule.js'
import { Shelf, SlabPool } from './slab-pool.js'

/** The part of the safe producer that is used here. */
export interface Output {
  send(topic: TopicContract, record: TopicRecord): Promise<unknown>
  room(): Promise<void>
}

export interface ReleaseParts {
  /** ms since the epoch. */
  readonly now: () => number
  readonly output: Output
  readonly limits: ReadAheadLimits
  /** Records a second that may leave their partitions. */
  readonly perSecond: number
  readonly metrics: Pick<RetrySchedulerMetrics, 'released' | 'moved' | 'poisoned'>
  readonly fatal: (error: Error) => void
}

/** A partition with the memory of what it has in ours. */
class ClaimLane extends Lane<PartitionClaim> {
  readonly tier: TierName

  constructor(
    claim: PartitionClaim,
    readonly shelf: Shelf,
  ) {
    const { name, delayMs } = TIER_OF.get(claim.topic.name)!
    super(claim, claim.topic.name, claim.partition, delayMs)
    this.tier = name
  }
}

const TIER_OF = new Map(TIERS.map(tier => [DELAYS[tier.name].name, tier]))

/** What a waiting record takes beside its bytes: the buffer's and our own objects, its place in the tracker. */
const RECORD_OVERHEAD = 300

/** Timers count in their own time: after a step of the wall clock no sleep is wrong for longer. */
const LONGEST_SLEEP_MS = 1000

/** Waits for the time of each record, then hands it on; it is done once what it was handed to is acknowledged. */
export class ReleaseLoop {
  private readonly schedule: Schedule<ClaimLane>
  private readonly readAhead: ReadAhead
  private readonly pool = new SlabPool()
  private readonly lanes = new Map<PartitionClaim, ClaimLane>()
  /** Handed to the producer and not acknowledged, oldest first. */
  private readonly inFlight = new Set<Release<ClaimLane>>()
  private stopped = false
  private wakesAt = 0
  private wake: () => void = () => undefined

  constructor(private readonly parts: ReleaseParts) {
    this.schedule = new Schedule(parts.now, parts.perSecond)
    this.readAhead = new ReadAhead(parts.limits)
  }

  start(): void {
    this.run().catch((error: unknown) => this.die(error))
  }

  /** Nothing leaves any more; what is held is read again by the next owner. */
  stop(): void {
    this.stopped = true
    this.wake()
  }

  /** Called with newly owned partitions, so that shares are known before their first records come. */
  open(claims: readonly PartitionClaim[]): void {
    for (const claim of claims) this.laneOf(claim)
  }

  accept({ claim, records }: RecordBatch): void {
    if (claim.revoked.aborted) return
    const lane = this.laneOf(claim)
    for (const { offset, timestamp, value, headers } of records) {
      const again = redriveOf({ headers }) && { headers }
      this.schedule.add(lane, { offset, timestamp, ...again, ...lane.shelf.keep(value) })
      this.readAhead.hold(lane, weightOf(value))
    }
    if ((this.schedule.earliest() ?? Number.POSITIVE_INFINITY) < this.wakesAt) this.wake()
  }

  /** Records in memory. */
  pending(): number {
    return this.readAhead.records
  }

  /**
   * How long the oldest record is past its time, in seconds, by tier of the partitions that are held; `due` is
   * what has left its tier for due.v1 and waits for its exact time, or for Kafka.
   */
  overdueByTier(): ReadonlyMap<TierName | 'due', number> {
    const earliest = new Map<TierName | 'due', number>()
    const note = (tier: TierName | 'due', at = Infinity) => earliest.set(tier, Math.min(earliest.get(tier) ?? at, at))
    for (const lane of this.lanes.values()) note(lane.tier, lane.releaseAt)
    for (const release of this.inFlight) note(release.to.kind === 'due' ? 'due' : release.lane.tier, timeOf(release))
    note('due', this.schedule.earliestDue())
    const now = this.parts.now()
    return new Map([...earliest].map(([tier, at]) => [tier, Math.max(0, now - at) / 1000]))
  }

  private laneOf(claim: PartitionClaim): ClaimLane {
    const known = this.lanes.get(claim)
    if (known) return known
    const lane = new ClaimLane(claim, new Shelf(this.pool))
    this.lanes.set(claim, lane)
    this.readAhead.open(lane)
    claim.revoked.addEventListener('abort', () => this.drop(lane), { once: true })
    return lane
  }

  private drop(lane: ClaimLane): void {
    this.lanes.delete(lane.claim)
    this.schedule.drop(lane)
    this.readAhead.close(lane)
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      // With Kafka away this waits, and records stay where they are: in their delay topics.
      await this.parts.output.room()
      if (this.stopped) return
      for (const release of this.schedule.take(this.parts.now())) void this.release(release)
      await this.sleep()
    }
  }

  /** Until something is to leave. A timer can fire a ms early: take looks at the clock again. */
  private sleep(): Promise<void> {
    const now = this.parts.now()
    this.wakesAt = Math.min(this.schedule.nextWake() ?? Number.POSITIVE_INFINITY, now + LONGEST_SLEEP_MS)
    return new Promise(resolve => {
      const timer = setTimeout(resolve, Math.max(0, this.wakesAt - now))
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private async release(release: Release<ClaimLane>): Promise<void> {
    const { metrics } = this.parts
    const { to, record } = release
    switch (to.kind) {
      case 'due':
        if (await this.send(release, DUE, to.webhook)) metrics.released((this.parts.now() - to.due) / 1000)
        return
      case 'tier':
        if (await this.send(release, DELAYS[to.tier], to.webhook)) metrics.moved(to.tier)
        return
      case 'poison':
        return this.poison(release, 'undecodable', to.detail)
      case 'newer': {
        const { topic, partition } = release.lane
        const at = `${topic}/${partition}/${record.offset}`
        return this.die(new Error(`${at} has frame version ${to.version}: upgrade every retry-scheduler first`))
      }
    }
  }

  /** Hands the very bytes on: what a newer writer added to the head stays. */
  private async send(release: Release<ClaimLane>, topic: TopicContract, webhook: string): Promise<boolean> {
    this.inFlight.add(release)
    try {
      await this.parts.output.send(topic, { key: Buffer.from(webhook), value: release.record.value })
      this.settle(release)
      return true
    } catch (error) {
      if (error instanceof RecordRefused) await this.poison(release, 'handler_failed', error.message)
      else this.die(error)
      return false
    } finally {
      this.inFlight.delete(release)
    }
  }

  private async poison(release: Release<ClaimLane>, reason: PoisonReason, detail: string): Promise<void> {
    const { lane, record } = release
    const { topic, partition } = lane
    this.inFlight.add(release)
    try {
      const aside = poisonRecord({ ...record, key: null, partition }, topic, { reason, detail })
      await this.parts.output.send(POISON, aside)
      this.settle(release)
      this.parts.metrics.poisoned(reason)
    } catch (error) {
      this.die(error)
    } finally {
      this.inFlight.delete(release)
    }
  }

  private settle({ lane, record }: Release<ClaimLane>): void {
    lane.claim.done(record.offset)
    this.readAhead.free(lane, weightOf(record.value))
    if (record.slab) this.pool.free(record.slab)
  }

  /** Once, and not while stopping: what a closed producer did not send is read again. */
  private die(error: unknown): void {
    if (this.stopped || error instanceof ProducerClosed) return
    this.stop()
    this.parts.fatal(error instanceof Error ? error : new Error(String(error)))
  }
}

function weightOf(value: Buffer | null): number {
  return (value?.length ?? 0) + RECORD_OVERHEAD
}

/** When the record should have left: its due time, or the moment it was appended if it has none. */
function timeOf({ to, record, lane }: Release<ClaimLane>): number {
  return to.kind === 'due' ? to.due : record.timestamp + lane.delayMs
}
