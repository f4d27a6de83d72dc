import { until } from '@posthorn/testkit'
import { arrived, burst, forSeconds, produceAll, producing, steadily, type GoesOn } from './drive.js'
import { AGELESS, EVENT_TYPE, payloadOf } from './load.js'
import { historyCaughtUp, printPeakMemory } from './measure.js'
import { agesOf } from './latency.js'
import { answered, apiOf, onPlatform, register, type Platform } from './platform.js'
import { percentile, perSecond, printTable, round, type Row } from './table.js'

export interface ReplayOptions {
  /** Replayed. */
  readonly events: number
  /** Of the live traffic, events a second; 0: three tenths of the peak that is measured first. */
  readonly live: number
  /** Deliveries a second that the replay may send. */
  readonly rate: number
  /** How long the live traffic is measured alone, before and after. */
  readonly seconds: number
}

const REPLAYED = 'bench.replayed'
const SHARE_OF_PEAK = 0.3
const BEGINS_MS = 120_000
const PEAK_EVENTS = 20_000
/** A burst warms other code than a steady rate: measured cold, live traffic alone had twice the p99. */
const WARM_SECONDS = 20
const LIVE = { payload: payloadOf('1k') }

interface Live {
  readonly sent: number
  readonly ages: readonly number[]
}

/**
 * Ages of live traffic alone, beside a replay of the log to a webhook that came later, and alone again.
 * Everything live and everything replayed has to arrive, once.
 */
export function replay({ events, live, rate, seconds }: ReplayOptions): Promise<void> {
  return onPlatform(async platform => {
    const { receiver, produce, kafka } = platform
    await register(platform, 1, () => ({ path: '/live', events: [EVENT_TYPE] }))
    // Nobody takes them yet.
    await produceAll(produce, events, { payload: AGELESS, wayOf: () => ({ type: REPLAYED }) })
    await burst(platform, Math.min(5000, events), LIVE)
    const liveRate =
      live > 0 ? live : Math.ceil(SHARE_OF_PEAK * (await burst(platform, Math.min(PEAK_EVENTS, events), LIVE)))
    const [webhook] = await register(platform, 1, () => ({ path: '/replayed', events: [REPLAYED] }))
    await historyCaughtUp(kafka)
    await receiver.reset()
    const warmUp = await liveFor(platform, liveRate, forSeconds(Math.min(WARM_SECONDS, seconds)))
    const before = await liveFor(platform, liveRate, forSeconds(seconds))
    const beside = await besideReplay(platform, { webhook: webhook!, events, rate, liveRate })
    const after = await liveFor(platform, liveRate, forSeconds(seconds))
    await arrived(platform, events + warmUp.sent + before.sent + beside.sent + after.sent)
    console.log(`\nreplay of ${events.toLocaleString('en-US')} events beside ${perSecond(liveRate)} live\n`)
    const row = (name: string, { sent, ages }: Live): Row => [name, sent, ...agesOf(ages)]
    printTable(
      ['live', 'events', 'p50', 'p95', 'p99', 'max'],
      [row('before', before), row('beside the replay', beside), row('after', after)],
    )
    const alone = percentile([...before.ages, ...after.ages], 0.99)
    const ratio = round(percentile(beside.ages, 0.99) / alone, 2)
    printTable(['replayed', 'live p99 beside it, of that alone'], [[perSecond(beside.replayed), ratio]])
    printPeakMemory(platform.stack.pids)
  })
}

/** Steady live traffic; ages of what was sent in this time alone, once all of it is there. */
async function liveFor({ receiver, produce }: Platform, rate: number, goesOn: GoesOn): Promise<Live> {
  const { ids } = await receiver.count('live')
  await receiver.forgetAges()
  const sent = await steadily(rate, goesOn, producing(produce, LIVE))
  await receiver.waitForIds(ids + sent, 'live')
  return { sent, ages: await receiver.ages() }
}

interface Replay {
  readonly webhook: string
  readonly events: number
  readonly rate: number
  readonly liveRate: number
}

/** Live traffic from the first to the last of the replayed; resolves with the replay's rate, too. */
async function besideReplay(
  platform: Platform,
  { webhook, events, rate, liveRate }: Replay,
): Promise<Live & { readonly replayed: number }> {
  const { receiver } = platform
  const body = { source: 'log', webhook, from: hourAgo(), rate, dry_run: false } as const
  await answered(apiOf(platform).POST('/v1/replays', { body }))
  // It begins when its last event is 3 s past.
  await until(
    async () => (await receiver.count('replayed')).ids > 0,
    BEGINS_MS,
    () => 'nothing was replayed',
  )
  let over = false
  const replayed = receiver.waitForIds(events, 'replayed').finally(() => (over = true))
  const [live, { firstAt, lastAt }] = await Promise.all([liveFor(platform, liveRate, () => !over), replayed])
  return { ...live, replayed: (events / (lastAt - firstAt)) * 1000 }
}

function hourAgo(): string {
  return new Date(Date.now() - 3600_000).toISOString()
}
