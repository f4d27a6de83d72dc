import { countUnindexed, type FilterPattern, type WebhookStatus } from '@posthorn/webhook'
import { IsNull, LessThan, QueryFailedError, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { WebhookRow, type StoredSecret, type TenantQuotas } from './entities.js'
import { beginHealthAnew, raiseEnabled } from './health-reports.js'
import { enqueue } from './outbox.js'
import type { RunSql } from './own-events.js'
import { pageOf, type ListPosition, type ListPage } from './page.js'
import { changesNothing, requireVersion, saveRow } from './published-row.js'
import { holdTenant, quotasOf } from './tenants.js'
import { conditionsOf, type WebhookCondition } from './webhook-condition.js'

export interface WebhookFilter {
  readonly status?: WebhookStatus
  readonly uid?: string
  /** Only webhooks that name one of these types and patterns. */
  readonly anyOf?: readonly string[]
  /** Rows of one page, from 1. */
  readonly limit: number
  readonly after?: ListPosition
}

type Kept =
  | 'protections'
  | 'version'
  | 'createdAt'
  | 'updatedAt'
  | 'deletedAt'
  | 'nextSecretEnd'
  | 'activeSince'
  | 'disabledReason'
  | 'ownership'
  | 'verifyAt'
export type NewWebhook = Omit<WebhookRow, Kept>
type Changeable =
  | 'url'
  | 'method'
  | 'ordering'
  | 'sealedHeaders'
  | 'events'
  | 'filter'
  | 'format'
  | 'description'
  | 'metadata'
  | 'retryPolicy'
  | 'rateLimit'
  | 'maxConcurrency'
  | 'allowedCidrs'
  | 'deniedCidrs'
  | 'minTlsVersion'
  | 'encryption'
  | 'authentication'
  | 'signing'
  | 'tls'
  | 'sendTraceparent'
  | 'disableAfterSeconds'
  | 'status'
  | 'secrets'
  | 'uid'
/** What a customer may change; a reason and the receiver's consent come from elsewhere. */
export type WebhookChange = Partial<Pick<WebhookRow, Changeable | 'disabledReason' | 'ownership'>>

/** What else is to happen in the transaction that changes a row. */
export type Alongside = (run: RunSql, before: WebhookRow, after: WebhookRow) => Promise<void>

/** Another webhook of the tenant has this uid. */
export class UidTaken extends Error {
  override readonly name = 'UidTaken'
}

/** The tenant has as many webhooks, or filters without an exact value, as it may. */
export class QuotaReached extends Error {
  override readonly name = 'QuotaReached'

  constructor(
    readonly of: 'webhooks' | 'unindexedFilters',
    readonly quota: number,
  ) {
    super(`at most ${quota} ${of}`)
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
    const kept = { version: 1, createdAt: now, updatedAt: now, deletedAt: null, activeSince: now, disabledReason: null }
    const unasked = { ownership: null, verifyAt: webhook.status === 'pending' ? now : null }
    const row = Object.assign(new WebhookRow(), webhook, kept, unasked, { nextSecretEnd: nextEnd(webhook.secrets) })
    return this.changing(async tx => {
      const quotas = await holdTenant(tx, row.tenant)
      await requireRoom(tx, row.tenant, quotas)
      if (isUnindexed(row.filter)) await requireFilterRoom(tx, row.tenant, quotas)
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

  /** How each of these rows does now. */
  conditions(rows: readonly WebhookRow[]): Promise<(row: WebhookRow) => WebhookCondition> {
    return conditionsOf(this.database.manager, rows)
  }

  /**
   * Applies what `decide` makes of the current row, which is locked meanwhile; nothing changed is no
   * new version. Undefined when there is no such webhook. Throws VersionConflict, UidTaken, QuotaReached.
   */
  async change(
    tenant: string,
    id: string,
    wanted: number | undefined,
    decide: (row: WebhookRow) => WebhookChange,
    audited: Audited<WebhookRow>,
    alongside?: Alongside,
  ): Promise<WebhookRow | undefined> {
    return this.changing(async tx => {
      const row = await lockWebhook(tx, tenant, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const change = decide(row)
      if (changesNothing(row, change)) return row
      // One unindexed filter in place of another is none more, also where the quota was lowered meanwhile.
      if (isUnindexed(change.filter ?? null) && !isUnindexed(row.filter))
        await requireFilterRoom(tx, tenant, await quotasOf(tx, tenant))
      const ends = change.secrets === undefined ? {} : { nextSecretEnd: nextEnd(change.secrets) }
      const next = await saveRow(tx, WebhookRow, 'webhook', row, { ...change, ...ends, ...activityAfter(row, change) })
      if (next.activeSince !== row.activeSince) await beginAnew(tx, row, next)
      await appendAudit(tx, audited(row, next))
      await alongside?.((text, values) => tx.query(text, values as unknown[]), row, next)
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
      const gone = {
        secrets: [],
        sealedHeaders: {},
        authentication: null,
        tls: null,
        nextSecretEnd: null,
        verifyAt: null,
        deletedAt: new Date(),
      }
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

/** Becoming active, or another URL, begins anew; a person who disables it needs no reason. */
function activityAfter(
  row: WebhookRow,
  { url = row.url, status = row.status, disabledReason = null }: WebhookChange,
): Partial<WebhookRow> {
  const enabled = status === 'active' && row.status !== 'active'
  const moved = url !== row.url
  return {
    ...(enabled || moved ? { activeSince: new Date() } : {}),
    ...(status === row.status ? {} : { disabledReason }),
    // The receiver at another URL has agreed to nothing.
    ...(moved ? { ownership: null } : {}),
    ...(moved || status !== row.status ? { verifyAt: status === 'pending' ? new Date() : null } : {}),
  }
}

async function beginAnew(tx: EntityManager, before: WebhookRow, next: WebhookRow): Promise<void> {
  await beginHealthAnew(tx, next.id)
  if (before.disabledReason?.rule === 'failing' && next.status === 'active') await raiseEnabled(tx, next)
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
  await lockCount(tx, tenant)
  const count = await tx.countBy(WebhookRow, { tenant, deletedAt: IsNull() })
  if (count >= webhooks) throw new QuotaReached('webhooks', webhooks)
}

/** Filters are compiled to be counted: this many in one go hold the process for some ms. */
const FILTERS_COUNTED = 500

/** For a webhook that is about to get a filter without an exact value; they, too, pass one by one. */
async function requireFilterRoom(tx: EntityManager, tenant: string, { unindexedFilters }: TenantQuotas): Promise<void> {
  if (unindexedFilters === undefined || unindexedFilters === null) return
  await lockCount(tx, tenant)
  const page = tx
    .createQueryBuilder(WebhookRow, 'w')
    .select(['w.id', 'w.filter'])
    .where('w.tenant = :tenant AND w.deleted_at IS NULL AND w.filter IS NOT NULL', { tenant })
    .orderBy('w.id')
    .limit(FILTERS_COUNTED)
  let count = 0
  for (let rows = await page.getMany(); ; rows = await page.getMany()) {
    count += countUnindexed(rows.map(({ filter }) => filter as FilterPattern))
    if (count >= unindexedFilters) throw new QuotaReached('unindexedFilters', unindexedFilters)
    if (rows.length < FILTERS_COUNTED) return
    page.andWhere('w.id > :after', { after: rows.at(-1)!.id })
  }
}

async function lockCount(tx: EntityManager, tenant: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`webhooks of ${tenant}`])
}

function isUnindexed(filter: object | null): boolean {
  return filter !== null && countUnindexed([filter as FilterPattern]) > 0
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
