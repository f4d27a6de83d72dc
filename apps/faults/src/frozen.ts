import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '@posthorn/testkit'
import { GroupWatch, untilMembers } from './group-watch.js'
import { send } from './kills.js'
import type { Ledger } from './ledger.js'
import { settle, type Result } from './result.js'
import { isTenth, PATIENT, type Run, type Site } from './site.js'

/** What is frozen; of each there are two, so that the other one takes over. */
const TARGETS = ['router', 'deliverer'] as const
/** As many as partitions: then either deliverer has some. */
const WEBHOOKS = 12
/** Enough to wait in the deliverer's queues when it is frozen. */
const BURST = 6000
const PER_SECOND = 300
/** The trickle goes on in pieces of so long until all is over, at most for so long. */
const PIECE_S = 5
const LONGEST_S = 300
/** Twice, at the freeze and when the thawed one joins again; 64 requests of a webhook at once is the default. */
export const MOST_IN_FLIGHT = 2 * WEBHOOKS * 64
const BUSY_WITHIN_MS = 120_000
/** A session is 10 s: the others have taken over a good while before the end … */
const FROZEN_MS = 15_000
/** … or, on a busy machine, within this. */
const TAKEN_OVER_MS = 60_000
const AFTER_MS = 8000

export interface FreezeResult extends Result {
  /** Commits that went back: made by one who did not own the partition any more. */
  readonly commitsBack: readonly string[]
  /** Requests at the receiver while the processes were frozen: the others went on. */
  readonly meanwhile: number
}

/** Stops one of two routers and one of two deliverers for longer than their session, with work in memory, and lets them go on. */
export async function freeze(site: Site, name = 'frozen'): Promise<FreezeResult> {
  const underWay = new Set<string>()
  const run = await site.open({
    name,
    webhooks: WEBHOOKS,
    retryPolicy: PATIENT,
    answer: async (delivery, nth) => {
      underWay.add(delivery)
      await sleep(100 + Math.random() * 100)
      underWay.delete(delivery)
      return { status: nth === 1 && isTenth(delivery) ? 500 : 200 }
    },
  })
  const most = BURST + PER_SECOND * LONGEST_S
  const webhookOf = new Map(Array.from({ length: most }, (_, n) => [run.delivery(n), n % WEBHOOKS]))
  const ending = new AbortController()
  const admin = site.kafka.admin()
  await admin.connect()
  const others = await Promise.all(TARGETS.map(target => site.stack.startAlso(target)))
  let watch: GroupWatch | undefined
  try {
    await Promise.all(TARGETS.map(target => untilMembers(admin, target, 2)))
    watch = new GroupWatch(admin, run.ledger, TARGETS)
    const load = produce(run, ending.signal)
    load.catch(() => undefined)
    // Of every webhook, and so of either deliverer.
    const busy = () => new Set([...underWay].map(delivery => webhookOf.get(delivery))).size
    await until(
      () => busy() === WEBHOOKS,
      BUSY_WITHIN_MS,
      () => `only ${busy()} webhooks have requests under way`,
    )
    const meanwhile = await freezeAll(site, run.ledger, underWay)
    await sleep(AFTER_MS)
    ending.abort()
    const result = await settle(site, run, await load)
    return { ...result, meanwhile, commitsBack: await watch.stop() }
  } finally {
    ending.abort()
    await watch?.stop()
    await Promise.all(others.map(process => process.stop()))
    await admin.disconnect()
  }
}

async function produce(run: Run, ending: AbortSignal): Promise<readonly string[]> {
  const deliveries = [...(await run.produce(BURST, BURST * 10))]
  for (let s = 0; s < LONGEST_S && !ending.aborted; s += PIECE_S)
    deliveries.push(...(await run.produce(PER_SECOND * PIECE_S, PER_SECOND)))
  return deliveries
}

/** Thawed once something that was under way has come again, from who took over. */
async function freezeAll(site: Site, ledger: Ledger, underWay: ReadonlySet<string>): Promise<number> {
  for (const target of TARGETS)
    signal(site, target, 'SIGSTOP', (pid, from, to) => ledger.fault({ what: 'frozen', target, pid, from, to }))
  const inFlight = [...underWay].filter(delivery => !isTenth(delivery))
  const before = site.receiver.requests.length
  try {
    await sleep(FROZEN_MS)
    await until(
      () => inFlight.some(delivery => ledger.count(delivery) > 1),
      TAKEN_OVER_MS,
      () => `none of the ${inFlight.length} deliveries that were in flight came again`,
    )
  } finally {
    for (const target of TARGETS) signal(site, target, 'SIGCONT', () => undefined)
  }
  return site.receiver.requests.length - before
}

function signal(
  site: Site,
  target: string,
  name: NodeJS.Signals,
  tell: (pid: number, from: number, to: number) => void,
) {
  const pid = site.stack.currentPids()[target]!
  if (!send(pid, name, (from, to) => tell(pid, from, to))) throw new Error(`the ${target} (${pid}) is gone`)
}
