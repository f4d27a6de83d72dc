import { isReplayOpen, type ReplayPosition, type ReplayStatus } from '@posthorn/webhook'
import { IsNull } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { pageOf, type ListPage, type ListPosition } from './page.js'
import { ReplayRow } from './replay-row.js'

/** So many replays of one tenant may be unfinished. */
export const OPEN_REPLAYS = 100

/** The tenant has as many unfinished replays as it may. */
export class ReplaysFull extends Error {
  override readonly name = 'ReplaysFull'
}

/** The replay is over: nothing about it can change any more. */
export class ReplayEnded extends Error {
  override readonly name = 'ReplayEnded'

  constructor(readonly status: ReplayStatus) {
    super(status)
  }
}

export type NewReplay = Pick<ReplayRow, 'id' | 'tenant' | 'selection' | 'dryRun' | 'rate'>
export type ReplayChange = Partial<Pick<ReplayRow, 'status' | 'rate'>>

/** What a step of a replay came to, on top of what was saved before. */
export interface ReplayStep {
  readonly position: ReplayPosition
  readonly examined: number
  readonly matched: number
  readonly sent: number
  readonly skipped: number
}

/** What its worker has to know after a step; undefined when another one works on it now. */
export type ReplayOrders = Pick<ReplayRow, 'status' | 'rate'> | undefined

/** Replays as the API sees them, and as the processes that work on them do. */
export class Replays {
  constructor(private readonly database: Database) {}

  /** Throws ReplaysFull. */
  async insert(replay: NewReplay, audited: Audited<ReplayRow>): Promise<ReplayRow> {
    const now = new Date()
    const counts = { total: null, examined: 0, matched: 0, sent: 0, skipped: 0, failure: null }
    const times = { createdAt: now, updatedAt: now, finishedAt: null, claimedBy: null, claimedUntil: null }
    const row = Object.assign(new ReplayRow(), replay, counts, times, { status: 'queued', position: null })
    return this.database.manager.transaction(async tx => {
      // Two at once must not both find the last place.
      await tx.query('SELECT 1 FROM tenants WHERE id = $1 FOR UPDATE', [replay.tenant])
      const open = await tx.countBy(ReplayRow, { tenant: replay.tenant, finishedAt: IsNull() })
      if (open >= OPEN_REPLAYS) throw new ReplaysFull()
      await tx.insert(ReplayRow, row)
      await appendAudit(tx, audited(undefined, row))
      return row
    })
  }

  async get(tenant: string, id: string): Promise<ReplayRow | undefined> {
    return (await this.database.manager.findOneBy(ReplayRow, { tenant, id })) ?? undefined
  }

  /** Newest first. */
  list(
    tenant: string,
    { status, limit, after }: { status?: ReplayStatus; limit: number; after?: ListPosition },
  ): Promise<ListPage<ReplayRow>> {
    const query = this.database.manager.createQueryBuilder(ReplayRow, 'r').where('r.tenant = :tenant', { tenant })
    if (status !== undefined) query.andWhere('r.status = :status', { status })
    return pageOf(query, limit, after)
  }

  /** Undefined when there is no such replay. Throws ReplayEnded. */
  async change(
    tenant: string,
    id: string,
    decide: (row: ReplayRow) => ReplayChange,
    audited: Audited<ReplayRow>,
  ): Promise<ReplayRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await tx
        .createQueryBuilder(ReplayRow, 'r')
        .setLock('pessimistic_write')
        .where('r.tenant = :tenant AND r.id = :id', { tenant, id })
        .getOne()
      if (!row) return undefined
      if (!isReplayOpen(row.status)) throw new ReplayEnded(row.status)
      const change = decide(row)
      const now = new Date()
      const finishedAt = isReplayOpen(change.status ?? row.status) ? null : now
      const next = Object.assign(new ReplayRow(), row, change, { updatedAt: now, finishedAt })
      await tx.update(ReplayRow, { id }, { ...change, updatedAt: now, finishedAt })
      await appendAudit(tx, audited(row, next))
      return next
    })
  }

  /**
   * Takes a replay that nobody works on, for `leaseMs` from now; the tenant that has the fewest at
   * work comes first, then what has waited longest. Work goes on at the position that was saved. Undefined when there is none.
   */
  async claim(worker: string, leaseMs: number): Promise<ReplayRow | undefined> {
    const [claimed] = (await this.database.manager.query(CLAIM, [worker, leaseMs])) as [{ id: string }[], number]
    const [found] = claimed
    return found && ((await this.database.manager.findOneBy(ReplayRow, { id: found.id })) ?? undefined)
  }

  /** A replay as it was saved last, if it is still the worker's. */
  async own(id: string, worker: string): Promise<ReplayRow | undefined> {
    return (await this.database.manager.findOneBy(ReplayRow, { id, claimedBy: worker })) ?? undefined
  }

  /** Says that the worker is alive. */
  async renew(id: string, worker: string, leaseMs: number): Promise<void> {
    await this.database.manager.query(`UPDATE replays SET claimed_until = now() + ${LEASE} WHERE ${OWN}`, [
      id,
      worker,
      leaseMs,
    ])
  }

  /** Saves where a replay begins and what there is to look at. */
  async begin(id: string, worker: string, position: ReplayPosition, total: number): Promise<void> {
    await this.database.manager.query(`UPDATE replays SET position = $3, total = $4, updated_at = now() WHERE ${OWN}`, [
      id,
      worker,
      JSON.stringify(position),
      total,
    ])
  }

  /** Saves a step that Kafka has acknowledged, and says how to go on. */
  async advance(id: string, worker: string, leaseMs: number, step: ReplayStep): Promise<ReplayOrders> {
    const { position, examined, matched, sent, skipped } = step
    const values = [id, worker, leaseMs, JSON.stringify(position), examined, matched, sent, skipped]
    const [rows] = (await this.database.manager.query(ADVANCE, values)) as [NonNullable<ReplayOrders>[], number]
    return rows[0]
  }

  /** The end of the work on a replay that is still running. */
  async finish(id: string, worker: string, status: 'done' | 'failed', failure: string | null): Promise<void> {
    await this.database.manager.query(
      `UPDATE replays SET status = $3, failure = $4, claimed_by = NULL, claimed_until = NULL,
         updated_at = now(), finished_at = now() WHERE ${OWN} AND status = 'running'`,
      [id, worker, status, failure],
    )
  }

  /** Leaves a replay to whoever comes next. */
  async release(id: string, worker: string): Promise<void> {
    await this.database.manager.query(
      `UPDATE replays SET claimed_by = NULL, claimed_until = NULL, updated_at = now(),
         status = CASE WHEN status = 'running' THEN 'queued' ELSE status END WHERE ${OWN}`,
      [id, worker],
    )
  }

  /** Forgets replays that were finished before a time. */
  async sweep(before: Date): Promise<void> {
    await this.database.manager.query('DELETE FROM replays WHERE finished_at < $1', [before])
  }
}

const LEASE = `$3::integer * interval '1 millisecond'`
const OWN = 'id = $1 AND claimed_by = $2'

const CLAIM = `
  UPDATE replays SET status = 'running', claimed_by = $1, updated_at = now(),
         claimed_until = now() + $2::integer * interval '1 millisecond'
   WHERE id = (
     SELECT r.id FROM replays r
      WHERE r.finished_at IS NULL AND r.status IN ('queued', 'running')
        AND (r.claimed_until IS NULL OR r.claimed_until < now())
      ORDER BY (SELECT count(*) FROM replays o
                 WHERE o.tenant = r.tenant AND o.finished_at IS NULL AND o.claimed_until >= now()),
               r.updated_at
      LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id`

/** A worker whose claim has run out may still save, as long as nobody else has taken the replay. */
const ADVANCE = `
  UPDATE replays SET claimed_until = now() + ${LEASE}, updated_at = now(), position = $4,
         examined = examined + $5, matched = matched + $6, sent = sent + $7, skipped = skipped + $8
   WHERE ${OWN}
  RETURNING status, rate`
