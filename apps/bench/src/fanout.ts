import { burst } from './drive.js'
import { EVENT_TYPE, payloadOf } from './load.js'
import { cpuRows, measure, printPeakMemory } from './measure.js'
import { onPlatform, register } from './platform.js'
import { perSecond, printTable } from './table.js'

export interface FanoutOptions {
  readonly events: number
  /** How many take each event. */
  readonly webhooks: number
  readonly payload: string
}

/** Deliveries per second and their cost when each event goes to several webhooks; beside it, in the same run, as many deliveries to one. */
export function fanout({ events, webhooks, payload: kind }: FanoutOptions): Promise<void> {
  const payload = payloadOf(kind)
  const alone = () => ({ type: 'bench.alone' })
  return onPlatform(async platform => {
    await register(platform, webhooks, n => ({ path: `/hook/${n}`, events: [EVENT_TYPE] }))
    await register(platform, 1, () => ({ path: '/hook', events: ['bench.alone'] }))
    const deliveries = events * webhooks
    await burst(platform, Math.ceil(5000 / webhooks), { payload }, webhooks)
    const one = await measure(platform, deliveries, () => burst(platform, deliveries, { payload, wayOf: alone }))
    const many = await measure(platform, deliveries, () => burst(platform, events, { payload }, webhooks))
    console.log(
      `\nfan-out: ${events.toLocaleString('en-US')} events to ${webhooks} webhooks each, payload ${kind}, history written\n`,
    )
    printTable(
      ['', `1 event to ${webhooks} webhooks`, 'as many deliveries to one webhook'],
      [['deliveries', perSecond(many.rate), perSecond(one.rate)], ...cpuRows([many, one])],
    )
    printPeakMemory(platform.stack.pids)
  })
}
