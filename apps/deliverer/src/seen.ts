import type { Attempt } from '@posthorn/topics'
import { isFinal } from '@posthorn/webhook'

/** Attempts that one partition remembers; at 200 bytes each some 20 MB. */
export const SEEN_PER_PARTITION = 100_000
/** So much of the limit is forgotten at once: a walk from a map's front passes the holes of all it forgot before. */
const FORGOTTEN_AT_ONCE = 1 / 16

/** Names an attempt: the same numbers mean the same attempt, whatever record brings it. */
export interface AttemptName {
  readonly id: string
  readonly run: string
  readonly attempt: number
}

/** How the highest known attempt of a delivery and run went on. `W` is what is known of work under way. */
type Memory<W> =
  Settled | { readonly kind: 'in_flight'; readonly attempt: number; readonly work: W; before: Settled | undefined }
type Settled =
  | { readonly kind: 'final' }
  | { readonly kind: 'tier'; readonly attempt: number }
  /** The record itself is to go on with the next attempt, at `due` (ms). */
  | { readonly kind: 'in_place'; readonly attempt: number; readonly due: number }

export type Sighting<W> =
  | { readonly kind: 'new' }
  /** New, but its record is older than what was attempted: this is its attempt, due then (ms). */
  | { readonly kind: 'in_place'; readonly attempt: number; readonly due: number }
  /** Its effect is durable: drop it. */
  | { readonly kind: 'settled' }
  /** The same attempt, or a later one, is being worked on: its outcome is the outcome of this one too. */
  | { readonly kind: 'in_flight'; readonly work: W }
  /**
   * An earlier attempt is being worked on. Its retry may be due before it is recorded itself, because
   * the delay topic comes first: whether this one is that retry is known when it is recorded.
   */
  | { readonly kind: 'behind'; readonly work: W }

/**
 * The only deduplication there is, for one partition: it drops redelivered offsets and events
 * published twice, as far as it reaches. What it has forgotten is sent again, under the same webhook-id.
 */
export class Seen<W> {
  private readonly memories = new Map<string, Memory<W>>()

  constructor(private readonly limit: number = SEEN_PER_PARTITION) {}

  get size(): number {
    return this.memories.size
  }

  /** Looks an attempt up; a new one is in flight from now on, until finish() or release(). */
  admit(name: AttemptName, work: W): Sighting<W> {
    const memory = this.memories.get(keyOf(name))
    switch (memory?.kind) {
      case 'final':
        return { kind: 'settled' }
      case 'in_flight':
        return { kind: name.attempt > memory.attempt ? 'behind' : 'in_flight', work: memory.work }
      case 'tier':
        if (name.attempt <= memory.attempt) return { kind: 'settled' }
        break
      case 'in_place':
      case undefined:
    }
    const next = memory?.kind === 'in_place' && name.attempt <= memory.attempt ? memory.attempt + 1 : name.attempt
    this.remember(keyOf(name), { kind: 'in_flight', attempt: next, work, before: memory })
    if (memory?.kind === 'in_place' && next > name.attempt) return { kind: 'in_place', attempt: next, due: memory.due }
    return { kind: 'new' }
  }

  /** The attempt is recorded: `final` ends its run; `tier`: the next number waits in a delay topic. */
  finish(name: AttemptName, how: 'final' | 'tier', work: W): void {
    const key = keyOf(name)
    const memory = this.memories.get(key)
    // Of an earlier time of owning the partition: another copy may be in flight now.
    if (memory?.kind === 'in_flight' && memory.work !== work)
      memory.before = further(memory.before, settledBy(name, how))
    else this.settle(key, memory?.kind === 'in_flight' ? memory.before : memory, settledBy(name, how))
  }

  /** No attempt was made, and the record that brings it again has the same number: as if never seen. */
  release(name: AttemptName, work: W): void {
    const key = keyOf(name)
    const memory = this.memories.get(key)
    if (memory?.kind !== 'in_flight' || memory.work !== work) return
    if (memory.before) this.memories.set(key, memory.before)
    else this.memories.delete(key)
  }

  /** Takes over what an attempt record says, oldest first. */
  recall(record: Pick<Attempt, 'delivery' | 'run' | 'attempt' | 'outcome' | 'next' | 'next_attempt_at'>): void {
    const name = { id: record.delivery, run: record.run, attempt: record.attempt }
    const said = saidBy(record)
    if (!said) return
    const key = keyOf(name)
    const memory = this.memories.get(key)
    if (memory?.kind === 'in_flight') memory.before = further(memory.before, said)
    else this.settle(key, memory, said)
  }

  private settle(key: string, known: Settled | undefined, said: Settled): void {
    const now = further(known, said)
    if (now !== this.memories.get(key)) this.remember(key, now)
  }

  private remember(key: string, memory: Memory<W>): void {
    this.memories.delete(key)
    this.memories.set(key, memory)
    if (this.memories.size >= this.limit * (1 + FORGOTTEN_AT_ONCE)) this.forgetOldest()
  }

  /** What is in flight is never forgotten: the consumer's window bounds how many there are. */
  private forgetOldest(): void {
    for (const [key, memory] of this.memories) {
      if (this.memories.size <= this.limit) return
      if (memory.kind !== 'in_flight') this.memories.delete(key)
    }
  }
}

function keyOf({ id, run }: AttemptName): string {
  return `${id}/${run}`
}

function saidBy({
  attempt,
  outcome,
  next,
  next_attempt_at: at,
}: Parameters<Seen<unknown>['recall']>[0]): Settled | undefined {
  if (isFinal(outcome)) return { kind: 'final' }
  if (next === 'tier') return { kind: 'tier', attempt }
  return next === 'in_place' && at !== undefined ? { kind: 'in_place', attempt, due: Date.parse(at) } : undefined
}

function settledBy({ attempt }: AttemptName, how: 'final' | 'tier'): Settled {
  return how === 'final' ? { kind: how } : { kind: how, attempt }
}

/** The one of two that says more: copies of an attempt may end differently, and a run that has ended stays so. */
function further(known: Settled | undefined, said: Settled): Settled {
  if (known === undefined || said.kind === 'final') return known?.kind === 'final' ? known : said
  return known.kind === 'final' || known.attempt >= said.attempt ? known : said
}
