import { queryDatabase } from '@posthorn/testkit'

export const TENANT = 'default'
/** Within the days that history is kept unless set otherwise. */
export const DAYS = 10
const DAY_MS = 24 * 3600_000
const TABLES = ['history_events', 'history_deliveries', 'history_attempts', 'history_counters'] as const

/** Half of all go to webhook_0, the others to 1,000 webhooks; 2 % end as dead letters, 10 types share all evenly. */
const ROW = `n::text as id,
  case when n % 2 = 0 then 'webhook_0' else 'webhook_' || (n / 2) % 1000 end as webhook,
  'bench.type' || n % 10 as type,
  case when n % 50 = 0 then 'exhausted' else 'delivered' end as outcome,
  date_trunc('milliseconds', $1::timestamptz + (n - $2::bigint) * ($4::float8 * interval '1 millisecond')) as at`

/**
 * Writes history as the monitor would have, by SQL alone: one attempt for each delivery, one delivery for each
 * event. A day's rows are written into tables of their own that are attached afterwards: their indexes are then
 * built at once, which takes a fraction of the time.
 */
export async function fillHistory(server: string, rows: number): Promise<void> {
  const url = await hurried(server)
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS
  const perDay = Math.ceil(rows / DAYS)
  for (let ago = DAYS - 1; ago >= 0; ago--) {
    const start = new Date(today - (ago + 1) * DAY_MS)
    const first = (DAYS - 1 - ago) * perDay + 1
    const last = Math.min(rows, first + perDay - 1)
    await fillDay(url, start, [start.toISOString(), first, last, DAY_MS / perDay])
  }
  await queryDatabase(url, `vacuum (analyze) ${TABLES.join(', ')}`)
}

/** Fewer checkpoints, no wait for the disk, memory to sort in: this Postgres is the bench's own. */
async function hurried(server: string): Promise<string> {
  await queryDatabase(server, `alter system set max_wal_size = '2GB'`)
  await queryDatabase(server, 'select pg_reload_conf()')
  const url = new URL(server)
  url.searchParams.set('options', '-c synchronous_commit=off -c maintenance_work_mem=512MB -c work_mem=256MB')
  return url.href
}

async function fillDay(url: string, start: Date, values: readonly unknown[]): Promise<void> {
  const day = start.toISOString().slice(0, 10)
  const next = new Date(start.getTime() + DAY_MS).toISOString().slice(0, 10)
  const ofDay = (table: string) => `${table}_${day.replaceAll('-', '')}`
  for (const table of TABLES)
    await queryDatabase(url, `create table ${ofDay(table)} (like ${table} including defaults including storage)`)
  for (const [table, insert] of INSERTS) await queryDatabase(url, `insert into ${ofDay(table)} ${insert}`, values)
  for (const table of TABLES)
    await queryDatabase(
      url,
      `alter table ${table} attach partition ${ofDay(table)} for values from ('${day}') to ('${next}')`,
    )
}

const from = `from (select n, ${ROW} from generate_series($2::bigint, $3::bigint) n) r`
const day = `(at at time zone 'UTC')::date`

/** Columns and rows, by table. */
const INSERTS: readonly (readonly [table: (typeof TABLES)[number], insert: string])[] = [
  [
    'history_events',
    `(day, tenant, id, source_hash, source, type, time, attributes, contenttype, data, accepted_at)
     select ${day}, '${TENANT}', id, '\\x00', '/bench', type, at, '{}', 'application/json', convert_to('{"n":1}', 'UTF8'), at ${from}`,
  ],
  [
    'history_deliveries',
    `(day, id, tenant, webhook, run, event_id, event_source, event_type, status, attempts, accepted_at, updated_at)
     select ${day}, 'delivery_' || id, '${TENANT}', webhook, '0', id, '/bench', type, outcome, 1, at, at ${from}`,
  ],
  [
    'history_attempts',
    `(day, delivery, run, attempt, tenant, webhook, webhook_version, outcome, due_at, started_at, finished_at,
       duration_ms, url, status_code)
     select ${day}, 'delivery_' || id, '0', 1, '${TENANT}', webhook, 1, outcome, at, at, at, n % 500,
       'https://example.com/hook', case outcome when 'delivered' then 200 else 503 end ${from}`,
  ],
  ...['webhook', `''`].map(
    webhook =>
      [
        'history_counters',
        `(day, tenant, webhook, minute, outcome, count, duration_ms, longest_ms)
         select ${day}, '${TENANT}', ${webhook}, date_trunc('minute', at), outcome, count(*), sum(n % 500), max(n % 500)
         ${from} group by 1, 3, 4, 5`,
      ] as const,
  ),
]
