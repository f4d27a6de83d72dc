/** So many taken entries are left at the front before the rest moves up. */
const COMPACT_AT = 1024

/**
 * First in, first out. `Array.shift()` moves every entry once an array holds some 16,000: that was
 * 4 % of the deliverer's time under a flood.
 */
export class Fifo<T> {
  private items: T[] = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  push(item: T): void {
    this.items.push(item)
  }

  /** Takes out the first; there must be one. */
  shift(): T {
    const item = this.items[this.head]!
    // What was taken must not stay in memory with its body.
    this.items[this.head++] = undefined as T
    if (this.head === this.items.length) this.replace([])
    else if (this.head >= COMPACT_AT && this.head * 2 >= this.items.length) this.replace(this.items.slice(this.head))
    return item
  }

  /** Takes out the last; there must be one. */
  pop(): T {
    const item = this.items.pop()!
    if (this.head === this.items.length) this.replace([])
    return item
  }

  *all(): Iterable<T> {
    for (let i = this.head; i < this.items.length; i++) yield this.items[i]!
  }

  /** Takes out what the predicate says, in order. */
  remove(unwanted: (item: T) => boolean): T[] {
    const removed: T[] = []
    const kept: T[] = []
    for (let i = this.head; i < this.items.length; i++) {
      const item = this.items[i]!
      if (unwanted(item)) removed.push(item)
      else kept.push(item)
    }
    if (removed.length > 0) this.replace(kept)
    return removed
  }

  private replace(items: T[]): void {
    this.items = items
    this.head = 0
  }
}
