import { parseArgs } from 'node:util'
import { leaveAlone } from './calm.js'
import { changeWebhooks, reportOfChanges } from './changes.js'
import { takeDatabaseAway } from './database-away.js'
import { freeze } from './frozen.js'
import { killAtRandom } from './kills.js'
import { brokenIn, reportOf, type Result } from './result.js'
import { retryEach } from './retries.js'
import { Site } from './site.js'

const USAGE = `usage: npm run faults -- [scenario…] [options]

  calm       nothing is done: each delivery once          --events 20000
  retries    each delivery fails first, none is early     --events 1000
  kills      services killed with -9 at random            --events 50000  --kills 36  --seconds 70
  frozen     a router and a deliverer stopped for 15 s
  database   Postgres away, then killed                   --seconds 30
  changes    registry and Postgres killed before changes
             of webhooks are published                    --webhooks 100

Without a scenario all of them run, one after the other, on a platform of their own on free
ports: every service a process, a real Kafka and a real Postgres. Ends with status 1 when a
promise was broken.`

const OPTIONS = ['events', 'kills', 'seconds', 'webhooks'] as const
type Options = { readonly [O in (typeof OPTIONS)[number]]?: number }

interface Told {
  readonly report: string
  readonly broken: readonly string[]
}

/** What the ledger finds, and what is found beyond it. */
function toldOf(title: string, result: Result, broken: readonly string[] = []): Told {
  return { report: reportOf(title, result), broken: [...brokenIn(result), ...broken] }
}

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
  database: async (site, { seconds = 30 }) => {
    const result = await takeDatabaseAway(site, seconds)
    const rates = `${result.before.toFixed(0)} requests/s before, ${result.meanwhile.toFixed(0)}/s meanwhile`
    const broken = result.gaps.map(each => `history: ${each}`)
    return toldOf(`database (${rates})`, result, broken)
  },
  changes: async (site, { webhooks = 100 }) => {
    const result = await changeWebhooks(site, webhooks)
    return { report: reportOfChanges(result), broken: result.broken }
  },
}

function read(args: string[]): { names: readonly string[]; options: Options } {
  const text = { type: 'string' } as const
  const options = { events: text, kills: text, seconds: text, webhooks: text }
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  for (const name of positionals) if (!(name in SCENARIOS)) throw new Error(`"${name}" is not a scenario`)
  const numbers = OPTIONS.flatMap(name => {
    const value = values[name]
    if (value === undefined) return []
    if (!(Number.isInteger(Number(value)) && Number(value) >= 1))
      throw new Error(`--${name} must be a whole number of at least 1`)
    return [[name, Number(value)]]
  })
  return {
    names: positionals.length > 0 ? positionals : Object.keys(SCENARIOS),
    options: Object.fromEntries(numbers) as Options,
  }
}

async function run(names: readonly string[], options: Options, stopping: AbortSignal): Promise<void> {
  const site = await Site.start()
  stopping.addEventListener('abort', () => void site.stop().then(() => process.exit(1)))
  try {
    for (const name of names) {
      const { report, broken } = await SCENARIOS[name]!(site, options)
      console.log(`\n${report}`)
      for (const each of broken) {
        process.exitCode = 1
        console.log(`  BROKEN ${each}`)
      }
    }
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
  await run(chosen.names, chosen.options, stopping.signal)
}

await main()
