import type { Message } from 'kafkajs'

/** Grouping in kafkajs is quadratic per partition: 20,000 records on one partition took 3.8 s. */
const MAX_LANE_RECORDS = 500
const MAX_LANE_BYTES = 512 * 1024
/** Of one send over all partitions: well below what a broker takes in one request (100 MB). */
const MAX_SEND_BYTES = 8 * 1024 * 1024

/** A record on its way; kafkajs takes it as the message itself, so that nothing is copied. */
export interface Outgoing extends Message {
  readonly partition: number
  readonly bytes: number
  /** Acknowledged, refused or given up: nobody waits for it any more. */
  settled: boolean
  readonly resolve: (offset: number) => void
  readonly reject: (error: Error) => void
}

/** One partition's records in the order they were sent; the first `taken` of them are in flight. */
class Lane {
  items: Outgoing[] = []
  head = 0
  taken = 0

  constructor(
    readonly topic: string,
    readonly partition: number,
  ) {}

  get waiting(): number {
    return this.items.length - this.head
  }
}

/** What one lane contributes to a send. */
export interface Parcel {
  readonly lane: Lane
  readonly items: readonly Outgoing[]
}

/** The records of all partitions, bounded per send; a partition's order is never changed. */
export class ProduceQueue {
  private readonly lanes = new Map<string, Lane[]>()
  /** Lanes with waiting records; the one served longest ago first. */
  private readonly ready = new Set<Lane>()
  private bytes = 0
  private records = 0

  get queuedBytes(): number {
    return this.bytes
  }

  get isEmpty(): boolean {
    return this.records === 0
  }

  add(topic: string, record: Outgoing): void {
    let lanes = this.lanes.get(topic)
    if (!lanes) this.lanes.set(topic, (lanes = []))
    const lane = (lanes[record.partition] ??= new Lane(topic, record.partition))
    lane.items.push(record)
    this.ready.add(lane)
    this.bytes += record.bytes
    this.records++
  }

  /** Takes what the next send carries, at most `limit` records. What is taken stays queued until removed. */
  take(limit: number): Parcel[] {
    const parcels: Parcel[] = []
    let room = MAX_SEND_BYTES
    let left = limit
    for (const lane of this.ready) {
      if (room <= 0 || left <= 0) break
      const items = this.takeFrom(lane, Math.min(room, MAX_LANE_BYTES), Math.min(left, MAX_LANE_RECORDS))
      if (items.length === 0) continue
      for (const { bytes } of items) room -= bytes
      left -= items.length
      parcels.push({ lane, items })
    }
    return parcels
  }

  /** The parcel's records are done with, whichever way. */
  remove({ lane, items }: Parcel): void {
    for (const item of items) this.forget(item)
    lane.head += lane.taken
    lane.taken = 0
    this.ready.delete(lane)
    if (lane.waiting > 0) this.ready.add(lane)
    // Those in front of the head are still held: never more of them than wait behind it.
    if (lane.head * 2 > lane.items.length) {
      lane.items = lane.items.slice(lane.head)
      lane.head = 0
    }
  }

  /** The send is over and these are not done with: they are taken again, or may be dropped. */
  release(parcels: readonly Parcel[]): void {
    for (const { lane } of parcels) lane.taken = 0
  }

  /** Gives up a record that is not in flight; one that is stays until its send is over. False then. */
  drop(topic: string, item: Outgoing): boolean {
    const lane = this.lanes.get(topic)![item.partition]!
    const at = lane.items.indexOf(item, lane.head)
    if (at < lane.head + lane.taken) return false
    lane.items.splice(at, 1)
    if (lane.waiting === 0) this.ready.delete(lane)
    this.forget(item)
    return true
  }

  /** Everything that is queued, to be given up. */
  all(): Outgoing[] {
    return [...this.ready].flatMap(lane => lane.items.slice(lane.head))
  }

  private takeFrom(lane: Lane, maxBytes: number, maxRecords: number): Outgoing[] {
    let end = lane.head
    let bytes = 0
    while (end < lane.items.length && end - lane.head < maxRecords) {
      bytes += lane.items[end]!.bytes
      // A lone record may be larger than the limit.
      if (bytes > maxBytes && end > lane.head) break
      end++
    }
    lane.taken = end - lane.head
    return lane.items.slice(lane.head, end)
  }

  private forget(item: Outgoing): void {
    this.bytes -= item.bytes
    this.records--
  }
}
