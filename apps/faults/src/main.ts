import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { leaveAlone } from './calm.js'
import { changeWebhooks, reportOfChanges } from './changes.js'
import { diskFull, stopped, takeDatabaseAway, type Outage } from './database-away.js'
import { freeze } from './frozen.js'
import { killAtRandom } from './kills.js'
import { brokenInOrder, keepOrder, PARKED } from './order.js'
import { breakAtRandom, brokenInRandom, reportOfRandom } from './random.js'
import { previousBuild } from './previous-build.js'
import { brokenIn, reportOf, type Result } from './result.js'
import { retryEach } from './retries.js'
import { brokenInRolling, rollAll } from './rolling.js'
import { followRunbooks } from './runbooks.js'
import { Site } from './site.js'
import { upgradeAndBack } from './upgrade.js'

const USAGE = `usage: npm run faults -- [scenario…] [options]

  calm       nothing is done: each delivery once          --events 20000
  retries    each delivery fails first, none is early     --events 1000
  kills      services killed with -9 at random            --events 50000  --kills 36  --seconds 70
  frozen     a router and a deliverer stopped for 15 s
  database   Postgres away, then killed                   --seconds 30
  disk       the disk of Postgres full, then killed       --seconds 15
  changes    registry and Postgres killed before changes
             of webhooks are published                    --webhooks 100
  order      ordered webhooks that fail, are paused and
             resumed, while deliverers are killed, frozen,
             joined and left                              --rounds 3
  rolling    both processes of each service replaced, one
             after the other                              --rounds 1
  random     all that can be broken, in an order of
             the seed, on three brokers                   --seed N  --minutes 3  --rate 200
  upgrade    another build and this one side by side,
             and back                                     --from <commit>
  runbooks   what docs/operations says is to be done

Without a scenario all of them run, one after the other, but for upgrade and runbooks, or random
alone when one of its options is given. Each has a platform of its own on free ports: every service
a process, a real Kafka and a real Postgres. Ends with status 1 when a promise was broken.`

const OPTIONS = ['events', 'kills', 'seconds', 'webhooks', 'rounds', 'seed', 'minutes', 'rate'] as const
const OF_RANDOM = ['seed', 'minutes', 'rate'] as const
type Options = { readonly [O in (typeof OPTIONS)[number]]?: number } & { readonly from?: string }

interface Told {
  readonly report: string
  readonly broken: readonly string[]
}

/** What the ledger finds, and what is found beyond it. */
function toldOf(title: string, result: Result, broken: readonly string[] = []): Told {
  return { report: reportOf(title, result), broken: [...brokenIn(result), ...broken] }
}

const LARGEST_SEED = 2 ** 31

async function random(options: Options, stopping: AbortSignal): Promise<Told> {
  const { seed = randomInt(1, LARGEST_SEED), minutes = 3, rate = 200 } = options
  const result = await breakAtRandom({ seed, minutes, rate, stopping, say: line => console.error(line) })
  return { report: reportOfRandom(result), broken: brokenInRandom(result) }
}

async function upgrade({ from }: Options, stopping: AbortSignal): Promise<Told> {
  const result = await upgradeAndBack(await previousBuild(from, line => console.error(line)), stopping)
  return toldOf(`upgrade from ${result.from} (${result.stages.join(', ')})`, result, brokenInRolling(result))
}

/** On one platform, but for those that have one of their own. */
const SCENARIOS: Readonly<Record<string, (site: Site, options: Options) => Promise<Told>>> = {
  calm: async (site, { events = 20_000 }) => toldOf('calm', await leaveAlone(site, events, 5000)),
  retries: async (site, { events = 1000 }) => toldOf('retries', await retryEach(site, events)),
  kills: async (site, { events = 50_000, kills = 36, seconds = 70 }) =>
    toldOf('kills', await killAtRandom(site, { events, kills, seconds })),
  frozen: async site => {
    const result = await freeze(site)
    const broken = result.commitsBack.map(each => `commit went back: ${each}`)
    return toldOf(`frozen (${result.meanwhile} requests meanwhile)`, result, broken)
  },
  database: (site, { seconds = 30 }) => withoutDatabase(site, 'database', seconds, stopped),
  disk: (site, { seconds = 15 }) => withoutDatabase(site, 'disk', seconds, diskFull),
  changes: async (site, { webhooks = 100 }) => {
    const result = await changeWebhooks(site, webhooks)
    return { report: reportOfChanges(result), broken: result.broken }
  },
  rolling: async (site, { rounds = 1 }) => {
    const result = await rollAll(site, { rounds })
    return toldOf(`rolling (${result.replaced.join(', ')})`, result, brokenInRolling(result))
  },
  order: async (site, { rounds = 3 }) => {
    const result = await keepOrder(site, rounds)
    return toldOf(`order (${result.sequences} keys, ${PARKED} parked)`, result, brokenInOrder(result))
  },
}

async function withoutDatabase(site: Site, title: string, seconds: number, outage: Outage): Promise<Told> {
  const result = await takeDatabaseAway(site, seconds, outage)
  const { before, meanwhile, refused } = result
  const rates = `${before.toFixed(0)} requests/s before, ${meanwhile.toFixed(0)}/s meanwhile, ${refused} writes refused`
  const broken = result.gaps.map(each => `history: ${each}`)
  return toldOf(`${title} (${rates})`, result, broken)
}

const RANDOM = 'random'
/** Not without being asked: it needs the history of the repository, and minutes for another build. */
const UPGRADE = 'upgrade'
/** They try the pages, not a promise under load. */
const RUNBOOKS = 'runbooks'

function read(args: string[]): { names: readonly string[]; options: Options } {
  const text = { type: 'string' } as const
  const options = Object.fromEntries([...OPTIONS, 'from'].map(name => [name, text]))
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const all = [...Object.keys(SCENARIOS), RANDOM]
  for (const name of positionals)
    if (![...all, UPGRADE, RUNBOOKS].includes(name)) throw new Error(`"${name}" is not a scenario`)
  const numbers = OPTIONS.flatMap(name => {
    const value = values[name]
    if (value === undefined) return []
    if (!(Number.isInteger(Number(value)) && Number(value) >= 1))
      throw new Error(`--${name} must be a whole number of at least 1`)
    return [[name, Number(value)]]
  })
  const byDefault = OF_RANDOM.some(name => values[name] !== undefined) ? [RANDOM] : all
  return {
    names: positionals.length > 0 ? positionals : byDefault,
    options: {
      ...(Object.fromEntries(numbers) as Options),
      ...(values.from === undefined ? {} : { from: values.from }),
    },
  }
}

function tell({ report, broken }: Told): void {
  console.log(`\n${report}`)
  for (const each of broken) {
    process.exitCode = 1
    console.log(`  BROKEN ${each}`)
  }
}

async function onOneSite(names: readonly string[], options: Options, stopping: AbortSignal): Promise<void> {
  const site = await Site.start()
  stopping.addEventListener('abort', () => void site.stop().then(() => process.exit(1)))
  try {
    for (const name of names) tell(await SCENARIOS[name]!(site, options))
  } finally {
    await site.stop()
  }
}

async function main(): Promise<void> {
  let chosen: ReturnType<typeof read>
  try {
    chosen = read(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exitCode = 2
    return
  }
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  const onOne = chosen.names.filter(name => name in SCENARIOS)
  if (onOne.length > 0) await onOneSite(onOne, chosen.options, stopping.signal)
  if (chosen.names.includes(RANDOM)) tell(await random(chosen.options, stopping.signal))
  if (chosen.names.includes(UPGRADE)) tell(await upgrade(chosen.options, stopping.signal))
  if (chosen.names.includes(RUNBOOKS)) tell(await followRunbooks(stopping.signal, line => console.error(line)))
}

await main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
