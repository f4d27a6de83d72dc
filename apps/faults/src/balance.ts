import { DEAD_LETTERS, decodeDeadLetter, decodeDelivery, DELIVERIES } from '@posthorn/topics'
import { isDeadLetter, isFinal, type OutcomeKind } from '@posthorn/webhook'
import type { Member } from './crowd.js'
import type { Ledger, Recorded } from './ledger.js'
import type { LogRecord } from './topic-log.js'

type End = Exclude<OutcomeKind, 'retry'>

/** For every event and webhook: what was routed, and how it ended. */
export interface Balance {
  readonly routed: number
  readonly ends: Readonly<Record<End, number>>
  /** Routed, and without an end. */
  readonly pending: readonly string[]
  /** Everything that does not add up. */
  readonly wrong: readonly string[]
}

export interface Books {
  /** The deliveries that the published events must have. */
  readonly wanted: ReadonlyMap<string, Member>
  readonly ledger: Pick<Ledger, 'isDelivered' | 'count'>
  readonly attempts: readonly Recorded[]
  readonly deliveries: readonly Pick<LogRecord, 'value'>[]
  readonly deadLetters: readonly Pick<LogRecord, 'value'>[]
}

/** Throws for a record that does not decode. */
export function balance({ wanted, ledger, attempts, deliveries, deadLetters }: Books): Balance {
  const routed = new Set(deliveries.map(({ value }) => idOf(value)))
  const dead = new Set(deadLetters.map(({ value }) => deadIdOf(value)))
  const endOf = new Map<string, End>()
  for (const { attempt } of attempts) if (isEnd(attempt.outcome)) endOf.set(attempt.delivery, attempt.outcome)
  const ends: Record<End, number> = { delivered: 0, exhausted: 0, expired: 0, gone: 0, discarded: 0 }
  const wrong: string[] = []
  const pending: string[] = []
  for (const id of routed) {
    const end = endOf.get(id)
    const member = wanted.get(id)
    if (end === undefined) pending.push(`${id} for ${member?.kind.name ?? 'nobody'}`)
    else ends[end]++
    if (member === undefined) wrong.push(`${id} was routed and no event asked for it`)
    else if (end !== undefined) wrong.push(...faultsOf(id, member, end, { dead: dead.has(id), ledger }))
  }
  // A webhook that is gone is disabled: what comes afterwards is not for it.
  for (const [id, { kind }] of wanted)
    if (!routed.has(id) && kind.endOf(id) !== 'gone') wrong.push(`${id} for ${kind.name} was never routed`)
  return { routed: routed.size, ends, pending, wrong }
}

function faultsOf(
  id: string,
  { kind }: Member,
  end: End,
  { dead, ledger }: { readonly dead: boolean; readonly ledger: Books['ledger'] },
): string[] {
  const wanted = kind.endOf(id)
  const isRight = end === wanted || (wanted === 'gone' && end === 'discarded')
  // The deliverer was killed after the dead letter of a 410, and before its attempt; disabled meanwhile, it was discarded.
  const isGone = end === 'discarded' && dead && ledger.count(id) > 0
  return [
    ...(isRight ? [] : [`${id} for ${kind.name} ended ${end}`]),
    ...(end === 'delivered' && !ledger.isDelivered(id)
      ? [`${id} is recorded as delivered and no 2xx was answered`]
      : []),
    ...(isDeadLetter(end) === dead || isGone ? [] : [`${id} ended ${end} and is ${dead ? 'a' : 'no'} dead letter`]),
  ]
}

const isEnd = (outcome: OutcomeKind): outcome is End => isFinal(outcome)

function idOf(value: Buffer | null): string {
  const read = decodeDelivery(value)
  if (read.kind !== 'delivery') throw new Error(`${DELIVERIES.name} has a record that is ${read.kind}`)
  return read.delivery.id
}

function deadIdOf(value: Buffer | null): string {
  const read = decodeDeadLetter(value)
  if (read.kind !== 'dead-letter') throw new Error(`${DEAD_LETTERS.name} has a record that is ${read.kind}`)
  return read.delivery.id
}
