/** Ids that are never accepted would stay for ever: the oldest go first. */
const MAX_IDS = 100_000

/** How many requests of each webhook-id were refused, for the paths that fail at first. */
export class Refusals {
  private readonly counts = new Map<string, number>()

  of(id: string): number {
    return this.counts.get(id) ?? 0
  }

  add(id: string): void {
    this.counts.set(id, this.of(id) + 1)
    if (this.counts.size > MAX_IDS) this.forget(this.counts.keys().next().value!)
  }

  forget(id: string): void {
    this.counts.delete(id)
  }
}
