import type { WebhookStatus } from '@posthorn/webhook'
import { IsNull, type EntityManager } from 'typeorm'
import type { Database } from './data-source.js'
import { TenantRow, WebhookRow } from './entities.js'
import { enqueue } from './outbox.js'

/** A place in the list: the last row of the page before. */
export interface ListPosition {
  readonly createdAt: Date
  readonly id: string
}

export interface WebhookPage {
  readonly rows: readonly WebhookRow[]
  /** Where the next page starts; undefined on the last one. */
  readonly next?: ListPosition
}

export interface WebhookFilter {
  readonly status?: WebhookStatus
  /** Rows of one page, from 1. */
  readonly limit: number
  readonly after?: ListPosition
}

export type NewWebhook = Omit<WebhookRow, 'version' | 'createdAt' | 'updatedAt' | 'deletedAt'>
/** What a customer may change. */
export type WebhookChange = Partial<
  Pick<WebhookRow, 'url' | 'events' | 'description' | 'metadata' | 'retryPolicy' | 'status' | 'sealedSecrets'>
>

/**
 * The webhooks of one tenant at a time: another tenant's id is as unknown as one that never was.
 * Every change writes its outbox row in the same transaction, so that none is published without
 * having happened, and none happens without being published.
 */
export class Webhooks {
  constructor(private readonly database: Database) {}

  async insert(webhook: NewWebhook): Promise<WebhookRow> {
    const now = new Date()
    const row = Object.assign(new WebhookRow(), webhook, {
      version: 1,
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
    })
    return this.database.manager.transaction(async tx => {
      await tx.insert(WebhookRow, row)
      await enqueue(tx, 'webhook', row.id)
      return row
    })
  }

  async get(tenant: string, id: string): Promise<WebhookRow | undefined> {
    return (await this.database.manager.findOneBy(WebhookRow, { tenant, id, deletedAt: IsNull() })) ?? undefined
  }

  /** Newest first. */
  async list(tenant: string, { status, limit, after }: WebhookFilter): Promise<WebhookPage> {
    const query = this.database.manager
      .createQueryBuilder(WebhookRow, 'w')
      .where('w.tenant = :tenant AND w.deleted_at IS NULL', { tenant })
      .orderBy({ 'w.createdAt': 'DESC', 'w.id': 'DESC' })
      .limit(limit + 1)
    if (status !== undefined) query.andWhere('w.status = :status', { status })
    if (after) query.andWhere('(w.created_at, w.id) < (:createdAt, :id)', { createdAt: after.createdAt, id: after.id })
    const rows = await query.getMany()
    const last = rows[limit - 1]
    if (rows.length <= limit || !last) return { rows }
    return { rows: rows.slice(0, limit), next: { createdAt: last.createdAt, id: last.id } }
  }

  /** Applies what `decide` makes of the current row, which is locked meanwhile; nothing changed is no new version. */
  async change(
    tenant: string,
    id: string,
    decide: (row: WebhookRow) => WebhookChange,
  ): Promise<WebhookRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockWebhook(tx, tenant, id)
      if (!row) return undefined
      const before = JSON.stringify(row)
      const change = decide(row)
      if (JSON.stringify({ ...row, ...change }) === before) return row
      return save(tx, row, change)
    })
  }

  /** As it was left; undefined when there is no such webhook. Its secrets are forgotten at once. */
  async remove(tenant: string, id: string): Promise<WebhookRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockWebhook(tx, tenant, id)
      return row ? save(tx, row, { status: 'deleted', sealedSecrets: [], deletedAt: new Date() }) : undefined
    })
  }

  async tenantExists(tenant: string): Promise<boolean> {
    return this.database.manager.existsBy(TenantRow, { id: tenant, status: 'active' })
  }
}

async function lockWebhook(tx: EntityManager, tenant: string, id: string): Promise<WebhookRow | null> {
  return tx
    .createQueryBuilder(WebhookRow, 'w')
    .setLock('pessimistic_write')
    .where('w.tenant = :tenant AND w.id = :id AND w.deleted_at IS NULL', { tenant, id })
    .getOne()
}

async function save(tx: EntityManager, row: WebhookRow, change: Partial<WebhookRow>): Promise<WebhookRow> {
  const next = { ...change, version: row.version + 1, updatedAt: new Date() }
  await tx.update(WebhookRow, { id: row.id }, next)
  await enqueue(tx, 'webhook', row.id)
  return Object.assign(row, next)
}
