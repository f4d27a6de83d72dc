import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
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
  /** What Postgres could not write for want of room. */
  readonly refused: number
}

/** One way for Postgres not to do its work; resolves when it may again, with the writes that it said it could not make. */
export type Outage = (site: Site, during: Promise<unknown>) => Promise<number>

/** It answers nobody, and closes nothing. */
export const stopped: Outage = async (site, during) => {
  const postgres = site.stack.currentPids().postgres!
  // The postmaster first: it would start others.
  const processes = [postgres, ...childrenOf(postgres)]
  for (const pid of processes) send(pid, 'SIGSTOP', () => undefined)
  await during.finally(() => {
    for (const pid of processes) send(pid, 'SIGCONT', () => undefined)
  })
  return 0
}

/** Smaller than a table under load, and than a segment of the write-ahead log: without a new one Postgres dies. */
const FULL_AT_BYTES = 256 * 1024
const LOOK_EVERY_MS = 200

/** No file of it grows any more, as on a full disk; also where it starts again meanwhile. */
export const diskFull: Outage = async (site, during) => {
  const limit = (bytes: number | 'unlimited') => {
    const postgres = site.stack.currentPids().postgres
    if (postgres !== undefined) for (const pid of [postgres, ...childrenOf(postgres)]) limitFiles(pid, bytes)
  }
  const ending = new AbortController()
  const end = () => ending.abort()
  void during.then(end, end)
  let refused = 0
  while (!ending.signal.aborted) {
    limit(FULL_AT_BYTES)
    await sleep(LOOK_EVERY_MS)
    // Postgres that starts again begins its log anew.
    refused = Math.max(refused, writesRefused(site))
  }
  limit('unlimited')
  return refused
}

/** How often Postgres has said so since its start. */
function writesRefused({ stack }: Site): number {
  return readFileSync(join(stack.dir, 'postgres', 'server.log'), 'utf8').split('File too large').length - 1
}

/** The soft limit alone: the hard one could not be raised again. As the process's user, who may. */
function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  const owner = ownerOf(pid)
  if (owner === undefined) return
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], owner)
  if (status !== 0 && ownerOf(pid) !== undefined) throw new Error(`prlimit: ${String(stderr)}`)
}

/** Undefined when the process has ended. */
function ownerOf(pid: number): { readonly uid: number; readonly gid: number } | undefined {
  const of = statSync(`/proc/${pid}`, { throwIfNoEntry: false })
  return of && { uid: of.uid, gid: of.gid }
}

/** Postgres fails for `seconds` under load, comes back, and is then killed with -9. */
export async function takeDatabaseAway(site: Site, seconds: number, outage: Outage): Promise<DatabaseResult> {
  const run = await site.open({
    name: `database-${outage.name}`,
    webhooks: WEBHOOKS,
    retryPolicy: PATIENT,
    answer: (delivery, nth) => ({ status: nth === 1 && isTenth(delivery) ? 500 : 200 }),
  })
  const events = (PER_SECOND * (seconds * 1000 + 3 * AROUND_MS)) / 1000
  const load = run.produce(events, PER_SECOND)
  const before = await requestsPerSecond(site, AROUND_MS)
  const from = Date.now()
  const measured = requestsPerSecond(site, seconds * 1000)
  const refused = await outage(site, measured)
  const meanwhile = await measured
  run.ledger.fault({ what: 'away', target: 'postgres', from, to: Date.now() })
  await sleep(AROUND_MS)
  const postgres = site.stack.currentPids().postgres!
  send(postgres, 'SIGKILL', (at, to) =>
    run.ledger.fault({ what: 'killed', target: 'postgres', pid: postgres, from: at, to }),
  )
  const deliveries = await load
  const result = await settle(site, run, deliveries)
  const gaps = await gapsInHistory(site.stack, run.webhooks, deliveries, result.records)
  return { ...result, before, meanwhile, gaps, refused }
}

async function requestsPerSecond(site: Site, ms: number): Promise<number> {
  const [before, from] = [site.receiver.requests.length, performance.now()]
  await sleep(ms)
  return ((site.receiver.requests.length - before) / (performance.now() - from)) * 1000
}

export function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}
