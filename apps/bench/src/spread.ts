import { burst, type Load } from './drive.js'
import { payloadOf } from './load.js'
import { cpuRows, measure, printPeakMemory, type Measured } from './measure.js'
import { onPlatform, register } from './platform.js'
import { perSecond, printTable, round, type Row } from './table.js'

export interface SpreadOptions {
  readonly events: number
  readonly webhooks: number
  /** Runs to one webhook and to all of them, in turns. */
  readonly pairs: number
  readonly payload: string
}

/** Deliveries per second when each event goes to one of many webhooks in turn, relative to one webhook that gets them all. */
export function spread({ events, webhooks, pairs, payload: kind }: SpreadOptions): Promise<void> {
  const payload = payloadOf(kind)
  const one: Load = { payload, wayOf: () => ({ type: 'bench.alone' }) }
  const all: Load = { payload, wayOf: n => ({ type: `bench.spread.${n % webhooks}` }) }
  return onPlatform(async platform => {
    await register(platform, 1, () => ({ path: '/hook', events: ['bench.alone'] }))
    await register(platform, webhooks, n => ({ path: `/hook/${n}`, events: [`bench.spread.${n}`] }))
    for (const load of [one, all]) await burst(platform, Math.min(5000, events), load)
    const pairsMeasured: (readonly [Measured, Measured])[] = []
    for (let pair = 0; pair < pairs; pair++)
      pairsMeasured.push([
        await measure(platform, events, () => burst(platform, events, one)),
        await measure(platform, events, () => burst(platform, events, all)),
      ])
    const count = events.toLocaleString('en-US')
    console.log(`\nspread: ${count} events, each to one of ${webhooks} webhooks, payload ${kind}, history written\n`)
    printPairs(['one webhook', `${webhooks} webhooks`], pairsMeasured)
    printPeakMemory(platform.stack.pids)
  })
}

/** Rates of alternating runs with their ratios, and the CPU of the last two. */
export function printPairs(names: readonly [string, string], pairs: readonly (readonly [Measured, Measured])[]): void {
  const rows = pairs.map(([one, other], pair): Row => {
    return [pair + 1, perSecond(one.rate), perSecond(other.rate), round(other.rate / one.rate, 2)].map(
      String,
    ) as unknown as Row
  })
  printTable(['pair', ...names, 'second of first'], rows)
  printTable(['last pair', ...names], cpuRows(pairs.at(-1)!))
}
