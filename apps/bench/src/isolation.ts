import { burst, forSeconds, producing, steadily, type Load } from './drive.js'
import { AGELESS, payloadOf } from './load.js'
import { printPeakMemory } from './measure.js'
import { onPlatform, register, type Platform } from './platform.js'
import { percentile, perSecond, printTable, round, type Row } from './table.js'

export interface IsolationOptions {
  readonly webhooks: number
  /** How many of them hang, or in the other half of a pair answer. */
  readonly hanging: number
  /** Percent of the peak that is measured first. */
  readonly share: number
  readonly seconds: number
  readonly pairs: number
  /** For the measurement of the peak. */
  readonly events: number
}

interface Ages {
  readonly p50: number
  readonly p99: number
  readonly longest: number
}

/** Longer than work that was moved out of the way may wait: 10 minutes. */
const QUIET_MS = 700_000
const PLAIN = payloadOf('1k')

/**
 * Ages of what healthy webhooks get while others hang, and while those others answer, in alternating runs
 * at a share of the peak. The hanging ones are new ones in each run, so that nobody knows them yet. In the
 * end they answer, and everything has to arrive.
 */
export function isolation(options: IsolationOptions): Promise<void> {
  const { webhooks, hanging, pairs } = options
  if (hanging >= webhooks) throw new Error('--hanging must be less than --webhooks')
  return onPlatform(async platform => {
    await register(platform, webhooks - hanging, n => ({ path: `/healthy/${n}`, events: [`bench.healthy.${n}`] }))
    const healthy: Load = { payload: PLAIN, wayOf: n => ({ type: `bench.healthy.${n % (webhooks - hanging)}` }) }
    await burst(platform, Math.min(5000, options.events), healthy)
    const peak = await burst(platform, options.events, healthy)
    await platform.receiver.reset()
    const rate = Math.ceil((peak * options.share) / 100)
    const found: (readonly [Ages, Ages])[] = []
    let sent = 0
    const run = async (name: string, hangs: boolean) => {
      const [count, ages] = await runOnce(platform, options, { name, rate, hangs })
      sent += count
      return ages
    }
    for (let pair = 0; pair < pairs; pair++)
      found.push([await run(`answering${pair}`, false), await run(`hanging${pair}`, true)])
    console.log(
      `\nisolation: ${hanging} of ${webhooks} webhooks hang, ${perSecond(rate)}, which is ${options.share} % of the peak of ${perSecond(peak)}; ages of the others\n`,
    )
    printAges(found)
    printPeakMemory(platform.stack.pids)
    const started = performance.now()
    const { requests, ids } = await platform.receiver.waitForIds(sent, undefined, QUIET_MS)
    const took = round((performance.now() - started) / 1000)
    console.log(
      `all ${sent} deliveries arrived, ${requests - ids} of them twice; the last ${took} s after the last run\n`,
    )
  })
}

interface Run {
  readonly name: string
  readonly rate: number
  readonly hangs: boolean
}

/** Resolves with how many deliveries came to be due, and the ages of the healthy ones. */
async function runOnce(
  platform: Platform,
  { webhooks, hanging, seconds }: IsolationOptions,
  { name, rate, hangs }: Run,
): Promise<[sent: number, Ages]> {
  const { receiver, produce } = platform
  await register(platform, hanging, n => ({ path: `/hang/${name}/${n}`, events: [`bench.${name}.${n}`] }))
  await receiver.beStrict(hangs)
  const others = (n: number) => n % webhooks >= hanging
  const send = producing(produce, {
    // Only the healthy ones' ages are kept.
    payload: n => (others(n) ? PLAIN(n) : AGELESS(n)),
    wayOf: n => ({ type: others(n) ? `bench.healthy.${(n % webhooks) - hanging}` : `bench.${name}.${n % webhooks}` }),
  })
  const healthyBefore = (await receiver.count('healthy')).ids
  await receiver.forgetAges()
  const sent = await steadily(rate, forSeconds(seconds), send)
  const healthySent = Array.from({ length: sent }, (_, n) => n).filter(others).length
  const { requests, ids } = await receiver.waitForIds(healthyBefore + healthySent, 'healthy')
  if (requests > ids) throw new Error(`${requests - ids} deliveries to healthy webhooks came twice`)
  const ages = await receiver.ages()
  await receiver.beStrict(false)
  return [sent, { p50: percentile(ages, 0.5), p99: percentile(ages, 0.99), longest: percentile(ages, 1) }]
}

function printAges(pairs: readonly (readonly [Ages, Ages])[]): void {
  const rows = pairs.map(([calm, hung], pair): Row => {
    const ages = [calm.p50, hung.p50, calm.p99, hung.p99, calm.longest, hung.longest]
    const within = hung.p99 <= 1.2 * calm.p99 + 20
    return [String(pair + 1), ...ages.map(ms => `${round(ms, 1)} ms`), within ? 'yes' : 'no']
  })
  const both = (name: string) => [`${name}, none hangs`, `${name}, some hang`]
  printTable(['pair', ...both('p50'), ...both('p99'), ...both('slowest'), 'p99 within 1.2 × + 20 ms'], rows)
}
