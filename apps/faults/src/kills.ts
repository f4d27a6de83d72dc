import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from './ledger.js'
import { settle, type Result } from './result.js'
import { isTenth, PATIENT, type Site } from './site.js'

/** What is killed: everything between the event and its history. */
export const VICTIMS = ['ingest', 'registry', 'router', 'deliverer', 'retry-scheduler', 'monitor'] as const
const WEBHOOKS = 8

export interface KillOptions {
  readonly events: number
  readonly kills: number
  /** How long events are produced and processes killed. */
  readonly seconds: number
  /** Of each victim: who was killed less often then is killed on while something is left to be delivered. */
  readonly least?: number
}

/** Kills services with -9 at random moments under load; resolves when all is delivered, recorded and committed. */
export async function killAtRandom(site: Site, options: KillOptions): Promise<Result> {
  const { events, kills, seconds, least = 0 } = options
  const run = await site.open({
    name: 'kills',
    webhooks: WEBHOOKS,
    retryPolicy: PATIENT,
    // A few ms, as a real receiver takes: so there is always something in flight.
    answer: async (delivery, nth) => {
      await sleep(5 + Math.random() * 20)
      return { status: nth === 1 && isTenth(delivery) ? 500 : 200 }
    },
  })
  let deliveries: readonly string[] | undefined
  const producing = run.produce(events, events / seconds).then(all => (deliveries = all))
  const isOver = () => deliveries !== undefined && run.ledger.missing(deliveries).length === 0
  const killing = kill(site, run.ledger, { kills, least, everyMs: (seconds * 1000) / kills, isOver })
  const [all] = await Promise.all([producing, killing])
  return settle(site, run, all)
}

interface Killing {
  readonly kills: number
  readonly least: number
  readonly everyMs: number
  readonly isOver: () => boolean
}

async function kill(site: Site, ledger: Ledger, { kills, least, everyMs, isOver }: Killing): Promise<void> {
  const counts = new Map<string, number>(VICTIMS.map(victim => [victim, 0]))
  let requestsAtKill = -1
  for (let n = 0; n < kills || (Math.min(...counts.values()) < least && !isOver());) {
    await sleep(Math.random() * 2 * everyMs)
    // A deliverer that has sent nothing since its last end waits for the session of the dead one: no news in that.
    const isIdle = site.receiver.requests.length === requestsAtKill
    const victim = leastKilled(counts, isIdle ? 'deliverer' : undefined)
    if (n >= kills && counts.get(victim)! >= least) continue
    const pid = site.stack.currentPids()[victim]
    if (
      pid === undefined ||
      !send(pid, 'SIGKILL', (from, to) => ledger.fault({ what: 'killed', target: victim, pid, from, to }))
    )
      continue
    counts.set(victim, counts.get(victim)! + 1)
    if (victim === 'deliverer') requestsAtKill = site.receiver.requests.length
    n++
  }
}

/** One of those that were killed least often. */
function leastKilled(counts: ReadonlyMap<string, number>, spared: string | undefined): string {
  const eligible = [...counts].filter(([victim]) => victim !== spared)
  const least = Math.min(...eligible.map(([, count]) => count))
  const candidates = eligible.filter(([, count]) => count === least)
  return candidates[Math.floor(Math.random() * candidates.length)]![0]
}

/** Tells the time just before and just after; false when there is no such process any more. */
export function send(pid: number, signal: NodeJS.Signals, tell: (from: number, to: number) => void): boolean {
  const from = Date.now()
  try {
    process.kill(pid, signal)
  } catch {
    return false
  }
  tell(from, Date.now())
  return true
}
