import type { SqlClient, SqlPool } from './history-pool.js'
import { PARTITIONED_TABLES as TABLES } from './service-rights.js'

const DAY_MS = 24 * 3600_000
/** Numbers of our advisory locks; any constants that nobody else uses in the database. */
const CREATE_LOCK = 7_340_211
const DROP_LOCK = 7_340_212
/** Made before they are needed, so that midnight waits for nothing. */
const DAYS_AHEAD = 2

/** The UTC day of a time (ms since the epoch) as YYYY-MM-DD. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** Day partitions of the history tables: made ahead and on demand, dropped by retention. */
export class HistoryPartitions {
  private readonly known = new Set<string>()

  constructor(
    private readonly pool: SqlPool,
    private readonly retentionDays: number,
  ) {}

  /** Rows of days before this one are no longer kept. */
  oldestDay(now: number): string {
    return utcDay(now - this.retentionDays * DAY_MS)
  }

  /** Makes the partitions of these days where they are missing. */
  async ensure(days: Iterable<string>): Promise<void> {
    const missing = [...days].filter(day => !this.known.has(day)).sort()
    if (missing.length === 0) return
    await inTransaction(this.pool, async client => {
      await client.query(`select pg_advisory_xact_lock(${CREATE_LOCK})`)
      const existing = new Map((await listPartitions(client)).map(partition => [partition.name, partition]))
      for (const day of missing)
        for (const table of TABLES) await createPartition(client, table, day, existing.get(partitionName(table, day)))
    })
    for (const day of missing) this.known.add(day)
  }

  /** After Postgres found no partition for a row: somebody else dropped what was known to exist. */
  forget(): void {
    this.known.clear()
  }

  /**
   * Makes the partitions of today and the next days and drops those that retention is done with;
   * resolves with the names dropped. Only one process drops at a time. Writers are never blocked:
   * a partition is attached and detached under a lock that inserts do not meet.
   */
  async maintain(now: number): Promise<string[]> {
    await this.ensure(Array.from({ length: DAYS_AHEAD + 1 }, (_, ahead) => utcDay(now + ahead * DAY_MS)))
    const client = await this.pool.connect()
    let clean = false
    try {
      const lock = await client.query(`select pg_try_advisory_lock(${DROP_LOCK}) as held`)
      const dropped = lock.rows[0]?.held === true ? await this.dropExpired(client, now) : []
      if (lock.rows[0]?.held === true) await client.query(`select pg_advisory_unlock(${DROP_LOCK})`)
      clean = true
      return dropped
    } finally {
      // Closing the connection gives back the lock whatever went wrong.
      client.release(!clean)
    }
  }

  private async dropExpired(client: SqlClient, now: number): Promise<string[]> {
    const oldest = this.oldestDay(now).replaceAll('-', '')
    const expired = (await listPartitions(client)).filter(partition => partition.name.slice(-8) < oldest)
    for (const { name, table, state } of expired) {
      // A detach that was cut off stays half done until it is finalized.
      if (state === 'detaching') await client.query(`alter table ${table} detach partition ${name} finalize`)
      if (state === 'attached') await client.query(`alter table ${table} detach partition ${name} concurrently`)
      await client.query(`drop table if exists ${name}`)
      const day = name.slice(-8)
      this.known.delete(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`)
    }
    return expired.map(partition => partition.name)
  }
}

interface Partition {
  readonly name: string
  readonly table: string
  readonly state: 'attached' | 'detaching' | 'detached'
}

function partitionName(table: string, day: string): string {
  return `${table}_${day.replaceAll('-', '')}`
}

async function listPartitions(client: SqlClient): Promise<Partition[]> {
  const { rows } = await client.query(
    `select c.relname as name, i.inhdetachpending as detaching
       from pg_class c left join pg_inherits i on i.inhrelid = c.oid
      where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
        and c.relname ~ '^(${TABLES.join('|')})_[0-9]{8}$'
      order by c.relname`,
  )
  return rows.map(({ name, detaching }) => ({
    name: String(name),
    table: String(name).slice(0, -9),
    state: detaching === null ? 'detached' : detaching === true ? 'detaching' : 'attached',
  }))
}

/** Made apart and then attached: `create table … partition of` would lock out readers and writers. */
async function createPartition(
  client: SqlClient,
  table: string,
  day: string,
  existing: Partition | undefined,
): Promise<void> {
  const name = partitionName(table, day)
  switch (existing?.state) {
    case 'attached':
      return
    case 'detaching':
      await client.query(`alter table ${table} detach partition ${name} finalize`)
      await client.query(`drop table ${name}`)
      break
    case 'detached':
      await client.query(`drop table ${name}`)
      break
    case undefined:
      break
  }
  await client.query(`create table ${name} (like ${table} including defaults including storage)`)
  await client.query(
    `alter table ${table} attach partition ${name} for values from ('${day}') to ('${utcDay(Date.parse(day) + DAY_MS)}')`,
  )
}

/** Runs `work` in one transaction. A connection that cannot even roll back is closed. */
export async function inTransaction<T>(pool: SqlPool, work: (client: SqlClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let usable = false
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    usable = true
    return result
  } catch (error) {
    usable = await rollback(client).catch(() => false)
    throw error
  } finally {
    client.release(!usable)
  }
}

async function rollback(client: SqlClient): Promise<boolean> {
  await client.query('rollback')
  return true
}
