import { foldEntries, type HistoryBatch } from './history-batch.js'
import type { PositionedEntry } from './history-entries.js'
import { HistoryPartitions, inTransaction } from './history-partitions.js'
import type { SqlClient, SqlPool } from './history-pool.js'
import { asTrace } from './query-spans.js'
import {
  INSERT_ATTEMPTS,
  INSERT_COUNTERS,
  INSERT_DELIVERIES,
  INSERT_EVENTS,
  INSERT_POISON,
  type TableInsert,
} from './history-tables.js'

/** Rows inserted or changed, by kind. */
export interface HistoryWritten {
  readonly events: number
  readonly deliveries: number
  readonly attempts: number
  readonly counters: number
  readonly poison: number
}

/**
 * These entries cannot be stored whatever is tried, and nothing of them was. Thrown for what is
 * wrong with the data itself; every other error may go away by waiting.
 */
export class HistoryRefused extends Error {
  constructor(readonly cause: Error) {
    super(cause.message)
    this.name = 'HistoryRefused'
  }
}

/** What else is made of entries that are not in the history yet. */
export interface NotedEntries {
  note(client: SqlClient, entries: readonly PositionedEntry[]): Promise<void>
}

/**
 * Writes history: rows and the offsets they came from in one transaction, so that each record has
 * its effect once, whoever writes it and however often.
 */
export class HistoryWriter {
  constructor(
    private readonly pool: SqlPool,
    private readonly partitions: HistoryPartitions,
    private readonly group: string,
    /** Told of the same entries in the same transaction, in this order. */
    private readonly others: readonly NotedEntries[] = [],
  ) {}

  /**
   * Stores what is not stored yet; entries of one partition must come in the order of their
   * offsets, without gaps between calls. Throws HistoryRefused, or the error of a Postgres that
   * cannot take anything now: call again with the same entries.
   */
  async write(entries: readonly PositionedEntry[], now: number): Promise<HistoryWritten> {
    try {
      return await asTrace('write history', entries.length, () =>
        inTransaction(this.pool, client => this.writeIn(client, entries, now)),
      )
    } catch (error) {
      if (codeOf(error) === MISSING_PARTITION) this.partitions.forget()
      throw isFaultOfData(error) ? new HistoryRefused(error as Error) : error
    }
  }

  private async writeIn(client: SqlClient, entries: readonly PositionedEntry[], now: number): Promise<HistoryWritten> {
    const next = await this.lockOffsets(client, entries)
    const fresh = entries.filter(entry => advance(next.get(positionKey(entry.topic, entry.partition))!, entry))
    if (fresh.length === 0) return NOTHING
    const batch = fold(fresh, this.partitions.oldestDay(now), now)
    await this.partitions.ensure(daysOf(batch))
    const written = await insertRows(client, batch)
    for (const other of this.others) await other.note(client, fresh)
    await this.moveOffsets(client, [...next.values()])
    return written
  }

  /** Holds the offsets of these partitions until the end of the transaction: a zombie waits here, then finds nothing to do. */
  private async lockOffsets(client: SqlClient, entries: readonly PositionedEntry[]): Promise<Map<string, Position>> {
    const wanted = new Map<string, Position>()
    for (const { topic, partition } of entries) {
      const key = positionKey(topic, partition)
      if (!wanted.has(key)) wanted.set(key, { topic, partition, offset: 0, timestamp: 0 })
    }
    const values = [this.group, [...wanted.values()].map(p => p.topic), [...wanted.values()].map(p => p.partition)]
    const lock = async () => (await client.query({ name: 'posthorn-lock-offsets', text: LOCK_OFFSETS, values })).rows
    let rows = await lock()
    if (rows.length < wanted.size) {
      await client.query({ text: ADD_OFFSETS, values })
      rows = await lock()
    }
    for (const { topic, partition, next, last } of rows) {
      const position = wanted.get(positionKey(String(topic), Number(partition)))!
      position.offset = Number(next)
      position.timestamp = Number(last)
    }
    return wanted
  }

  private async moveOffsets(client: SqlClient, positions: readonly Position[]): Promise<void> {
    await client.query({
      name: 'posthorn-move-offsets',
      text: MOVE_OFFSETS,
      values: [
        this.group,
        positions.map(p => p.topic),
        positions.map(p => p.partition),
        positions.map(p => p.offset),
        positions.map(p => p.timestamp),
      ],
    })
  }
}

interface Position {
  readonly topic: string
  readonly partition: number
  offset: number
  timestamp: number
}

/** How far the clocks of two leaders of one partition may be apart. */
const CLOCK_SKEW_MS = 10_000

/**
 * Moves the position past the entry; false when the entry is in the history already. A lower offset
 * that is younger than the last record stored is of a log made anew (Kafka was wiped, Postgres was
 * not): skipping it would lose history in silence.
 */
function advance(position: Position, { offset, timestamp }: PositionedEntry): boolean {
  if (offset < position.offset && timestamp <= position.timestamp + CLOCK_SKEW_MS) return false
  position.offset = offset + 1
  position.timestamp = Math.max(position.timestamp, timestamp)
  return true
}

const LOCK_OFFSETS = `select topic, partition, next_offset::float8 as next, last_timestamp::float8 as last from history_offsets
  where "group" = $1 and (topic, partition) in (select * from unnest($2::text[], $3::int[]))
  order by topic, partition for update`
const ADD_OFFSETS = `insert into history_offsets ("group", topic, partition, next_offset, last_timestamp)
  select $1, topic, partition, 0, 0 from unnest($2::text[], $3::int[]) as u(topic, partition)
  order by topic, partition on conflict do nothing`
const MOVE_OFFSETS = `update history_offsets h set next_offset = u.next, last_timestamp = u.last
  from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) as u(topic, partition, next, last)
  where h."group" = $1 and h.topic = u.topic and h.partition = u.partition`

const NOTHING: HistoryWritten = { events: 0, deliveries: 0, attempts: 0, counters: 0, poison: 0 }
/** "no partition of relation found for row": somebody dropped it; it is made again at the next try. */
const MISSING_PARTITION = '23514'

/** Anything but Postgres's own words: a time that is none, a member that is missing. */
function fold(entries: readonly PositionedEntry[], oldestDay: string, now: number): HistoryBatch {
  try {
    return foldEntries(
      entries.map(({ entry }) => entry),
      oldestDay,
      now,
    )
  } catch (error) {
    throw new HistoryRefused(error as Error)
  }
}

/** Always in the same order of tables, so that two writers cannot deadlock. */
async function insertRows(client: SqlClient, batch: HistoryBatch): Promise<HistoryWritten> {
  return {
    events: await insert(client, INSERT_EVENTS, batch.events),
    deliveries: await insert(client, INSERT_DELIVERIES, batch.deliveries),
    attempts: await insert(client, INSERT_ATTEMPTS, batch.attempts),
    counters: await insert(client, INSERT_COUNTERS, batch.counters),
    poison: await insert(client, INSERT_POISON, batch.poison),
  }
}

async function insert<Row>(client: SqlClient, into: TableInsert<Row>, rows: readonly Row[]): Promise<number> {
  return rows.length === 0 ? 0 : ((await client.query(into.statement(rows))).rowCount ?? 0)
}

function daysOf(batch: HistoryBatch): Set<string> {
  return new Set(Object.values(batch).flatMap((rows: readonly { day: string }[]) => rows.map(({ day }) => day)))
}

/** SQLSTATE classes 22 (data), 23 (integrity) and 54 (too large) blame the row; all others blame the moment. */
function isFaultOfData(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && code !== MISSING_PARTITION && /^(22|23|54)...$/.test(code)
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

function positionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
