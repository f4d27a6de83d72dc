import { rowsOf, type SqlSource } from './history-records.js'

/** A dead letter as the history has it: the last attempt of a run. */
export interface KeptDeadLetter {
  readonly delivery: string
  readonly run: string
  readonly attempt: number
  readonly outcome: string
  readonly webhook: string
  readonly tenant: string
}

/** What the history says about dead letters, to be held against their topic. */
export interface KeptDeadLetters {
  /** Of each partition of the topic: below it the history has taken in everything. */
  readonly positions: ReadonlyMap<number, number>
  /** Those that ended at `since` (ms) or later. */
  readonly rows: readonly KeptDeadLetter[]
  /** Nothing accepted before this day (YYYY-MM-DD) is kept; undefined without any history. */
  readonly oldestDay: string | undefined
  /** Tenants whose history was removed, or is being removed. */
  readonly removed: ReadonlySet<string>
  /** How many were discarded. */
  readonly discarded: number
}

/** `topic` and `group` are full names. The positions are read first: the rows are of then or later. */
export async function keptDeadLetters(
  source: SqlSource,
  { topic, group, since }: { readonly topic: string; readonly group: string; readonly since: number },
): Promise<KeptDeadLetters> {
  const positions = await rowsOf<{ partition: number; next: number }>(
    source,
    'select partition, next_offset::float8 as next from history_offsets where "group" = $1 and topic = $2',
    [group, topic],
  )
  const days = await rowsOf<{ day: string | null }>(
    source,
    `select min(right(c.relname, 8)) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'history_attempts'::regclass`,
    [],
  )
  const rows = await rowsOf<KeptDeadLetter>(
    source,
    `select delivery, run, attempt, outcome, webhook, tenant from history_attempts
      where outcome in ('exhausted', 'expired', 'gone') and finished_at >= $1`,
    [new Date(since).toISOString()],
  )
  const removed = await rowsOf<{ id: string }>(source, `select id from tenants where status <> 'active'`, [])
  const counted = await rowsOf<{ count: number }>(
    source,
    'select count(*)::int as count from history_deliveries where discarded_at is not null',
    [],
  )
  const day = days[0]?.day
  return {
    positions: new Map(positions.map(({ partition, next }) => [partition, next])),
    rows,
    oldestDay: day ? `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}` : undefined,
    removed: new Set(removed.map(({ id }) => id)),
    discarded: counted[0]!.count,
  }
}
