import { isDeadLetter, RESERVED_PREFIX } from '@posthorn/webhook'
import type { Database } from './data-source.js'
import { storable, type PositionedEntry } from './history-entries.js'
import type { SqlClient } from './history-pool.js'

/** What is counted for alerts. */
export type AlertSignal = 'dead_letters' | 'poison' | 'refused_addresses' | 'wrong_keys'

/** Coarse enough to be few rows, fine enough for the shortest window. */
const STEP_MS = 10_000

interface Count {
  readonly signal: AlertSignal
  readonly at: string
  readonly tenant: string
  readonly webhook: string
  count: number
}

/** The beginning of the step that a time (ms) is in, as Postgres reads it. */
export function signalStep(at: number): string {
  return new Date(Math.floor(at / STEP_MS) * STEP_MS).toISOString()
}

// Rows in one order, so that two writers cannot deadlock.
const ADD = `insert into alert_signals as s (signal, at, tenant, webhook, part, count)
  select signal, at, tenant, webhook, '', count
  from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[]) as u(signal, at, tenant, webhook, count)
  order by signal, at, tenant, webhook
  on conflict (signal, at, tenant, webhook, part) do update set count = s.count + excluded.count`
const CERTIFICATES = `insert into receiver_certificates as c (webhook, tenant, expires_at)
  select * from unnest($1::text[], $2::text[], $3::timestamptz[]) order by 1
  on conflict (webhook) do update set expires_at = excluded.expires_at, tenant = excluded.tenant
  where c.expires_at <> excluded.expires_at`

/**
 * Counts what alerts are about, in the transaction that moves the offsets: each record once. Attempts with events of
 * our own are not counted: no event of our own may be raised about the delivery of another one.
 */
export async function noteSignals(client: SqlClient, entries: readonly PositionedEntry[]): Promise<void> {
  const counts = new Map<string, Count>()
  const certificates = new Map<string, { readonly tenant: string; readonly expires: string }>()
  for (const { entry, timestamp } of entries) {
    if (entry.kind === 'poison') add(counts, 'poison', timestamp, entry.tenant ?? '', '')
    if (entry.kind !== 'attempt' || entry.attempt.event.type.startsWith(RESERVED_PREFIX)) continue
    const { tenant, webhook, outcome, error, certificate_expires_at: expires } = entry.attempt
    if (isDeadLetter(outcome)) add(counts, 'dead_letters', timestamp, tenant, '')
    if (error !== undefined && REFUSED.test(error)) add(counts, 'refused_addresses', timestamp, tenant, webhook)
    if (expires !== undefined) certificates.set(webhook, { tenant, expires })
  }
  if (counts.size > 0) await client.query({ text: ADD, values: columnsOf([...counts.values()]) })
  if (certificates.size === 0) return
  const rows = [...certificates]
  const values = [
    rows.map(([id]) => storable(id)),
    rows.map(([, { tenant }]) => storable(tenant)),
    rows.map(([, { expires }]) => expires),
  ]
  await client.query({ name: 'posthorn-certificates', text: CERTIFICATES, values })
}

/** See the causes in docs/retries.md. */
const REFUSED = /^(address_refused|address_unlisted|port_refused):/

function add(counts: Map<string, Count>, signal: AlertSignal, ms: number, owner: string, of: string): void {
  const [at, tenant, webhook] = [signalStep(ms), storable(owner), storable(of)]
  const name = JSON.stringify([signal, at, tenant, webhook])
  const known = counts.get(name)
  if (known) known.count++
  else counts.set(name, { signal, at, tenant, webhook, count: 1 })
}

function columnsOf(rows: readonly Count[]): readonly unknown[] {
  return (['signal', 'at', 'tenant', 'webhook', 'count'] as const).map(name => rows.map(row => row[name]))
}

const WRONG_KEYS = `INSERT INTO alert_signals AS s (signal, at, tenant, webhook, part, count)
  VALUES ('wrong_keys', $1, '', '', $2, $3)
  ON CONFLICT (signal, at, tenant, webhook, part) DO UPDATE SET count = greatest(s.count, excluded.count)`

/** Notes how many wrong keys one process was sent in a step; told again, a count takes the place of the one before. */
export async function noteWrongKeys(database: Database, process: string, at: number, count: number): Promise<void> {
  await database.manager.query(WRONG_KEYS, [signalStep(at), process, count])
}
