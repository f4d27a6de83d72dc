import { arrived, burst, forSeconds, producing, steadily, type Send } from './drive.js'
import { EVENT_TYPE, payloadOf, type Payload } from './load.js'
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

/** Age of events when the receiver has them, at steady rates: produced to Kafka, and published over HTTP at the lowest of them. */
export function latency({ rate, seconds, events, payload: kind }: LatencyOptions): Promise<void> {
  const payload = payloadOf(kind)
  return onPlatform(async platform => {
    await register(platform, 1, () => ({ path: '/hook', events: [EVENT_TYPE] }))
    await burst(platform, Math.min(5000, events), { payload })
    const peak = rate > 0 ? undefined : await burst(platform, events, { payload })
    const rates = peak === undefined ? [rate] : SHARES.map(share => Math.ceil(peak * share))
    const rows: Row[] = []
    for (const at of rates)
      rows.push(await aged(platform, 'produced to Kafka', at, seconds, () => producing(platform.produce, { payload })))
    const publisher = openPublisher(platform.stack)
    rows.push(
      await aged(platform, 'published by HTTP', rates[0]!, seconds, () => publishing(publisher.publish, payload)),
    )
    await publisher.close()
    const found = peak === undefined ? '' : `peak ${perSecond(peak)}, `
    console.log(`\nlatency for ${seconds} s: ${found}payload ${kind}, from sending to receipt\n`)
    printTable(['way in', 'rate', 'events', 'p50', 'p95', 'p99', 'max'], rows)
  })
}

/** p50, p95, p99 and the longest. */
export function agesOf(ages: readonly number[]): string[] {
  return [0.5, 0.95, 0.99, 1].map(share => `${round(percentile(ages, share), 1)} ms`)
}

async function aged(platform: Platform, way: string, rate: number, seconds: number, send: () => Send): Promise<Row> {
  let sent = 0
  // The first of the two only warms up.
  for (const lasting of [Math.min(WARM_SECONDS, seconds), seconds]) {
    await platform.receiver.reset()
    sent = await steadily(rate, forSeconds(lasting), send())
    await arrived(platform, sent)
  }
  return [way, perSecond(rate), sent, ...agesOf(await platform.receiver.ages())]
}

function publishing(publish: (data: Buffer) => Promise<void>, payload: Payload): Send {
  return (from, to) => Promise.all(Array.from({ length: to - from }, (_, i) => publish(payload(from + i))))
}
