import type { TopicContract } from '@posthorn/topics'
import type { OffsetTracker } from './offset-tracker.js'
import type { PartitionClaim } from './record.js'

/** What a claim tells the book that it stands in. */
interface ClaimOwner {
  finished(claim: Claim, bytes: number): void
  pausesChanged(claim: Claim): void
}

/** A partition during one stretch of ownership: opening (its start is being read), open, then dead for ever. */
export class Claim implements PartitionClaim {
  private readonly ending = new AbortController()
  private opened?: OffsetTracker
  private dead = false
  pausedByUser = false
  /** Its window is full. */
  full = false
  /** It holds more than its share of what is left while the process holds nearly all it may. */
  heavy = false
  /** The tracker's version of the last successful commit. */
  committedVersion = 0

  constructor(
    readonly topic: TopicContract,
    readonly topicName: string,
    readonly partition: number,
    private readonly owner: ClaimOwner,
  ) {}

  get revoked(): AbortSignal {
    return this.ending.signal
  }

  get isAlive(): boolean {
    return !this.dead
  }

  /** There from open() to the end. */
  get tracker(): OffsetTracker | undefined {
    return this.opened
  }

  get mustPause(): boolean {
    return !this.opened || this.pausedByUser || this.full || this.heavy
  }

  open(tracker: OffsetTracker): void {
    this.opened = tracker
    this.committedVersion = tracker.version
  }

  done(offset: number): void {
    if (this.dead || !this.opened) return
    const before = this.opened.bytes
    if (this.opened.finish(offset)) this.owner.finished(this, before - this.opened.bytes)
  }

  pause(): void {
    this.pausedByUser = true
    if (!this.dead) this.owner.pausesChanged(this)
  }

  resume(): void {
    this.pausedByUser = false
    if (!this.dead) this.owner.pausesChanged(this)
  }

  /** From here on nothing that is finished late can be committed. The signal is told by `announceEnd`. */
  end(): void {
    this.dead = true
  }

  announceEnd(): void {
    this.ending.abort()
  }
}

export interface ClaimLimits {
  /** Largest distance of a partition's newest received offset from its lowest unfinished one. */
  readonly window: number
  /** Bytes received and unfinished in all partitions together. */
  readonly maxUnfinishedBytes: number
}

/**
 * From this share of the bytes a process may hold, a partition is paused that holds as much as an equal share of
 * what is left. So stuck partitions do not stop those that hold little, and in all it stays at what may be held,
 * and one fetch of each partition beyond it.
 */
const SHARED_FROM = 3 / 4

/** The claims of one consumer, and when to stop fetching which: at 100 % of a limit, until 50 %. */
export class ClaimBook implements ClaimOwner {
  private readonly claims = new Map<string, Claim>()
  private bytes = 0
  private open = 0

  constructor(
    private readonly limits: ClaimLimits,
    private readonly on: {
      readonly finished: () => void
      readonly pausesChanged: (claim: Claim) => void
    },
  ) {}

  get unfinished(): number {
    return this.open
  }

  get unfinishedBytes(): number {
    return this.bytes
  }

  all(): Claim[] {
    return [...this.claims.values()]
  }

  find(topicName: string, partition: number): Claim | undefined {
    return this.claims.get(`${topicName}/${partition}`)
  }

  add(topic: TopicContract, topicName: string, partition: number): Claim {
    const claim = new Claim(topic, topicName, partition, this)
    this.claims.set(`${topicName}/${partition}`, claim)
    return claim
  }

  /** Ends claims and forgets what they held: counted from the tracker, so that nothing leaks. */
  remove(claims: readonly Claim[]): void {
    for (const claim of claims) {
      claim.end()
      this.claims.delete(`${claim.topicName}/${claim.partition}`)
      this.bytes -= claim.tracker?.bytes ?? 0
      this.open -= claim.tracker?.open ?? 0
    }
    this.relieve()
  }

  /** To be called after `claim` received records. */
  received(claim: Claim, records: number, bytes: number): void {
    this.open += records
    this.bytes += bytes
    const tracker = claim.tracker!
    const before = claim.mustPause
    if (tracker.distance >= this.limits.window) claim.full = true
    if (claim.mustPause !== before) this.on.pausesChanged(claim)
    if (this.bytes >= this.limits.maxUnfinishedBytes * SHARED_FROM) this.pauseHeavy()
  }

  finished(claim: Claim, bytes: number): void {
    this.open--
    const wasAbove = this.bytes > this.limits.maxUnfinishedBytes / 2
    this.bytes -= bytes
    const before = claim.mustPause
    const tracker = claim.tracker!
    if (claim.full && tracker.distance <= this.limits.window / 2) claim.full = false
    if (claim.heavy && tracker.bytes <= this.share / 2) claim.heavy = false
    if (claim.mustPause !== before) this.on.pausesChanged(claim)
    if (wasAbove) this.relieve()
    this.on.finished()
  }

  pausesChanged(claim: Claim): void {
    this.on.pausesChanged(claim)
  }

  /** Whoever holds nothing goes on, or one stuck partition could stop the others for good. */
  private get share(): number {
    return Math.max(1, (this.limits.maxUnfinishedBytes - this.bytes) / Math.max(1, this.claims.size))
  }

  private pauseHeavy(): void {
    const { share } = this
    for (const claim of this.claims.values()) {
      if (claim.heavy || !claim.tracker || claim.tracker.bytes < share) continue
      const before = claim.mustPause
      claim.heavy = true
      if (!before) this.on.pausesChanged(claim)
    }
  }

  private relieve(): void {
    if (this.bytes > this.limits.maxUnfinishedBytes / 2) return
    for (const claim of this.claims.values()) {
      if (!claim.heavy) continue
      claim.heavy = false
      this.on.pausesChanged(claim)
    }
  }
}
