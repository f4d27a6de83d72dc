import type { WebhookStatus } from '@posthorn/webhook'
import { IsNull, LessThan, QueryFailedError, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { WebhookRow, type StoredSecret, type TenantQuotas } from './entities.js'
import { enqueue } from './outbox.js'
import { pageOf, type ListPosition, type ListPage } from './page.js'
import { changesNothing, requireVersion, saveRow } from './published-row.js'
import { holdTenant } from './tenants.js'

export interface WebhookFilter {
  readonly status?: WebhookStatus
  readonly uid?: string
  /** Only webhooks that name one of these types and patterns. */
  readonly anyOf?: readonly string[]
  /** Rows of one page, from 1. */
  readonly limit: number
  readonly after?: ListPosition
}

export type NewWebhook = Omit<WebhookRow, 'version' | 'createdAt' | 'updatedAt' | 'deletedAt' | 'nextSecretEnd'>
type Changeable =
  | 'url'
  | 'method'
  | 'sealedHeaders'
  | 'events'
  | 'filter'
  | 'description'
  | 'metadata'
  | 'retryPolicy'
  | 'status'
  | 'secrets'
  | 'uid'
/** What a customer may change. */
export type WebhookChange = Partial<Pick<WebhookRow, Changeable>>

/** Another webhook of the tenant has this uid. */
export class UidTaken extends Error {
  override readonly name = 'UidTaken'
}

/** The tenant has as many webhooks as it may. */
export class QuotaReached extends Error {
  override readonly name = 'QuotaReached'

  constructor(readonly quota: number) {
    super(`at most ${quota} webhooks`)
  }
}

/**
 * The webhooks of one tenant at a time: another tenant's id is as unknown as one that never was.
 * Every change writes its outbox row and its audit entry in the same transaction, so that none is
 * published or recorded without having happened, and none happens without being so.
 */
export class Webhooks {
  constructor(private readonly database: Database) {}

  /** Throws TenantGone, QuotaReached, UidTaken. */
  async insert(webhook: NewWebhook, audited: Audited<WebhookRow>): Promise<WebhookRow> {
    const now = new Date()
    const kept = { version: 1, createdAt: now, updatedAt: now, deletedAt: null }
    const row = Object.assign(new WebhookRow(), webhook, kept, { nextSecretEnd: nextEnd(webhook.secrets) })
    return this.changing(async tx => {
      await requireRoom(tx, row.tenant, await holdTenant(tx, row.tenant))
      await tx.insert(WebhookRow, row)
      await enqueue(tx, 'webhook', row.id)
      await appendAudit(tx, audited(undefined, row))
      return row
    })
  }

  async get(tenant: string, id: string): Promise<WebhookRow | undefined> {
    return (await this.database.manager.findOneBy(WebhookRow, { tenant, id, deletedAt: IsNull() })) ?? undefined
  }

  async byUid(tenant: string, uid: string): Promise<WebhookRow | undefined> {
    return (await this.database.manager.findOneBy(WebhookRow, { tenant, uid, deletedAt: IsNull() })) ?? undefined
  }

  /** Newest first. */
  async list(tenant: string, { status, uid, anyOf, limit, after }: WebhookFilter): Promise<ListPage<WebhookRow>> {
    const query = this.database.manager
      .createQueryBuilder(WebhookRow, 'w')
      .where('w.tenant = :tenant AND w.deleted_at IS NULL', { tenant })
    if (status !== undefined) query.andWhere('w.status = :status', { status })
    if (uid !== undefined) query.andWhere('w.uid = :uid', { uid })
    if (anyOf !== undefined) query.andWhere('w.events && :anyOf::text[]', { anyOf })
    return pageOf(query, limit, after)
  }

  /**
   * Applies what `decide` makes of the current row, which is locked meanwhile; nothing changed is no
   * new version. Undefined when there is no such webhook. Throws VersionConflict, UidTaken.
   */
  async change(
    tenant: string,
    id: string,
    wanted: number | undefined,
    decide: (row: WebhookRow) => WebhookChange,
    audited: Audited<WebhookRow>,
  ): Promise<WebhookRow | undefined> {
    return this.changing(async tx => {
      const row = await lockWebhook(tx, tenant, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const change = decide(row)
      if (changesNothing(row, change)) return row
      const ends = change.secrets === undefined ? {} : { nextSecretEnd: nextEnd(change.secrets) }
      const next = await saveRow(tx, WebhookRow, 'webhook', row, { ...change, ...ends })
      await appendAudit(tx, audited(row, next))
      return next
    })
  }

  /** As it was left; undefined when there is no such webhook. Its secrets are forgotten at once. */
  async remove(
    tenant: string,
    id: string,
    wanted: number | undefined,
    audited: Audited<WebhookRow>,
  ): Promise<WebhookRow | undefined> {
    return this.changing(async tx => {
      const row = await lockWebhook(tx, tenant, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const gone = { secrets: [], sealedHeaders: {}, nextSecretEnd: null, deletedAt: new Date() }
      const next = await saveRow(tx, WebhookRow, 'webhook', row, { ...gone, status: 'deleted' })
      await appendAudit(tx, audited(row, undefined))
      return next
    })
  }

  /** Takes away the secrets whose overlap is over: at most `limit` webhooks; resolves with how many there were. */
  async endSecrets(now: Date, limit: number): Promise<number> {
    const due = await this.database.manager.find(WebhookRow, {
      where: { nextSecretEnd: LessThan(now), deletedAt: IsNull() },
      take: limit,
    })
    for (const { tenant, id } of due)
      await this.changing(async tx => {
        const row = await lockWebhook(tx, tenant, id)
        const secrets = row?.secrets.filter(({ expiresAt }) => expiresAt === null || new Date(expiresAt) > now)
        if (!row || !secrets || secrets.length === row.secrets.length) return
        await saveRow(tx, WebhookRow, 'webhook', row, { secrets, nextSecretEnd: nextEnd(secrets) })
      })
    return due.length
  }

  private async changing<T>(run: (tx: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.database.manager.transaction(run)
    } catch (error) {
      throw isUidTaken(error) ? new UidTaken() : error
    }
  }
}

async function lockWebhook(tx: EntityManager, tenant: string, id: string): Promise<WebhookRow | null> {
  return tx
    .createQueryBuilder(WebhookRow, 'w')
    .setLock('pessimistic_write')
    .where('w.tenant = :tenant AND w.id = :id AND w.deleted_at IS NULL', { tenant, id })
    .getOne()
}

/** Creations of one tenant pass one by one where they are counted. */
async function requireRoom(tx: EntityManager, tenant: string, { webhooks }: TenantQuotas): Promise<void> {
  if (webhooks === undefined || webhooks === null) return
  await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`webhooks of ${tenant}`])
  const count = await tx.countBy(WebhookRow, { tenant, deletedAt: IsNull() })
  if (count >= webhooks) throw new QuotaReached(webhooks)
}

function nextEnd(secrets: readonly StoredSecret[]): Date | null {
  const ends = secrets.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [Date.parse(expiresAt)]))
  return ends.length === 0 ? null : new Date(Math.min(...ends))
}

const UNIQUE_VIOLATION = '23505'

function isUidTaken(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false
  const { code, constraint } = error.driverError as { code?: string; constraint?: string }
  return code === UNIQUE_VIOLATION && constraint === 'webhooks_uid'
}
