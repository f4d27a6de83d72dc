import { bytes } from './bytes.js'
import { changes } from './changes.js'
import { fanout } from './fanout.js'
import { isolation } from './isolation.js'
import { latency } from './latency.js'
import { matching } from './matching.js'
import { oneMatch } from './one-match.js'
import { overload } from './overload.js'
import { processes } from './processes.js'
import { reading } from './reading.js'
import { replay } from './replay.js'
import { retries } from './retries.js'
import { spread } from './spread.js'
import { throughput } from './throughput.js'
import { tracing } from './tracing.js'
import { writing } from './writing.js'

interface WholeNumber {
  readonly least: number
  /** What is taken unless it is set. */
  readonly otherwise: number
}

export interface Scenario {
  readonly what: string
  readonly numbers: Readonly<Record<string, WholeNumber>>
  readonly payload: boolean
  run(numbers: Readonly<Record<string, number>>, payload: string): Promise<void> | void
}

type Numbers<N extends string> = { readonly [name in N]: number }

function scenario<N extends string>(
  what: string,
  otherwise: Numbers<N>,
  run: (numbers: Numbers<N>) => Promise<void> | void,
  least: Partial<Numbers<N>> = {},
): Scenario {
  return { what, numbers: numbersOf(otherwise, least), payload: false, run: numbers => run(numbers as Numbers<N>) }
}

/** One whose payload may be chosen. */
function ofPayload<N extends string>(
  what: string,
  otherwise: Numbers<N>,
  run: (options: Numbers<N> & { readonly payload: string }) => Promise<void>,
  least: Partial<Numbers<N>> = {},
): Scenario {
  const numbers = numbersOf(otherwise, least)
  return { what, numbers, payload: true, run: (given, payload) => run({ ...(given as Numbers<N>), payload }) }
}

function numbersOf<N extends string>(otherwise: Numbers<N>, least: Partial<Numbers<N>>): Scenario['numbers'] {
  const names = Object.keys(otherwise) as N[]
  return Object.fromEntries(names.map(name => [name, { otherwise: otherwise[name], least: least[name] ?? 1 }]))
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  throughput: ofPayload(
    'deliveries/s to one webhook; trust: events for each way to sign, to encrypt and to connect',
    { events: 50_000, trust: 0 },
    throughput,
    { trust: 0 },
  ),
  latency: ofPayload(
    'age at the receiver; rate 0: a tenth, half and nine tenths of the peak',
    { rate: 0, seconds: 20, events: 20_000 },
    latency,
    { rate: 0 },
  ),
  fanout: ofPayload('deliveries/s of events that many webhooks take', { events: 5000, webhooks: 10 }, fanout),
  spread: ofPayload('many webhooks beside one', { events: 30_000, webhooks: 1000, pairs: 3 }, spread),
  isolation: scenario(
    'ages at healthy webhooks while others hang; share: percent of the peak',
    { webhooks: 100, hanging: 10, share: 30, seconds: 20, pairs: 5, events: 20_000 },
    isolation,
  ),
  overload: scenario(
    'more than receivers take, and the backlog afterwards',
    { webhooks: 10, takes: 300, times: 10, seconds: 120, events: 20_000 },
    overload,
  ),
  replay: scenario(
    'live traffic beside a replay; live 0: three tenths of the peak',
    { events: 200_000, live: 0, rate: 10_000, seconds: 20 },
    replay,
    { live: 0 },
  ),
  'one-match': scenario('one match among many webhooks', { events: 30_000, webhooks: 2000, pairs: 3 }, oneMatch),
  processes: ofPayload('1, 2, 4 routers and deliverers', { events: 30_000, webhooks: 100 }, processes),
  bytes: ofPayload('bytes of a delivery on the topics and in Postgres', { events: 20_000 }, bytes),
  retries: scenario('lateness, and a mass of pending', { events: 1000, pending: 1_000_000 }, retries, { pending: 0 }),
  changes: scenario('webhooks: change to effect', { webhooks: 30 }, changes),
  matching: scenario("finding an event's webhooks", { events: 50_000 }, matching),
  writing: scenario('rows/s of history, with and without the indexes', { events: 30_000, pairs: 3 }, writing),
  tracing: scenario('what spans cost: none, of 1 %, of all', { events: 30_000, rounds: 3 }, tracing),
  reading: scenario('lists and statistics', { rows: 1_000_000 }, reading, { rows: 1000 }),
}
