import type { OwnEvent } from '@posthorn/topics'
import { inTransaction } from './history-partitions.js'
import type { SqlPool } from './history-pool.js'

/** Runs a statement in the transaction of what the event is about. */
export type RunSql = (text: string, values: readonly unknown[]) => Promise<unknown>

const RAISE = `insert into own_events (id, tenant, type, webhook, raised_at, data)
  values ($1, $2, $3, $4, $5, $6) on conflict do nothing`
/** The column is of when they were about webhooks alone. */
const TAKE = `select id, tenant, type, webhook as subject, raised_at, data from own_events
  order by raised_at, id limit $1 for update skip locked`

/** Has an event of our own published, if the transaction is committed. */
export async function raiseOwnEvent(run: RunSql, event: OwnEvent): Promise<void> {
  const { id, tenant, type, subject, time, data } = event
  await run(RAISE, [id, tenant, type, subject, time, JSON.stringify(data)])
}

/**
 * Hands the oldest events to `send`, at most `limit`, and forgets them once it has resolved; resolves with
 * how many there were. Killed in between, they are sent again: with the same ids.
 */
export function sendOwnEvents(
  pool: SqlPool,
  limit: number,
  send: (events: readonly OwnEvent[]) => Promise<unknown>,
): Promise<number> {
  return inTransaction(pool, async client => {
    const { rows } = await client.query({ text: TAKE, values: [limit] })
    if (rows.length === 0) return 0
    await send(rows.map(({ raised_at, ...row }) => ({ ...row, time: (raised_at as Date).toISOString() }) as OwnEvent))
    const ids = rows.map(({ id }) => id)
    await client.query({ text: 'delete from own_events where id = any($1)', values: [ids] })
    return rows.length
  })
}
