import type { Lane } from './lane.js'

export interface ReadAheadLimits {
  readonly records: number
  readonly bytes: number
}

/**
 * Bounds what is held in memory by pausing partitions. Each has the same share, so that one with a
 * million records waiting cannot keep another from having its head in memory: beyond the share a
 * record may be late, but never because of a neighbour. A fetch that is under way may overshoot.
 */
export class ReadAhead {
  private readonly lanes = new Set<Lane>()
  private held = 0

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
    if (this.lanes.delete(lane)) this.held -= lane.heldRecords
    this.adjustAll()
  }

  hold(lane: Lane, bytes: number): void {
    lane.heldRecords++
    lane.heldBytes += bytes
    this.held++
    this.adjust(lane)
  }

  /** A record of the partition is done; without effect once the partition is closed. */
  free(lane: Lane, bytes: number): void {
    if (!this.lanes.has(lane)) return
    lane.heldRecords--
    lane.heldBytes -= bytes
    this.held--
    this.adjust(lane)
  }

  private adjustAll(): void {
    for (const lane of this.lanes) this.adjust(lane)
  }

  /** Pauses at the full share, resumes at half of it. */
  private adjust(lane: Lane): void {
    const records = this.limits.records / this.lanes.size
    const bytes = this.limits.bytes / this.lanes.size
    if (!lane.paused && (lane.heldRecords >= records || lane.heldBytes >= bytes)) {
      lane.paused = true
      lane.claim.pause()
    } else if (lane.paused && lane.heldRecords <= records / 2 && lane.heldBytes <= bytes / 2) {
      lane.paused = false
      lane.claim.resume()
    }
  }
}
