import { In, IsNull, Not, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { KeyRow, TenantRow, WebhookRow, type TenantDeletion, type TenantQuotas } from './entities.js'
import { EventTypeRow, EventTypeVersionRow } from './event-type-row.js'
import { enqueue } from './outbox.js'
import { pageOf, type ListPosition, type ListPage } from './page.js'
import { changesNothing, requireVersion, saveRow } from './published-row.js'

/** There is no such tenant, or its data is being removed. */
export class TenantGone extends Error {
  override readonly name = 'TenantGone'
}

/** The id was given to a tenant before: ids are never given twice, not even after a deletion. */
export class TenantTaken extends Error {
  override readonly name = 'TenantTaken'
}

export type NewTenant = Pick<TenantRow, 'id' | 'description' | 'quotas' | 'unknownEventTypes'>
export type TenantChange = Partial<Pick<TenantRow, 'description' | 'quotas' | 'unknownEventTypes'>>

/** Rows removed in one transaction; locked, because a change that is under way may still give them a higher version. */
const LOCKED_BATCH = { take: 200, lock: { mode: 'pessimistic_write' } } as const
const HISTORY_BATCH = 2000
const HISTORY_REMOVALS = [
  `WITH batch AS (SELECT id, day FROM history_deliveries WHERE tenant = $1 LIMIT $2),
     attempts AS (DELETE FROM history_attempts a USING batch b WHERE a.delivery = b.id AND a.day = b.day RETURNING 1),
     deliveries AS (DELETE FROM history_deliveries d USING batch b WHERE d.id = b.id AND d.day = b.day RETURNING 1)
   SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM deliveries) AS count`,
  ...['history_events', 'history_counters', 'history_poison'].map(
    table => `WITH gone AS (DELETE FROM ${table} WHERE (tableoid, ctid) IN
       (SELECT tableoid, ctid FROM ${table} WHERE tenant = $1 LIMIT $2) RETURNING 1)
     SELECT count(*) AS count FROM gone`,
  ),
]

/** The tenants of the deployment. */
export class Tenants {
  constructor(private readonly database: Database) {}

  /** Throws TenantTaken. */
  async insert(tenant: NewTenant, audited: Audited<TenantRow>): Promise<TenantRow> {
    const now = new Date()
    const kept = { version: 1, status: 'active', deletion: null, createdAt: now, updatedAt: now }
    const row = Object.assign(new TenantRow(), tenant, kept)
    return this.database.manager.transaction(async tx => {
      const inserted = await tx
        .createQueryBuilder()
        .insert()
        .into(TenantRow)
        .values(row)
        .orIgnore()
        .returning('id')
        .execute()
      if ((inserted.raw as unknown[]).length === 0) throw new TenantTaken(row.id)
      await enqueue(tx, 'tenant', row.id)
      await appendAudit(tx, audited(undefined, row))
      return row
    })
  }

  async get(id: string): Promise<TenantRow | undefined> {
    return (await this.database.manager.findOneBy(TenantRow, { id })) ?? undefined
  }

  async exists(id: string): Promise<boolean> {
    return this.database.manager.existsBy(TenantRow, { id, status: 'active' })
  }

  /** Newest first. */
  async list(
    status: TenantRow['status'] | undefined,
    limit: number,
    after: ListPosition | undefined,
  ): Promise<ListPage<TenantRow>> {
    const query = this.database.manager.createQueryBuilder(TenantRow, 't')
    if (status !== undefined) query.where('t.status = :status', { status })
    return pageOf(query, limit, after)
  }

  /** Of an active tenant; undefined when there is none. Throws VersionConflict. */
  async change(
    id: string,
    wanted: number | undefined,
    decide: (row: TenantRow) => TenantChange,
    audited: Audited<TenantRow>,
  ): Promise<TenantRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockActive(tx, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const change = decide(row)
      if (changesNothing(row, change)) return row
      const next = await saveRow(tx, TenantRow, 'tenant', row, change)
      await appendAudit(tx, audited(row, next))
      return next
    })
  }

  /** Nothing is taken for it any more; what it had is removed by removeSome. Undefined when there is no such tenant. */
  async startDeletion(
    id: string,
    wanted: number | undefined,
    audited: Audited<TenantRow>,
  ): Promise<TenantRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockActive(tx, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const startedAt = new Date().toISOString()
      const deletion: TenantDeletion = { startedAt, finishedAt: null, webhooks: 0, keys: 0, historyRows: 0 }
      const next = await saveRow(tx, TenantRow, 'tenant', row, { status: 'deleting', deletion })
      await appendAudit(tx, audited(row, next))
      return next
    })
  }

  /** A tenant whose data is to be removed, if there is one. */
  async nextDeletion(): Promise<string | undefined> {
    return (await this.database.manager.findOneBy(TenantRow, { status: 'deleting' }))?.id
  }

  /**
   * Removes a bounded part of what a tenant had and notes the progress; false when nothing was
   * left, and the tenant is deleted. Two at once wait for each other, and a kill loses one part.
   */
  async removeSome(id: string): Promise<boolean> {
    return this.database.manager.transaction(async tx => {
      const row = await tx.findOne(TenantRow, {
        where: { id, status: 'deleting' },
        lock: { mode: 'pessimistic_write' },
      })
      if (!row?.deletion) return false
      const webhooks = await removeWebhooks(tx, id)
      const keys = webhooks > 0 ? 0 : await removeKeys(tx, id)
      const types = webhooks + keys > 0 ? 0 : await removeEventTypes(tx, id)
      const historyRows = webhooks + keys + types > 0 ? 0 : await removeHistory(tx, id)
      const removed = add(row.deletion, { webhooks, keys, historyRows })
      if (webhooks + keys + types + historyRows > 0) {
        await tx.update(TenantRow, { id }, { deletion: removed })
        return true
      }
      for (const statement of ALERT_REMOVALS) await tx.query(statement, [id])
      const deletion = { ...removed, finishedAt: new Date().toISOString() }
      await saveRow(tx, TenantRow, 'tenant', row, { status: 'deleted', deletion })
      return false
    })
  }
}

/** Keeps the tenant from being deleted until the transaction ends; its quotas. Throws TenantGone. */
export async function holdTenant(tx: EntityManager, id: string): Promise<TenantQuotas> {
  const where = { id, status: 'active' as const }
  const row = await tx.findOne(TenantRow, { where, lock: { mode: 'pessimistic_read' } })
  if (!row) throw new TenantGone(id)
  return row.quotas
}

/** Without a lock: what holds a webhook's row would wait for a deletion of its tenant, and that for the row. */
export async function quotasOf(tx: EntityManager, id: string): Promise<TenantQuotas> {
  return (await tx.findOneBy(TenantRow, { id }))?.quotas ?? {}
}

async function lockActive(tx: EntityManager, id: string): Promise<TenantRow | null> {
  return tx.findOne(TenantRow, { where: { id, status: 'active' }, lock: { mode: 'pessimistic_write' } })
}

function add(deletion: TenantDeletion, more: Pick<TenantDeletion, 'webhooks' | 'keys' | 'historyRows'>) {
  const { webhooks, keys, historyRows } = deletion
  return {
    ...deletion,
    webhooks: webhooks + more.webhooks,
    keys: keys + more.keys,
    historyRows: historyRows + more.historyRows,
  }
}

async function removeWebhooks(tx: EntityManager, tenant: string): Promise<number> {
  const rows = await tx.find(WebhookRow, { where: { tenant, status: Not('deleted') }, ...LOCKED_BATCH })
  const gone = {
    status: 'deleted',
    secrets: [],
    sealedHeaders: {},
    nextSecretEnd: null,
    deletedAt: new Date(),
  } as const
  for (const row of rows) await saveRow(tx, WebhookRow, 'webhook', row, gone)
  return rows.length
}

async function removeKeys(tx: EntityManager, tenant: string): Promise<number> {
  const rows = await tx.find(KeyRow, { where: { tenant, deletedAt: IsNull() }, ...LOCKED_BATCH })
  for (const row of rows) await saveRow(tx, KeyRow, 'key', row, { status: 'deleted', deletedAt: new Date() })
  return rows.length
}

async function removeEventTypes(tx: EntityManager, tenant: string): Promise<number> {
  const rows = await tx.find(EventTypeRow, { where: { tenant, deletedAt: IsNull() }, ...LOCKED_BATCH })
  const gone = { status: 'deleted', schema: null, schemaVersion: 0, example: null, deletedAt: new Date() } as const
  for (const row of rows) await saveRow(tx, EventTypeRow, 'event_type', row, gone)
  await tx.delete(EventTypeVersionRow, { eventType: In(rows.map(row => row.id)) })
  return rows.length
}

/** Few, or short-lived: all at once. */
const ALERT_REMOVALS = ['alerts', 'alert_settings', 'alert_signals', 'receiver_certificates'].map(
  table => `DELETE FROM ${table} WHERE tenant = $1`,
)

/** A part of the history, found by its indexes: deliveries with their attempts, then the rest. */
async function removeHistory(tx: EntityManager, tenant: string): Promise<number> {
  for (const statement of HISTORY_REMOVALS) {
    const [counted] = (await tx.query(statement, [tenant, HISTORY_BATCH])) as { count: string }[]
    if (counted!.count !== '0') return Number(counted!.count)
  }
  return 0
}
