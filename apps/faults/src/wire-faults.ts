import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from './ledger.js'
import { Seeded } from './seeded.js'
import type { Stage } from './stage.js'
import type { Disturbance, Wire } from '@posthorn/testkit'

/** What is done to all connections of a wire; `mixed`: some of each, and new ones are refused. */
export const WIRE_FAULTS = ['slow', 'cut', 'half_open', 'mixed'] as const
export type WireFault = (typeof WIRE_FAULTS)[number]

/** Whose clients meet it. */
export const WIRED = ['a broker', 'all brokers', 'Postgres'] as const
export type Wired = (typeof WIRED)[number]

type Range = readonly [number, number]

/** Each way. */
const SLOW_MS: Range = [100, 2000]
/** Less than the answer to a fetch under load, and often less than a request. */
const CUT_AFTER_BYTES: Range = [1, 4000]
const LARGEST = 2 ** 31
const BRIEF_MS: Range = [3000, 6000]
/** A session of Kafka is 10 s, and a request to it is given up after 15 s. */
const HALF_OPEN_MS: Range = [16_000, 18_000]
/** A statement is given up after 6 s. */
const HALF_OPEN_POSTGRES_MS: Range = [8000, 10_000]

/** Disturbs the clients of Kafka or of Postgres; resolves when their connections are well again. */
export async function disturbWires(
  stage: Pick<Stage, 'brokers' | 'postgres'>,
  { ledger, seeded }: { readonly ledger: Ledger; readonly seeded: Seeded },
  wired: Wired,
  fault: WireFault,
): Promise<void> {
  const wires = wiresOf(stage, wired, seeded)
  const met = disturbanceOf(fault, seeded)
  const from = Date.now()
  for (const wire of wires) {
    wire.disturb(met)
    if (fault === 'mixed') await wire.refuse()
  }
  await sleep(seeded.between(...lengthOf(wired, fault)))
  for (const wire of wires) {
    if (fault === 'mixed') await wire.accept()
    wire.mend()
  }
  ledger.fault({ what: 'disturbed', target: `clients of ${wired} (${fault})`, from, to: Date.now() })
}

function lengthOf(wired: Wired, fault: WireFault): Range {
  if (fault !== 'half_open') return BRIEF_MS
  return wired === 'Postgres' ? HALF_OPEN_POSTGRES_MS : HALF_OPEN_MS
}

function wiresOf({ brokers, postgres }: Pick<Stage, 'brokers' | 'postgres'>, wired: Wired, seeded: Seeded): Wire[] {
  switch (wired) {
    case 'a broker':
      return [seeded.pick([...brokers.keys()].sort().map(id => brokers.get(id)!))]
    case 'all brokers':
      return [...brokers.values()]
    case 'Postgres':
      return [postgres]
    default:
      throw new Error(`there is no ${String(wired satisfies never)}`)
  }
}

function disturbanceOf(fault: WireFault, seeded: Seeded): (nth: number) => Disturbance {
  const slow: Disturbance = { kind: 'slow', ms: seeded.between(...SLOW_MS) }
  const halfOpen: Disturbance = { kind: 'half_open', ending: seeded.pick(['reset', 'late']) }
  // However many connections there are, the seed goes on from the same place.
  const from = seeded.between(0, LARGEST)
  const cut = (nth: number): Disturbance => ({
    kind: 'cut',
    afterBytes: new Seeded(from + nth).between(...CUT_AFTER_BYTES),
  })
  switch (fault) {
    case 'slow':
      return () => slow
    case 'cut':
      return cut
    case 'half_open':
      return () => halfOpen
    case 'mixed':
      return nth => [slow, cut(nth), halfOpen][nth % 3]!
    default:
      throw new Error(`there is no ${String(fault satisfies never)}`)
  }
}
