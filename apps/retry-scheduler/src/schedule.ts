import { decodeDelivery } from '@posthorn/topics'
import { SHORTEST_TIER_MS, tierFor, type TierName } from '@posthorn/webhook'
import { BinaryHeap } from './binary-heap.js'
import type { Lane, WaitingRecord } from './lane.js'
import { TokenBucket } from './token-bucket.js'

/** Where a record goes when it leaves its partition. */
export type Destination =
  | { readonly kind: 'due'; readonly webhook: string; readonly due: number }
  | { readonly kind: 'tier'; readonly webhook: string; readonly due: number; readonly tier: TierName }
  | { readonly kind: 'poison'; readonly detail: string }
  | { readonly kind: 'newer'; readonly version: number }

export interface Release<L extends Lane = Lane> {
  readonly lane: L
  readonly record: WaitingRecord
  readonly to: Destination
}

interface DueRelease<L extends Lane> extends Release<L> {
  readonly to: Extract<Destination, { kind: 'due' }>
}

/** Decoded in one call: some 5 ms, so that fetches and acknowledgements are not kept waiting. */
const BATCH = 500

/**
 * When which record leaves: partitions by the time of their heads, then, with less than the shortest
 * tier left, records by their own due times. Nothing leaves before its time by `now`, and what
 * leaves is no longer remembered here. All times in ms since the epoch.
 */
export class Schedule<L extends Lane = Lane> {
  /** Partitions with something waiting, each once. */
  private readonly lanes = new BinaryHeap<L>((one, other) => one.releaseAt! < other.releaseAt!)
  private readonly due = new BinaryHeap<DueRelease<L>>((one, other) => one.to.due < other.to.due)
  private readonly bucket: TokenBucket

  /** At most `perSecond` records leave their partitions; a downtime's worth of overdue ones would flood what follows. */
  constructor(
    private readonly now: () => number,
    perSecond: number,
  ) {
    this.bucket = new TokenBucket(perSecond, perSecond, now())
  }

  /** Records of a partition are added in the order of its log. */
  add(lane: L, record: WaitingRecord): void {
    const wasEmpty = lane.releaseAt === undefined
    lane.push(record, this.now())
    if (wasEmpty) this.lanes.push(lane)
  }

  /** Forgets a partition and all records that came from it. */
  drop(lane: L): void {
    this.lanes.filter(one => one !== lane)
    this.due.filter(release => release.lane !== lane)
  }

  /** The earliest time at which something should leave or should have left. */
  earliest(): number | undefined {
    const head = this.lanes.peek()?.releaseAt ?? Number.POSITIVE_INFINITY
    const due = this.due.peek()?.to.due ?? Number.POSITIVE_INFINITY
    const first = Math.min(head, due)
    return first === Number.POSITIVE_INFINITY ? undefined : first
  }

  /** The same of what has left its partition and waits for its own time. */
  earliestDue(): number | undefined {
    return this.due.peek()?.to.due
  }

  /** When to call take next; undefined while nothing waits. */
  nextWake(): number | undefined {
    const now = this.now()
    const head = this.lanes.peek()?.releaseAt ?? Number.POSITIVE_INFINITY
    const due = this.due.peek()?.to.due ?? Number.POSITIVE_INFINITY
    const first = Math.min(due, head > now ? head : this.bucket.readyAt(now))
    return first === Number.POSITIVE_INFINITY ? undefined : first
  }

  /** What leaves now, at most two batches: call it again while nextWake is not in the future. */
  take(now: number): Release<L>[] {
    const released: Release<L>[] = []
    while (released.length < BATCH && this.due.size > 0 && this.due.peek()!.to.due <= now)
      released.push(this.due.pop()!)
    for (let taken = 0; taken < BATCH && this.headIsReady(now); taken++) {
      const release = judge(this.shift(), now)
      if (isDue(release) && release.to.due > now) this.due.push(release)
      else released.push(release)
    }
    return released
  }

  private headIsReady(now: number): boolean {
    const lane = this.lanes.peek()
    return lane !== undefined && lane.releaseAt! <= now && this.bucket.take(now)
  }

  /** Takes the earliest head of all partitions. */
  private shift(): { lane: L; record: WaitingRecord } {
    const lane = this.lanes.pop()!
    const record = lane.shift()
    if (lane.releaseAt !== undefined) this.lanes.push(lane)
    return { lane, record }
  }
}

function judge<L extends Lane>({ lane, record }: { lane: L; record: WaitingRecord }, now: number): Release<L> {
  const read = decodeDelivery(record.value)
  switch (read.kind) {
    case 'newer':
      return { lane, record, to: { kind: 'newer', version: read.version } }
    case 'bad':
      return { lane, record, to: { kind: 'poison', detail: read.detail } }
    case 'delivery': {
      const { webhook, due } = read.delivery
      const remaining = due - now
      if (remaining < SHORTEST_TIER_MS) return { lane, record, to: { kind: 'due', webhook, due } }
      return { lane, record, to: { kind: 'tier', webhook, due, tier: tierFor(remaining).name } }
    }
  }
}

function isDue<L extends Lane>(release: Release<L>): release is DueRelease<L> {
  return release.to.kind === 'due'
}
