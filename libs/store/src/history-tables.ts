import type { AttemptRow, CounterRow, DeliveryRow, EventRow, PoisonRow } from './history-entries.js'
import type { SqlStatement } from './history-pool.js'

type Value = string | number | null

interface Column<Row> {
  readonly name: string
  readonly type: string
  readonly of: (row: Row) => Value
}

/** One `insert … select … from unnest(…)` for any number of rows. */
export interface TableInsert<Row> {
  statement(rows: readonly Row[]): SqlStatement
}

function column<Row>(name: string, type: string, of: (row: Row) => Value): Column<Row> {
  return { name, type, of }
}

interface Extras<Row> {
  /**
   * A bytea column: all values travel as one binary parameter and are cut apart by Postgres,
   * because an array of bytea would be sent as hex text, at twice the size.
   */
  readonly bytes: { readonly name: string; readonly of: (row: Row) => Buffer }
  /** Columns that Postgres computes from the others, as SQL over `u`. */
  readonly computed: readonly { readonly name: string; readonly sql: string }[]
}

function tableInsert<Row>(
  table: string,
  columns: readonly Column<Row>[],
  onConflict: string,
  extras?: Extras<Row>,
): TableInsert<Row> {
  const names = columns.map(({ name }) => name)
  const sources = columns.map(({ type }, index) => `$${index + 1}::${type}[]`)
  const fields = [...names]
  const targets = [...names]
  const selected = names.map(name => `u.${name}`)
  if (extras) {
    const last = columns.length
    sources.push(`$${last + 1}::int[]`, `$${last + 2}::int[]`)
    fields.push('cut_from', 'cut_length')
    targets.push(extras.bytes.name, ...extras.computed.map(({ name }) => name))
    selected.push(
      `substring($${last + 3}::bytea from u.cut_from for u.cut_length)`,
      ...extras.computed.map(({ sql }) => sql),
    )
  }
  const text = `insert into ${table} as h (${targets.join(', ')})
    select ${selected.join(', ')} from unnest(${sources.join(', ')}) as u(${fields.join(', ')})
    on conflict ${onConflict}`
  return {
    statement: rows => {
      const values: unknown[] = columns.map(({ of }) => arrayLiteral(rows, of))
      if (extras) values.push(...cuts(rows.map(extras.bytes.of)))
      return { name: `posthorn-${table}`, text, values }
    },
  }
}

/** An array as Postgres reads it. pg would make the same, but asks each element for its type: at 140 a delivery it shows. */
function arrayLiteral<Row>(rows: readonly Row[], of: (row: Row) => Value): string {
  let text = '{'
  for (const row of rows) {
    const value = of(row)
    if (text.length > 1) text += ','
    if (typeof value === 'string') text += `"${NEEDS_ESCAPE.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`
    else text += value === null ? 'NULL' : value
  }
  return `${text}}`
}

const NEEDS_ESCAPE = /["\\]/

/** Start (from 1) and length of each value, and all of them in one piece. */
function cuts(values: readonly Buffer[]): [number[], number[], Buffer] {
  const starts: number[] = []
  let next = 1
  for (const value of values) {
    starts.push(next)
    next += value.length
  }
  return [starts, values.map(value => value.length), Buffer.concat(values)]
}

/** The hash that stands for a source in the key. */
export const SOURCE_HASH = (source: string) => `substring(sha256(convert_to(${source}, 'UTF8')) from 1 for 16)`

const eventColumns: readonly Column<EventRow>[] = [
  column('day', 'date', row => row.day),
  column('tenant', 'text', row => row.tenant),
  column('id', 'text', row => row.id),
  column('source', 'text', row => row.source),
  column('type', 'text', row => row.type),
  column('time', 'timestamptz', row => row.time),
  column('attributes', 'jsonb', row => row.attributes),
  column('contenttype', 'text', row => row.contenttype),
  column('accepted_at', 'timestamptz', row => row.acceptedAt),
]

const deliveryColumns: readonly Column<DeliveryRow>[] = [
  column('day', 'date', row => row.day),
  column('id', 'text', row => row.id),
  column('tenant', 'text', row => row.tenant),
  column('webhook', 'text', row => row.webhook),
  column('run', 'text', row => row.run),
  column('event_id', 'text', row => row.eventId),
  column('event_source', 'text', row => row.eventSource),
  column('event_type', 'text', row => row.eventType),
  column('status', 'text', row => row.status),
  column('attempts', 'int', row => row.attempts),
  column('next_attempt_at', 'timestamptz', row => row.nextAttemptAt),
  column('accepted_at', 'timestamptz', row => row.acceptedAt),
  column('updated_at', 'timestamptz', row => row.updatedAt),
  column('last_error_class', 'text', row => row.lastErrorClass),
  column('last_status_code', 'int', row => row.lastStatusCode),
]

const attemptColumns: readonly Column<AttemptRow>[] = [
  column('day', 'date', row => row.day),
  column('delivery', 'text', row => row.delivery),
  column('run', 'text', row => row.run),
  column('attempt', 'int', row => row.attempt),
  column('tenant', 'text', row => row.tenant),
  column('webhook', 'text', row => row.webhook),
  column('webhook_version', 'int', row => row.webhookVersion),
  column('outcome', 'text', row => row.outcome),
  column('discard_reason', 'text', row => row.discardReason),
  column('due_at', 'timestamptz', row => row.dueAt),
  column('started_at', 'timestamptz', row => row.startedAt),
  column('finished_at', 'timestamptz', row => row.finishedAt),
  column('duration_ms', 'float8', row => row.durationMs),
  column('url', 'text', row => row.url),
  column('status_code', 'int', row => row.statusCode),
  column('error_class', 'text', row => row.errorClass),
  column('error', 'text', row => row.error),
  column('advice', 'text', row => row.advice),
  column('response_body', 'text', row => row.responseBody),
  column('next_attempt_at', 'timestamptz', row => row.nextAttemptAt),
  column('next', 'text', row => row.next),
  column('trace_id', 'text', row => row.traceId),
  column('span_id', 'text', row => row.spanId),
  column('wire', 'jsonb', row => row.wire),
]

const counterColumns: readonly Column<CounterRow>[] = [
  column('day', 'date', row => row.day),
  column('tenant', 'text', row => row.tenant),
  column('webhook', 'text', row => row.webhook),
  column('minute', 'timestamptz', row => row.minute),
  column('outcome', 'text', row => row.outcome),
  column('count', 'bigint', row => row.count),
  column('duration_ms', 'float8', row => row.durationMs),
  column('longest_ms', 'float8', row => row.longestMs),
]

const poisonColumns: readonly Column<PoisonRow>[] = [
  column('day', 'date', row => row.day),
  column('at', 'timestamptz', row => row.at),
  column('topic', 'text', row => row.topic),
  column('partition', 'int', row => row.partition),
  column('"offset"', 'bigint', row => row.offset),
  column('reason', 'text', row => row.reason),
  column('detail', 'text', row => row.detail),
  column('pointers', 'jsonb', row => row.pointers),
  column('key', 'text', row => row.key),
  column('headers', 'jsonb', row => row.headers),
  column('size', 'bigint', row => row.size),
  column('partial', 'boolean', row => row.partial),
  column('tenant', 'text', row => row.tenant),
  column('source', 'text', row => row.source),
  column('reader', 'text', row => row.reader),
  column('webhook', 'text', row => row.webhook),
  column('count', 'int', row => row.count),
  column('previous', 'text', row => row.previous),
]

const replaced = (columns: readonly { readonly name: string }[]): string =>
  columns.map(({ name }) => `${name} = excluded.${name}`).join(', ')

/** What the same rank is in memory: history-batch.ts. */
const deliveryRank = (row: string) =>
  `(${row}.run, ${row}.attempts, ${row}.status not in ('pending', 'retry'), ${row}.updated_at)`
const attemptRank = (row: string) => `(${row}.outcome <> 'retry', ${row}.finished_at)`

export const INSERT_EVENTS = tableInsert('history_events', eventColumns, 'do nothing', {
  bytes: { name: 'data', of: row => row.data },
  computed: [{ name: 'source_hash', sql: SOURCE_HASH('u.source') }],
})

export const INSERT_DELIVERIES = tableInsert(
  'history_deliveries',
  deliveryColumns,
  // What was discarded is the dead letter of one run: a later run may make another.
  `(id, day) do update set ${replaced(deliveryColumns)},
     discarded_at = case when excluded.run = h.run then h.discarded_at end,
     discarded_by = case when excluded.run = h.run then h.discarded_by end
   where ${deliveryRank('excluded')} > ${deliveryRank('h')}`,
)

export const INSERT_ATTEMPTS = tableInsert(
  'history_attempts',
  attemptColumns,
  `(delivery, run, attempt, day) do update set ${replaced(attemptColumns)}
   where ${attemptRank('excluded')} > ${attemptRank('h')}`,
)

/** Adds to what is there: only the offsets, moved in the same transaction, keep it from counting twice. */
export const INSERT_COUNTERS = tableInsert(
  'history_counters',
  counterColumns,
  `(tenant, webhook, minute, outcome, day)
   do update set count = h.count + excluded.count, duration_ms = h.duration_ms + excluded.duration_ms,
     longest_ms = greatest(h.longest_ms, excluded.longest_ms)`,
)

export const INSERT_POISON = tableInsert('history_poison', poisonColumns, 'do nothing', {
  bytes: { name: 'value', of: row => row.value },
  computed: [],
})
