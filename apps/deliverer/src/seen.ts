import { hash } from 'node:crypto'
import type { Attempt } from '@posthorn/topics'
import { isFinal } from '@posthorn/webhook'
import { SettledAttempts, type Print, type Settled } from './settled-attempts.js'

/** Attempts that one partition remembers; at 21 to 40 bytes each 3 to 4 MB. */
export const SEEN_PER_PARTITION = 100_000

/** Names an attempt: the same numbers mean the same attempt, whatever record brings it. */
export interface AttemptName {
  readonly id: string
  readonly run: string
  readonly attempt: number
}

/** `W` is what is known of work under way. */
interface Flight<W> {
  readonly attempt: number
  readonly work: W
}

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
  /** Never forgotten: the consumer's window bounds how many there are. */
  private readonly flights = new Map<string, Flight<W>>()
  private readonly settled: SettledAttempts

  constructor(limit: number = SEEN_PER_PARTITION) {
    this.settled = new SettledAttempts(limit)
  }

  /** Looks an attempt up; a new one is in flight from now on, until finish() or release(). */
  admit(name: AttemptName, work: W): Sighting<W> {
    const key = keyOf(name)
    const flight = this.flights.get(key)
    if (flight) return { kind: name.attempt > flight.attempt ? 'behind' : 'in_flight', work: flight.work }
    const known = this.settled.get(printOf(key))
    switch (known?.kind) {
      case 'final':
        return { kind: 'settled' }
      case 'tier':
        if (name.attempt <= known.attempt) return { kind: 'settled' }
        break
      case 'in_place':
        if (name.attempt > known.attempt) break
        this.flights.set(key, { attempt: known.attempt + 1, work })
        return { kind: 'in_place', attempt: known.attempt + 1, due: known.due }
      case undefined:
    }
    this.flights.set(key, { attempt: name.attempt, work })
    return { kind: 'new' }
  }

  /** The attempt is recorded; `final` ends its run; `tier`: the next number waits in a delay topic. */
  finish(name: AttemptName, how: 'final' | 'tier', work: W): void {
    this.release(name, work)
    this.settle(keyOf(name), how === 'final' ? { kind: how } : { kind: how, attempt: name.attempt })
  }

  /** No attempt was made, and the record that brings it again has the same number: as if never seen. */
  release(name: AttemptName, work: W): void {
    const key = keyOf(name)
    // Of an earlier time of owning the partition: another copy may be in flight now.
    if (this.flights.get(key)?.work === work) this.flights.delete(key)
  }

  /** Takes over what an attempt record says, oldest first. */
  recall(record: Pick<Attempt, 'delivery' | 'run' | 'attempt' | 'outcome' | 'next' | 'next_attempt_at'>): void {
    const said = saidBy(record)
    if (said) this.settle(keyOf({ id: record.delivery, run: record.run }), said)
  }

  private settle(key: string, said: Settled): void {
    const print = printOf(key)
    const known = this.settled.get(print)
    if (known === undefined || saysMore(said, known)) this.settled.set(print, said)
  }
}

function keyOf({ id, run }: Pick<AttemptName, 'id' | 'run'>): string {
  return `${id}/${run}`
}

const digest = Buffer.alloc(32)
const print: Print = new Uint32Array(digest.buffer, digest.byteOffset, 4)

/** Good until the next call. */
function printOf(key: string): Print {
  digest.write(hash('sha256', key, 'binary'), 'latin1')
  return print
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

/** Copies of an attempt may end differently, and a run that has ended stays so. */
function saysMore(said: Settled, known: Settled): boolean {
  if (known.kind === 'final') return false
  return said.kind === 'final' || said.attempt > known.attempt
}
