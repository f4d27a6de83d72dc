import type { ConsumedRecord } from '@posthorn/kafka'
import { BULK, decodeDelivery, DUE, type Attempt, type ReadDelivery } from '@posthorn/topics'
import type { Delivery } from '@posthorn/webhook'
import type { DelivererMetrics } from './deliverer-metrics.js'
import { Seen } from './seen.js'
import { Completion, isOrdered, type Lane, type OffsetOwner, type Work } from './work.js'

export interface IntakeParts {
  readonly metrics: DelivererMetrics
  /** Sets the record aside and finishes its offset. */
  undecodable(owner: OffsetOwner, record: ConsumedRecord, detail: string): void
  /** A record of a newer version: this process is too old to go on. */
  newer(record: ConsumedRecord, version: number): void
  /** Work that had to wait for an earlier attempt of its delivery. */
  ready(work: Work): void
}

/** Bulk that was moved to a delay topic would take the place of live work when it is back: it is bulk still. */
function laneOf({ topic: { name } }: ConsumedRecord, { bulk }: Delivery): Lane {
  if (name === BULK.name || bulk) return 'bulk'
  return name === DUE.name ? 'due' : 'fresh'
}

/** Turns records into work, each attempt once: what was seen before is dropped here. */
export class Intake {
  private readonly seen = new Map<number, Seen<Work>>()
  /** What waits until work is over that decides about it, by that work: retries, and what it was moved to. */
  private readonly behind = new Map<Work, Work[]>()

  constructor(private readonly parts: IntakeParts) {}

  /** The attempt is recorded; see Seen. */
  finish(work: Work, how: 'final' | 'tier'): void {
    this.of(work.partition).finish(work.delivery, how, work)
    this.letGo(work)
  }

  /** The work left memory without an attempt. */
  release(work: Work): void {
    this.of(work.partition).release(work.delivery, work)
    this.letGo(work)
  }

  /** What attempts.v1 says about a partition, oldest first, before its first record. */
  recall(partition: number, attempt: Attempt): void {
    this.of(partition).recall(attempt)
  }

  /** Forgets partitions that are others' now. */
  keepOnly(partitions: ReadonlySet<number>): void {
    for (const partition of this.seen.keys()) if (!partitions.has(partition)) this.seen.delete(partition)
  }

  /** Undefined: it is none. `live`: not read again. */
  read(owner: OffsetOwner, record: ConsumedRecord, live: boolean): Work | undefined {
    const read: ReadDelivery = decodeDelivery(record.value)
    switch (read.kind) {
      case 'newer':
        this.parts.newer(record, read.version)
        return undefined
      case 'bad':
        // Read again it was set aside before.
        if (live) this.parts.undecodable(owner, record, read.detail)
        return undefined
      case 'delivery':
        return {
          delivery: read.delivery,
          data: read.data,
          lane: laneOf(record, read.delivery),
          partition: record.partition,
          bytes: record.value?.length ?? 0,
          record,
          completion: new Completion(owner, record.offset),
          live,
          place: undefined,
          failures: 0,
          moving: false,
        }
    }
  }

  /** Whether its attempt is still to be made; if not, its offset is done with what did so, or does. */
  isNew(work: Work): boolean {
    const sighting = this.of(work.partition).admit(work.delivery, work)
    switch (sighting.kind) {
      case 'new':
        return true
      case 'in_place':
        work.delivery = { ...work.delivery, attempt: sighting.attempt, due: sighting.due }
        return true
      case 'settled':
        work.completion.done()
        break
      case 'in_flight':
        // What was moved may come back before the move is acknowledged: as a repeat it would be lost.
        if (sighting.work.moving) {
          this.queueBehind(sighting.work, work)
          return false
        }
        work.completion.follow(sighting.work.completion)
        break
      case 'behind':
        if (!isOrdered(sighting.work)) {
          this.queueBehind(sighting.work, work)
          return false
        }
        // Ordered work makes all its attempts itself: its end is that of its copies, whatever their number.
        work.completion.follow(sighting.work.completion)
        break
    }
    this.parts.metrics.duplicate(sighting.kind === 'settled' ? 'settled' : 'in_flight', work.lane)
    return false
  }

  private queueBehind(earlier: Work, work: Work): void {
    const waiting = this.behind.get(earlier)
    if (waiting) waiting.push(work)
    else this.behind.set(earlier, [work])
  }

  private letGo(earlier: Work): void {
    const waiting = this.behind.get(earlier) ?? []
    this.behind.delete(earlier)
    for (const work of waiting) if (this.isNew(work)) this.parts.ready(work)
  }

  private of(partition: number): Seen<Work> {
    let seen = this.seen.get(partition)
    if (!seen) this.seen.set(partition, (seen = new Seen()))
    return seen
  }
}
