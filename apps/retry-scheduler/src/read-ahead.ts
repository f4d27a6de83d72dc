import type { Lane } from './lane.js'

export interface ReadAheadLimits {
  readonly records: number
  readonly bytes: number
}

/**
 * Bounds what is held in memory by pausing partitions. Half of the room is for whoever comes first,
 * because retries gather in few partitions; the other half is shared out, so that one with a million
 * records waiting cannot keep another from having its head in memory. Beyond that a record may be
 * late, but never because of a neighbour. A fetch that is under way may overshoot.
 */
export class ReadAhead {
  private readonly lanes = new Set<Lane>()
  private held = 0
  private heldBytes = 0
  private paused = 0

  constructor(private readonly limits: ReadAheadLimits) {}

  /** Records in memory. */
  get records(): number {
    return this.held
  }

  open(lane: Lane): void {
    this.lanes.add(lane)
    this.adjustAll()
  }

  /** Forgets a partition with all that it holds. */
  close(lane: Lane): void {
    if (this.lanes.delete(lane)) {
      this.held -= lane.heldRecords
      this.heldBytes -= lane.heldBytes
      if (lane.paused) this.paused--
    }
    this.adjustAll()
  }

  hold(lane: Lane, bytes: number): void {
    lane.heldRecords++
    lane.heldBytes += bytes
    this.held++
    this.heldBytes += bytes
    this.adjust(lane)
  }

  /** A record of the partition is done; without effect once the partition is closed. */
  free(lane: Lane, bytes: number): void {
    if (!this.lanes.has(lane)) return
    lane.heldRecords--
    lane.heldBytes -= bytes
    this.held--
    this.heldBytes -= bytes
    if (this.paused > 0 && this.isRoomy) this.adjustAll()
    else this.adjust(lane)
  }

  private adjustAll(): void {
    for (const lane of this.lanes) this.adjust(lane)
  }

  /** Pauses at the full share once the common half is used; resumes at half of the share, or when half of the common room is free. */
  private adjust(lane: Lane): void {
    const { records, bytes } = this.share
    if (!lane.paused && this.isCrowded && (lane.heldRecords >= records || lane.heldBytes >= bytes)) {
      lane.paused = true
      this.paused++
      lane.claim.pause()
    } else if (lane.paused && (this.isRoomy || (lane.heldRecords <= records / 2 && lane.heldBytes <= bytes / 2))) {
      lane.paused = false
      this.paused--
      lane.claim.resume()
    }
  }

  private get share(): ReadAheadLimits {
    const { records, bytes } = this.limits
    return { records: records / 2 / this.lanes.size, bytes: bytes / 2 / this.lanes.size }
  }

  private get isCrowded(): boolean {
    return this.held >= this.limits.records / 2 || this.heldBytes >= this.limits.bytes / 2
  }

  private get isRoomy(): boolean {
    return this.held <= this.limits.records / 4 && this.heldBytes <= this.limits.bytes / 4
  }
}
