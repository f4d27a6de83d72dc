import { arrived, burst, forSeconds, producing, steadily, type Send } from './drive.js'
import { EVENT_TYPE, payloadOf, type Payload } from './load.js'
import { cpuRows, measure, type Measured } from './measure.js'
import { onPlatform, register, type Platform } from './platform.js'
import { openPublisher } from './publisher.js'
import { percentile, perSecond, printTable, round, type Row } from './table.js'

export interface LatencyOptions {
  /** Events a second; 0: a tenth, half and nine tenths of the peak that is measured first. */
  readonly rate: number
  readonly seconds: number
  /** For the measurement of the peak. */
  readonly events: number
  readonly payload: string
}

const SHARES = [0.1, 0.5, 0.9]
const WARM_SECONDS = 5

interface Aged {
  readonly way: string
  /** Events/s that were sent. */
  readonly rate: number
  readonly ages: readonly number[]
  readonly measured: Measured
}

/**
 * Age of events when the receiver has them, at steady rates: produced to Kafka, and published over HTTP at the lowest
 * of them; and what a delivery costs at such a rate, where each request carries a few.
 */
export function latency({ rate, seconds, events, payload: kind }: LatencyOptions): Promise<void> {
  const payload = payloadOf(kind)
  return onPlatform(async platform => {
    await register(platform, 1, () => ({ path: '/hook', events: [EVENT_TYPE] }))
    await burst(platform, Math.min(5000, events), { payload })
    const peak = rate > 0 ? undefined : await burst(platform, events, { payload })
    const rates = peak === undefined ? [rate] : SHARES.map(share => Math.ceil(peak * share))
    const runs: Aged[] = []
    for (const at of rates)
      runs.push(await aged(platform, 'produced to Kafka', at, seconds, () => producing(platform.produce, { payload })))
    const publisher = openPublisher(platform.stack)
    runs.push(
      await aged(platform, 'published by HTTP', rates[0]!, seconds, () => publishing(publisher.publish, payload)),
    )
    await publisher.close()
    const found = peak === undefined ? '' : `peak ${perSecond(peak)}, `
    console.log(`\nlatency for ${seconds} s: ${found}payload ${kind}, from sending to receipt\n`)
    printTable(
      ['way in', 'rate', 'events', 'p50', 'p95', 'p99', 'max'],
      runs.map(({ way, rate, ages }): Row => [way, perSecond(rate), ages.length, ...agesOf(ages)]),
    )
    printTable(
      ['', ...runs.map(({ way, rate }) => `${way}, ${perSecond(rate)}`)],
      cpuRows(runs.map(run => run.measured)),
    )
  })
}

/** p50, p95, p99 and the longest. */
export function agesOf(ages: readonly number[]): string[] {
  return [0.5, 0.95, 0.99, 1].map(share => `${round(percentile(ages, share), 1)} ms`)
}

async function aged(platform: Platform, way: string, rate: number, seconds: number, send: () => Send): Promise<Aged> {
  const drive = async (lasting: number) => {
    await platform.receiver.reset()
    await arrived(platform, await steadily(rate, forSeconds(lasting), send()))
    return rate
  }
  // Only warms up.
  await drive(Math.min(WARM_SECONDS, seconds))
  const measured = await measure(platform, rate * seconds, () => drive(seconds))
  return { way, rate, ages: await platform.receiver.ages(), measured }
}

function publishing(publish: (data: Buffer) => Promise<void>, payload: Payload): Send {
  return (from, to) => Promise.all(Array.from({ length: to - from }, (_, i) => publish(payload(from + i))))
}
