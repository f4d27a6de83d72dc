import { parseArgs } from 'node:util'
import { leaveAlone } from './calm.js'
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

Without a scenario all of them run, one after the other, on a platform of their own on free
ports: every service a process, a real Kafka and a real Postgres. Ends with status 1 when a
promise was broken.`

const OPTIONS = ['events', 'kills', 'seconds'] as const
type Options = { readonly [O in (typeof OPTIONS)[number]]?: number }

interface Told {
  readonly title: string
  readonly result: Result
  /** Beyond what the ledger finds. */
  readonly broken?: readonly string[]
}

const SCENARIOS: Readonly<Record<string, (site: Site, options: Options) => Promise<Told>>> = {
  calm: async (site, { events = 20_000 }) => ({ title: 'calm', result: await leaveAlone(site, events, 5000) }),
  retries: async (site, { events = 1000 }) => ({ title: 'retries', result: await retryEach(site, events) }),
  kills: async (site, { events = 50_000, kills = 36, seconds = 70 }) => ({
    title: 'kills',
    result: await killAtRandom(site, { events, kills, seconds }),
  }),
  frozen: async site => {
    const result = await freeze(site)
    const broken = result.commitsBack.map(each => `commit went back: ${each}`)
    return { title: `frozen (${result.meanwhile} requests meanwhile)`, result, broken }
  },
  database: async (site, { seconds = 30 }) => {
    const result = await takeDatabaseAway(site, seconds)
    const rates = `${result.before.toFixed(0)} requests/s before, ${result.meanwhile.toFixed(0)}/s meanwhile`
    return { title: `database (${rates})`, result, broken: result.gaps.map(each => `history: ${each}`) }
  },
}

function read(args: string[]): { names: readonly string[]; options: Options } {
  const text = { type: 'string' } as const
  const options = { events: text, kills: text, seconds: text }
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
      const { title, result, broken = [] } = await SCENARIOS[name]!(site, options)
      console.log(`\n${reportOf(title, result)}`)
      for (const each of [...brokenIn(result), ...broken]) {
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
