import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOf, peakMemoryOf } from './cpu.js'
import { burst, forSeconds, producing, steadily, type Load } from './drive.js'
import { payloadOf } from './load.js'
import { onPlatform, register, type Platform } from './platform.js'
import { megabytes, perSecond, printTable, round, type Row } from './table.js'

export interface OverloadOptions {
  readonly webhooks: number
  /** Requests a second that all receivers together take while they are slow. */
  readonly takes: number
  /** How many times that is published. */
  readonly times: number
  readonly seconds: number
  /** For the measurement of the peak. */
  readonly events: number
}

/** Deliveries that were moved away come back within 10 minutes: nothing for longer is a loss. */
const QUIET_MS = 700_000
/** The best stretch of the drain is of so many seconds. */
const STRETCH = 10

/**
 * More than receivers take, for a while; then they answer at once. What each process holds in memory, whether
 * all arrives, and how fast the backlog drains beside the peak of the same run.
 */
export function overload({ webhooks, takes, times, seconds, events }: OverloadOptions): Promise<void> {
  const each = takes / webhooks
  const load: Load = { payload: payloadOf('1k'), wayOf: n => ({ type: `bench.slow.${n % webhooks}` }) }
  return onPlatform(async platform => {
    const { receiver, stack } = platform
    await receiver.beStrict(false)
    await register(platform, webhooks, n => ({ path: `/take/${each}/${n}`, events: [`bench.slow.${n}`] }))
    await burst(platform, Math.min(5000, events), load)
    const peak = await burst(platform, events, load)
    const atRest = memoryOfAll(stack.pids)
    await receiver.reset()
    await receiver.beStrict(true)
    const sent = await steadily(takes * times, forSeconds(seconds), producing(platform.produce, load))
    const meanwhile = await receiver.count()
    await receiver.beStrict(false)
    const drain = await drainOf(platform, sent)
    const { requests, ids } = await receiver.count()
    console.log(
      `\noverload: ${perSecond(takes * times)} for ${seconds} s to ${webhooks} webhooks that together take ${perSecond(takes)}\n`,
    )
    printTable(
      ['sent', 'arrived meanwhile', 'arrived in the end', 'missing', 'more than once'],
      [[sent, meanwhile.ids, ids, sent - ids, requests - ids].map(String) as unknown as Row],
    )
    printDrain(drain, sent - meanwhile.ids, peak)
    printTable(
      ['process', 'at rest', 'peak'],
      Object.entries(stack.pids).map(([name, pid]): Row => [
        name,
        megabytes(atRest[name]!),
        megabytes(peakMemoryOf(pid)),
      ]),
    )
    if (ids !== sent) throw new Error(`${sent - ids} deliveries are missing`)
  })
}

function memoryOfAll(pids: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, memoryOf(pid)]))
}

/** How many had arrived at each second from now on, until all have or nothing comes any more. */
async function drainOf({ receiver }: Platform, wanted: number): Promise<readonly number[]> {
  const arrived: number[] = []
  for (let changedAt = Date.now(); ; await sleep(1000)) {
    const { ids } = await receiver.count()
    if (ids !== arrived.at(-1)) changedAt = Date.now()
    arrived.push(ids)
    if (ids >= wanted || Date.now() - changedAt > QUIET_MS) return arrived
  }
}

function printDrain(arrived: readonly number[], backlog: number, peak: number): void {
  const seconds = arrived.length - 1
  const stretch = Math.max(1, Math.min(STRETCH, seconds))
  const best = Math.max(0, ...arrived.slice(stretch).map((ids, at) => (ids - arrived[at]!) / stretch))
  const reached = (share: number) => {
    const goal = arrived[0]! + (arrived.at(-1)! - arrived[0]!) * share
    return `${arrived.findIndex(ids => ids >= goal)} s`
  }
  printTable(
    ['backlog', 'half of it after', '90 %', 'all', `best ${stretch} s`, 'of the peak', 'peak'],
    [
      [backlog, reached(0.5), reached(0.9), reached(1), perSecond(best), round(best / peak, 2), perSecond(peak)].map(
        String,
      ) as unknown as Row,
    ],
  )
}
