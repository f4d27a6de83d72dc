/** How the highest known attempt of a delivery and run went on, once that was durable. */
export type Settled =
  | { readonly kind: 'final' }
  | { readonly kind: 'tier'; readonly attempt: number }
  /** The record itself is to go on with the next attempt, at `due` (ms). */
  | { readonly kind: 'in_place'; readonly attempt: number; readonly due: number }

/** Bits of a hash, four words of 32: three name the entry, the fourth says where it is looked for. */
export type Print = Uint32Array

/** So much of what is remembered is forgotten at once. */
const GENERATIONS = 4
const WORDS = 3
const FINAL = 1
const TIER = 2
const IN_PLACE = 3

/**
 * The last entries that were set, `limit` of them at least and a quarter more at most. An entry takes 21 to
 * 40 bytes (in a Map of strings to objects it took 160) and nothing that the garbage collector has to walk. Two
 * entries are taken for one with a chance of 2^-96: that would be a delivery dropped as a repeat.
 */
export class SettledAttempts {
  /** The newest first. */
  private readonly generations: Generation[] = []
  private readonly perGeneration: number

  constructor(limit: number) {
    this.perGeneration = Math.ceil(limit / GENERATIONS)
  }

  get(print: Print): Settled | undefined {
    for (const generation of this.generations) {
      const settled = generation.get(print)
      if (settled) return settled
    }
    return undefined
  }

  set(print: Print, settled: Settled): void {
    let [newest] = this.generations
    if (!newest || newest.size === this.perGeneration) {
      newest = new Generation(this.perGeneration)
      this.generations.unshift(newest)
      if (this.generations.length > GENERATIONS + 1) this.generations.pop()
    }
    newest.set(print, settled)
  }
}

/** A hash table of fixed size, to which is only added: what collides lies in the next free slot. */
class Generation {
  size = 0
  private readonly mask: number
  private readonly prints: Uint32Array
  /** The kind in the lowest two bits, the attempt above; 0: an empty slot. */
  private readonly states: Uint32Array
  /** Only ordered webhooks need it. */
  private dues: Float64Array | undefined

  constructor(entries: number) {
    // A fifth of the slots stays empty: with none, looking for what is not there would not end.
    const slots = 2 ** Math.ceil(Math.log2(entries / 0.8))
    this.mask = slots - 1
    this.prints = new Uint32Array(slots * WORDS)
    this.states = new Uint32Array(slots)
  }

  get(print: Print): Settled | undefined {
    const slot = this.slotOf(print)
    const attempt = this.states[slot]! >>> 2
    switch (this.states[slot]! & 3) {
      case FINAL:
        return { kind: 'final' }
      case TIER:
        return { kind: 'tier', attempt }
      case IN_PLACE:
        return { kind: 'in_place', attempt, due: this.dues![slot]! }
      default:
        return undefined
    }
  }

  set(print: Print, settled: Settled): void {
    const slot = this.slotOf(print)
    if (this.states[slot] === 0) {
      for (let word = 0; word < WORDS; word++) this.prints[slot * WORDS + word] = print[word]!
      this.size++
    }
    switch (settled.kind) {
      case 'final':
        this.states[slot] = FINAL
        break
      case 'tier':
        this.states[slot] = TIER | (settled.attempt << 2)
        break
      case 'in_place':
        this.states[slot] = IN_PLACE | (settled.attempt << 2)
        this.dues ??= new Float64Array(this.states.length)
        this.dues[slot] = settled.due
    }
  }

  /** Where the entry is, or would be. */
  private slotOf(print: Print): number {
    const [a, b, c] = print
    for (let slot = print[WORDS]! & this.mask; ; slot = (slot + 1) & this.mask) {
      const at = slot * WORDS
      if (this.prints[at] === a && this.prints[at + 1] === b && this.prints[at + 2] === c) return slot
      if (this.states[slot] === 0) return slot
    }
  }
}
