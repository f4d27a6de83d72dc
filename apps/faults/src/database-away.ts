import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { gapsInHistory } from './history.js'
import { send } from './kills.js'
import { settle, type Result } from './result.js'
import { isTenth, PATIENT, type Site } from './site.js'

const WEBHOOKS = 4
const PER_SECOND = 250
const AROUND_MS = 5000

export interface DatabaseResult extends Result {
  /** Requests a second before Postgres was away, and while it was. */
  readonly before: number
  readonly meanwhile: number
  readonly gaps: readonly string[]
}

/** Postgres answers nobody for `seconds` under load, comes back, and is then killed with -9. */
export async function takeDatabaseAway(site: Site, seconds: number): Promise<DatabaseResult> {
  const run = await site.open({
    name: 'database',
    webhooks: WEBHOOKS,
    retryPolicy: PATIENT,
    answer: (delivery, nth) => ({ status: nth === 1 && isTenth(delivery) ? 500 : 200 }),
  })
  const events = (PER_SECOND * (seconds * 1000 + 3 * AROUND_MS)) / 1000
  const load = run.produce(events, PER_SECOND)
  const before = await requestsPerSecond(site, AROUND_MS)
  const postgres = site.stack.currentPids().postgres!
  const from = Date.now()
  // The postmaster first: it would start others.
  const processes = [postgres, ...childrenOf(postgres)]
  for (const pid of processes) send(pid, 'SIGSTOP', () => undefined)
  const meanwhile = await requestsPerSecond(site, seconds * 1000).finally(() => {
    for (const pid of processes) send(pid, 'SIGCONT', () => undefined)
  })
  run.ledger.fault({ what: 'frozen', target: 'postgres', pid: postgres, from, to: Date.now() })
  await sleep(AROUND_MS)
  send(postgres, 'SIGKILL', (at, to) =>
    run.ledger.fault({ what: 'killed', target: 'postgres', pid: postgres, from: at, to }),
  )
  const deliveries = await load
  const result = await settle(site, run, deliveries)
  const gaps = await gapsInHistory(site.stack, run.webhooks, deliveries, result.records)
  return { ...result, before, meanwhile, gaps }
}

async function requestsPerSecond(site: Site, ms: number): Promise<number> {
  const before = site.receiver.requests.length
  await sleep(ms)
  return ((site.receiver.requests.length - before) / ms) * 1000
}

export function childrenOf(pid: number): number[] {
  return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
}
