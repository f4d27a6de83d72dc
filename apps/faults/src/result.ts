import { setTimeout as sleep } from 'node:timers/promises'
import { readAttempts } from './attempts-log.js'
import type { Audit, Fault, Recorded } from './ledger.js'
import { untilAllCommitted } from './offsets.js'
import type { Run, Site } from './site.js'

/** What a scenario came to. */
export interface Result {
  readonly audit: Audit
  readonly faults: readonly Fault[]
  /** All of attempts.v1, of other scenarios too. */
  readonly records: readonly Recorded[]
}

/** So long without an arrival there will be none: a killed deliverer waits 10 s for its own session, an open circuit 60 s for its probe. */
const STALLED_MS = 90_000
const LOOK_EVERY_MS = 100
const COMMIT_MS = 150_000

/**
 * Waits until all is delivered, or nothing more arrives, and every group stands at the ends of its
 * topics; then balances the ledger, which says what is missing.
 */
export async function settle(site: Site, { ledger }: Run, deliveries: readonly string[]): Promise<Result> {
  await untilNoneOrStalled(() => ledger.missing(deliveries).length)
  await untilAllCommitted(site.kafka, COMMIT_MS)
  const records = await readAttempts(site.kafka)
  return { audit: ledger.audit(deliveries, records), faults: ledger.faults, records }
}

/** How long a backlog takes is the machine's, so only a standstill is a failure. */
async function untilNoneOrStalled(count: () => number): Promise<void> {
  let left = count()
  let since = performance.now()
  while (left > 0 && performance.now() - since < STALLED_MS) {
    await sleep(LOOK_EVERY_MS)
    const now = count()
    if (now < left) since = performance.now()
    left = now
  }
}

/** Everything in an audit that breaks a promise; empty when all is well. */
export function brokenIn({ audit: { missing, early, unexplained, unrecorded, unsent } }: Result): string[] {
  return Object.entries({ missing, early, unexplained, unrecorded, unsent }).flatMap(([what, list]) =>
    list.map(each => `${what}: ${each}`),
  )
}

/** The ledger, for a person. */
export function reportOf(title: string, { audit, faults }: Result): string {
  const { retryLateness, early, inFlight, unexplained, unrecorded, unsent } = audit
  const rows: [string, string][] = [
    ['deliveries', `${audit.deliveries}; ${audit.missing.length} missing`],
    ['requests', `${audit.requests}; ${unrecorded.length} without a record for no reason`],
    ['attempts', `${audit.attempts} recorded; ${unsent.length} that never arrived`],
    ['faults', countsOf(faults)],
    ['repeats', `${retryLateness.length} retries, ${inFlight} in flight at a fault, ${unexplained.length} unexplained`],
    ['retries', `${early.length} early; late by ${percentiles(retryLateness)}`],
  ]
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(12)}${text}`)].join('\n')
}

function countsOf(faults: readonly Fault[]): string {
  const counts = new Map<string, number>()
  for (const { what, target } of faults) counts.set(`${target} ${what}`, (counts.get(`${target} ${what}`) ?? 0) + 1)
  return counts.size === 0 ? 'none' : [...counts].map(([what, count]) => `${what} ${count}×`).join(', ')
}

function percentiles(ascending: readonly number[]): string {
  if (ascending.length === 0) return 'nothing'
  const at = (share: number) => ascending[Math.ceil(share * ascending.length) - 1]!
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`
}
