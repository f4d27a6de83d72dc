import { burst, type Load } from './drive.js'
import { payloadOf } from './load.js'
import { cpuRows, measure, type Measured } from './measure.js'
import { onPlatform, register, type Platform } from './platform.js'
import { perSecond, printTable, round } from './table.js'

export interface ProcessesOptions {
  readonly events: number
  /** Enough that every process has some of their partitions. */
  readonly webhooks: number
  readonly payload: string
}

const STEPS = [1, 2, 4]
const GROWING = ['router', 'deliverer'] as const

/** Deliveries per second, spread over webhooks, with one, two and four processes of router and deliverer each. */
export function processes({ events, webhooks, payload: kind }: ProcessesOptions): Promise<void> {
  const load: Load = { payload: payloadOf(kind), wayOf: n => ({ type: `bench.spread.${n % webhooks}` }) }
  return onPlatform(async platform => {
    await register(platform, webhooks, n => ({ path: `/hook/${n}`, events: [`bench.spread.${n}`] }))
    const also: Record<string, number> = {}
    const measured: Measured[] = []
    for (const step of STEPS) {
      await growTo(platform, step, also)
      // Also waits for the rebalance, and warms up who is new.
      await burst(platform, Math.min(10_000, events), load)
      measured.push(await measure(platform, events, () => burst(platform, events, load), also))
    }
    const count = events.toLocaleString('en-US')
    console.log(`\nprocesses of router and deliverer: ${count} events over ${webhooks} webhooks, payload ${kind}\n`)
    printTable(
      ['processes of each', ...STEPS.map(String)],
      [
        ['deliveries', ...measured.map(({ rate }) => perSecond(rate))],
        ['of one of each', ...measured.map(({ rate }) => round(rate / measured[0]!.rate, 2))],
        ...cpuRows(measured),
      ],
    )
  })
}

async function growTo({ stack }: Platform, wanted: number, also: Record<string, number>): Promise<void> {
  for (const target of GROWING)
    for (let n = 2; n <= wanted; n++) also[`${target} ${n}`] ??= (await stack.startAlso(target)).pid
}
