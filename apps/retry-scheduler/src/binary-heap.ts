/** Keeps the first item, by `before`, at hand: O(log n) to add and to take, O(1) to look. */
export class BinaryHeap<T> {
  private items: T[] = []

  constructor(private readonly before: (one: T, other: T) => boolean) {}

  get size(): number {
    return this.items.length
  }

  peek(): T | undefined {
    return this.items[0]
  }

  push(item: T): void {
    let at = this.items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.before(item, this.items[parent]!)) break
      this.items[at] = this.items[parent]!
      at = parent
    }
    this.items[at] = item
  }

  pop(): T | undefined {
    const first = this.items[0]
    const last = this.items.pop()
    if (this.items.length > 0) this.sink(last!)
    return first
  }

  /** Drops every item that `keep` refuses; O(n). */
  filter(keep: (item: T) => boolean): void {
    const kept = this.items.filter(keep)
    this.items = []
    for (const item of kept) this.push(item)
  }

  /** Puts `item` into the place of the first one, then where it belongs. */
  private sink(item: T): void {
    const { items } = this
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.before(items[child + 1]!, items[child]!)) child++
      if (!this.before(items[child]!, item)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = item
  }
}
