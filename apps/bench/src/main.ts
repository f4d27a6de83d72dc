import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { changes } from './changes.js'
import { latency } from './latency.js'
import { matching } from './matching.js'
import { reading } from './reading.js'
import { retries } from './retries.js'
import { throughput } from './throughput.js'

const USAGE = `usage: npm run bench -- <scenario> [options]

  throughput   deliveries/s to one webhook     --events 50000  --payload 1k|github
  latency      age at the receiver             --rate 500  --seconds 20  --payload 1k|github
  retries      lateness, and a mass of pending --events 1000  --pending 1000000
  changes      webhooks: change to effect      --webhooks 30
  matching     finding an event's webhooks     --events 50000
  reading      lists and statistics            --rows 1000000

Each but matching, which is a part of the router alone, starts a platform of its own on free ports: services as separate processes, a real
Kafka and a real Postgres; producer and receiver stand outside. Everything shares this machine.`

interface Options {
  readonly events?: number
  readonly payload: string
  readonly rate: number
  readonly seconds: number
  readonly pending: number
  readonly rows: number
  readonly webhooks: number
}

const SCENARIOS: Readonly<Record<string, (options: Options) => Promise<void> | void>> = {
  throughput: options => throughput({ events: options.events ?? 50_000, payload: options.payload }),
  latency: options => latency(options),
  changes: options => changes(options),
  matching: options => matching({ events: options.events ?? 50_000 }),
  reading: options => reading(options),
  retries: options => retries({ events: options.events ?? 1000, pending: options.pending }),
}

function read(args: string[]): { run: (options: Options) => Promise<void> | void; options: Options } {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { events: text, payload: text, rate: text, seconds: text, pending: text, rows: text, webhooks: text },
  })
  const run = SCENARIOS[positionals[0] ?? '']
  if (!run || positionals.length > 1)
    throw new Error(positionals.length === 0 ? 'name a scenario' : `"${positionals.join(' ')}" is not a scenario`)
  const whole = (name: 'events' | 'rate' | 'seconds' | 'pending' | 'rows' | 'webhooks', least: number) => {
    const value = values[name]
    if (value !== undefined && !(Number.isInteger(Number(value)) && Number(value) >= least))
      throw new Error(`--${name} must be a whole number of at least ${least}`)
    return value === undefined ? undefined : Number(value)
  }
  const events = whole('events', 1)
  const options = {
    ...(events === undefined ? {} : { events }),
    payload: values.payload ?? '1k',
    rate: whole('rate', 1) ?? 500,
    seconds: whole('seconds', 1) ?? 20,
    pending: whole('pending', 0) ?? 1_000_000,
    rows: whole('rows', 1000) ?? 1_000_000,
    webhooks: whole('webhooks', 1) ?? 30,
  }
  if (options.payload !== '1k' && options.payload !== 'github') throw new Error('--payload must be 1k or github')
  return { run, options }
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
  console.log(
    `machine: ${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}`,
  )
  await chosen.run(chosen.options)
}

await main()
