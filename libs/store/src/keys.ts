import { IsNull, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { KeyRow } from './entities.js'
import { enqueue } from './outbox.js'
import { saveRow } from './published-row.js'
import { holdTenant } from './tenants.js'
import { pageOf, type ListPosition, type ListPage } from './page.js'

export type NewKey = Pick<KeyRow, 'id' | 'tenant' | 'name' | 'hash' | 'prefix' | 'roles' | 'allowedIps' | 'expiresAt'>

/** Whose keys: of one tenant, or null: of the platform. */
export type KeyOwner = string | null

/** Last use is written once in this time and key, so that a busy key does not become a busy row. */
const TOUCH_EVERY_MS = 60_000

/** The keys of one owner at a time. A deleted key is kept until its tombstone, so that all who check it are told. */
export class Keys {
  constructor(private readonly database: Database) {}

  /** Throws TenantGone. */
  async insert(key: NewKey, audited: Audited<KeyRow>): Promise<KeyRow> {
    const now = new Date()
    const kept = { version: 1, status: 'active', createdAt: now, updatedAt: now, lastUsedAt: null, deletedAt: null }
    const row = Object.assign(new KeyRow(), key, kept)
    return this.database.manager.transaction(async tx => {
      if (row.tenant !== null) await holdTenant(tx, row.tenant)
      await tx.insert(KeyRow, row)
      await enqueue(tx, 'key', row.id)
      await appendAudit(tx, audited(undefined, row))
      return row
    })
  }

  async get(owner: KeyOwner, id: string): Promise<KeyRow | undefined> {
    const where = { id, tenant: owner ?? IsNull(), deletedAt: IsNull() }
    return (await this.database.manager.findOneBy(KeyRow, where)) ?? undefined
  }

  /** Newest first. */
  async list(owner: KeyOwner, limit: number, after: ListPosition | undefined): Promise<ListPage<KeyRow>> {
    const query = this.database.manager
      .createQueryBuilder(KeyRow, 'k')
      .where('k.deleted_at IS NULL')
      .andWhere(owner === null ? 'k.tenant IS NULL' : 'k.tenant = :owner', { owner })
    return pageOf(query, limit, after)
  }

  /** The key with this SHA-256 in hex, whoever has it. */
  async byHash(hash: string): Promise<KeyRow | undefined> {
    return (await this.database.manager.findOneBy(KeyRow, { hash, deletedAt: IsNull() })) ?? undefined
  }

  /** Notes that it was used, unless the row says that this was done a moment ago. */
  async touch({ id, lastUsedAt }: Pick<KeyRow, 'id' | 'lastUsedAt'>): Promise<void> {
    if (lastUsedAt !== null && Date.now() - lastUsedAt.getTime() < TOUCH_EVERY_MS) return
    await this.database.manager.query(
      `UPDATE keys SET last_used_at = date_trunc('minute', now())
       WHERE id = $1 AND last_used_at IS NOT DISTINCT FROM $2`,
      [id, lastUsedAt],
    )
  }

  /** The same key with another secret; the old one ends at once. */
  async rotate(
    owner: KeyOwner,
    id: string,
    secret: Pick<KeyRow, 'hash' | 'prefix'>,
    audited: Audited<KeyRow>,
  ): Promise<KeyRow | undefined> {
    return this.change(owner, id, secret, audited)
  }

  /** Ends it at once; undefined when there is no such key. */
  async remove(owner: KeyOwner, id: string, audited: Audited<KeyRow>): Promise<KeyRow | undefined> {
    return this.change(owner, id, { status: 'deleted', deletedAt: new Date() }, audited)
  }

  private async change(
    owner: KeyOwner,
    id: string,
    change: Partial<KeyRow>,
    audited: Audited<KeyRow>,
  ): Promise<KeyRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockKey(tx, owner, id)
      if (!row) return undefined
      const next = await saveRow(tx, KeyRow, 'key', row, change)
      await appendAudit(tx, audited(row, next.deletedAt ? undefined : next))
      return next
    })
  }
}

async function lockKey(tx: EntityManager, owner: KeyOwner, id: string): Promise<KeyRow | null> {
  return tx
    .createQueryBuilder(KeyRow, 'k')
    .setLock('pessimistic_write')
    .where('k.id = :id AND k.deleted_at IS NULL', { id })
    .andWhere(owner === null ? 'k.tenant IS NULL' : 'k.tenant = :owner', { owner })
    .getOne()
}
