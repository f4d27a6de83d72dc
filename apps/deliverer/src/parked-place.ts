import type { ParkedPlace } from '@posthorn/topics'

/** What parking has to know of a piece of work. */
export interface Parkable<P> {
  /** `order` is the key that its webhook orders by; `due` (ms) counts from the second attempt on. */
  readonly delivery: {
    readonly webhook: string
    readonly order?: string
    readonly attempt: number
    readonly due: number
  }
  /** `timestamp`: when the log took it, ms. */
  readonly record: { readonly offset: number; readonly timestamp: number }
  readonly bytes: number
  /** Given by the live loop, not read again. */
  readonly live: boolean
  /** The place that counts it as unfinished; undefined: the live loop alone does. */
  place: P | undefined
}

export interface Tried {
  readonly attempt: number
  readonly due: number
}

/** Work that a place took over: once the place is durable its own offset is done. */
interface Adopted<W> {
  readonly work: W
  /** It counted it as unfinished until then. */
  readonly from: Place<W> | undefined
}

/**
 * A place in one partition of deliveries.v1 from where the records of a webhook, or of one of its keys,
 * are to be read again: those in `left`, and all from `next` on. Plain bookkeeping.
 */
export class Place<W> {
  readonly left = new Set<number>()
  readonly tried = new Map<number, Tried>()
  /** Re-read, or still under way when the place was made, and not finished. */
  readonly running = new Map<number, W>()
  runningBytes = 0
  /** Where the reader goes on. */
  readAt: number
  /** When it was read last, in turns of the reader. */
  turn = 0
  /** The reader met what it has no room for. */
  blocked = false
  /** From here on live records wait in `held`, because the reader comes no further. */
  joinAt: number | undefined
  held: W[] = []
  clearing = false
  /** Waiting for the next write, and for the one under way. */
  adopted: Adopted<W>[] = []
  awaiting: Adopted<W>[] = []
  /** Whether it stands on the topic in any form. */
  acked = false
  writing = false
  /** It has to be written again at once; `dirty`: sometime. */
  stale = false
  dirty = false
  savedAt = 0

  constructor(
    readonly webhook: string,
    /** Undefined: the whole webhook. */
    readonly key: string | undefined,
    public next: number,
    /** Nothing is read before, ms since the epoch. */
    public due: number,
    /** The oldest of its records came then, or it was parked then: ms since the epoch, and never too late. */
    public since: number,
  ) {
    this.readAt = next
  }

  static restored<W>(facet: ParkedPlace): Place<W> {
    const place = new Place<W>(facet.webhook, facet.key, facet.next, facet.due, facet.since)
    for (const offset of facet.left) place.left.add(offset)
    for (const [offset, attempt, due] of facet.tried) place.tried.set(offset, { attempt, due })
    place.readAt = place.from
    place.acked = true
    return place
  }

  /** The lowest unfinished offset. */
  get from(): number {
    let from = this.next
    for (const offset of this.left) if (offset < from) from = offset
    return from
  }

  covers(offset: number): boolean {
    return offset >= this.next || this.left.has(offset)
  }

  /** Whether the reader, at this offset, has something for it. */
  takes(offset: number): boolean {
    if (this.blocked || offset < this.readAt || (this.joinAt !== undefined && offset >= this.joinAt)) return false
    return this.covers(offset) && !this.running.has(offset)
  }

  run(offset: number, work: W, bytes: number): void {
    this.left.add(offset)
    this.running.set(offset, work)
    this.runningBytes += bytes
  }

  /** The work left memory unfinished: it is read once more. */
  back(offset: number, bytes: number, tried: Tried | undefined): void {
    this.stopped(offset, bytes)
    this.readAt = Math.min(this.readAt, offset)
    // In the middle of a reading what comes of it later in the log is not its turn.
    this.blocked = true
    if (tried) this.tried.set(offset, tried)
  }

  finished(offset: number, bytes: number): void {
    this.stopped(offset, bytes)
    this.tried.delete(offset)
    if (this.left.delete(offset)) this.dirty = true
  }

  /** The reader has told of everything below `offset`. */
  passed(offset: number): void {
    this.readAt = this.joinAt === undefined ? offset : Math.min(offset, this.joinAt)
    if (this.readAt > this.next) {
      this.next = this.readAt
      this.dirty = true
    }
  }

  /** All of it counts as unfinished from this offset on, and nothing before. */
  restart(offset: number): void {
    this.left.clear()
    this.tried.clear()
    this.running.clear()
    this.runningBytes = 0
    this.next = this.readAt = offset
  }

  /** Nothing below `next` is left to be read. */
  skip(): void {
    if (this.left.size === this.running.size) this.readAt = Math.max(this.readAt, this.next)
  }

  /** Retention has taken everything below `offset`; how many records of the place those were, as far as it is known. */
  lost(offset: number): number {
    let lost = 0
    for (const gone of this.left) if (gone < offset && !this.running.has(gone) && this.left.delete(gone)) lost++
    this.passed(Math.max(this.readAt, offset))
    return lost
  }

  /** The oldest record that is left came at `time` (ms). */
  keeps(time: number): void {
    if (time === this.since) return
    this.since = time
    this.dirty = true
  }

  get isReadUp(): boolean {
    return this.joinAt !== undefined && this.readAt >= this.joinAt && this.left.size === 0
  }

  state(partition: number): Omit<ParkedPlace, 'version'> {
    return {
      webhook: this.webhook,
      ...(this.key === undefined ? {} : { key: this.key }),
      partition,
      next: this.next,
      left: [...this.left].sort((a, b) => a - b),
      tried: [...this.tried].map(([offset, { attempt, due }]) => [offset, attempt, due] as const),
      due: this.due,
      since: this.since,
    }
  }

  private stopped(offset: number, bytes: number): void {
    if (this.running.delete(offset)) this.runningBytes -= bytes
  }
}
