import { FinishedBitmap, MAX_BITS } from './finished-bitmap.js'

const FIRST_CAPACITY = 256

/**
 * One partition's offsets during one stretch of ownership. What was received and is not finished is
 * kept in order, so that gaps of any width (compaction, transaction markers, retention) cost
 * nothing; an offset that never comes counts as finished.
 */
export class OffsetTracker {
  /** Rings of equal capacity, a power of two: offsets ascending from `head`, and size + 1 (0: finished). */
  private offsets = new Float64Array(FIRST_CAPACITY)
  private sizes = new Float64Array(FIRST_CAPACITY)
  private head = 0
  private length = 0
  private unfinishedBytes = 0
  private unfinished = 0
  private changes = 0

  /** `next` is the committed offset, `restored` what was finished above it according to the commit. */
  constructor(
    private expected: number,
    private restored?: FinishedBitmap,
  ) {}

  /** The offset that fetching has to go on from. */
  get next(): number {
    return this.expected
  }

  /** What to commit: the lowest unfinished offset, or the next one when there is none. */
  get position(): number {
    return this.length > 0 ? this.offsets[this.head]! : this.expected
  }

  /** How far the newest received offset is above the lowest unfinished one. */
  get distance(): number {
    return this.expected - this.position
  }

  get bytes(): number {
    return this.unfinishedBytes
  }

  get open(): number {
    return this.unfinished
  }

  /** Grows whenever there is something new to commit. */
  get version(): number {
    return this.changes
  }

  /** True: to be handled. False: received before, or finished before a restart. */
  receive(offset: number, bytes: number): boolean {
    if (offset < this.expected) return false
    this.expected = offset + 1
    if (this.wasFinished(offset)) {
      this.changes++
      return false
    }
    if (this.length === this.offsets.length) this.grow()
    const at = (this.head + this.length) & (this.offsets.length - 1)
    this.offsets[at] = offset
    this.sizes[at] = bytes + 1
    this.length++
    this.unfinished++
    this.unfinishedBytes += bytes
    return true
  }

  /** The log has nothing more for us up to and including `offset`: markers, holes, or removed by retention. */
  pass(offset: number): void {
    if (offset < this.expected) return
    this.expected = offset + 1
    this.changes++
  }

  /** False when there was nothing to finish: not received, or finished already. */
  finish(offset: number): boolean {
    const at = this.find(offset)
    if (at === undefined || this.sizes[at] === 0) return false
    this.unfinishedBytes -= this.sizes[at]! - 1
    this.sizes[at] = 0
    this.unfinished--
    this.changes++
    const mask = this.offsets.length - 1
    while (this.length > 0 && this.sizes[this.head] === 0) {
      this.head = (this.head + 1) & mask
      this.length--
    }
    return true
  }

  /** The finished offsets above `position`, for the commit's metadata. */
  metadata(): string {
    const base = this.position
    const end = Math.max(this.expected, this.restored?.end ?? 0)
    if (end <= base) return ''
    const bitmap = FinishedBitmap.of(base, end - base)
    bitmap.setUpTo(this.expected)
    const mask = this.offsets.length - 1
    for (let i = 0; i < this.length; i++) {
      const at = (this.head + i) & mask
      if (this.offsets[at]! >= base + MAX_BITS) break
      if (this.sizes[at] !== 0) bitmap.clear(this.offsets[at]!)
    }
    // What a restart took over and was not read yet must survive the next restart, too.
    for (let offset = Math.max(this.expected, base); this.restored && offset < this.restored.end; offset++)
      if (this.restored.has(offset)) bitmap.set(offset)
    return bitmap.toMetadata()
  }

  private wasFinished(offset: number): boolean {
    if (!this.restored) return false
    if (offset < this.restored.end) return this.restored.has(offset)
    this.restored = undefined
    return false
  }

  /** Index into the rings; without gaps the first guess is right, otherwise it is an upper bound. */
  private find(offset: number): number | undefined {
    if (this.length === 0) return undefined
    const mask = this.offsets.length - 1
    let low = 0
    let high = Math.min(offset - this.offsets[this.head]!, this.length - 1)
    while (low <= high) {
      const at = (this.head + high) & mask
      if (this.offsets[at] === offset) return at
      const middle = (low + high) >> 1
      const probe = this.offsets[(this.head + middle) & mask]!
      if (probe === offset) return (this.head + middle) & mask
      if (probe < offset) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  private grow(): void {
    const capacity = this.offsets.length * 2
    const offsets = new Float64Array(capacity)
    const sizes = new Float64Array(capacity)
    const firstPart = this.offsets.length - this.head
    offsets.set(this.offsets.subarray(this.head), 0)
    offsets.set(this.offsets.subarray(0, this.head), firstPart)
    sizes.set(this.sizes.subarray(this.head), 0)
    sizes.set(this.sizes.subarray(0, this.head), firstPart)
    this.offsets = offsets
    this.sizes = sizes
    this.head = 0
  }
}
