import { IsNull, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { KeyRow } from './entities.js'
import { enqueue } from './outbox.js'
import { changesNothing, requireVersion, saveRow } from './published-row.js'
import { holdTenant } from './tenants.js'
import { pageOf, type ListPosition, type ListPage } from './page.js'

/** What a key is known by: the hash of what is sent, or the sealed secret of one that signs. */
export type KeySecret = Pick<KeyRow, 'hash' | 'sealedSecret' | 'prefix'>
export type NewKey = KeySecret & Pick<KeyRow, 'id' | 'tenant' | 'name' | 'roles' | 'allowedIps' | 'expiresAt'>
export type KeyChange = Partial<Pick<KeyRow, 'name' | 'allowedIps' | 'expiresAt'>>

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
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < date_trunc('minute', now()))`,
      [id],
    )
  }

  /**
   * Notes the uses that another service saw: never an earlier one over a later one, and none in the future, where a
   * clock is wrong. Resolves with the ids of keys that there are no more.
   */
  async noteUses(uses: readonly { readonly id: string; readonly at: Date }[]): Promise<readonly string[]> {
    const ids = uses.map(({ id }) => id)
    // Locked by id: two registries that note the same at once wait for each other in one order.
    await this.database.manager.query(
      `WITH later AS (
         SELECT k.id, u.at
         FROM keys k JOIN (
           SELECT id, least(at, date_trunc('minute', now())) AS at FROM unnest($1::text[], $2::timestamptz[]) AS t(id, at)
         ) u ON u.id = k.id
         WHERE k.last_used_at IS NULL OR k.last_used_at < u.at
         ORDER BY k.id FOR UPDATE OF k
       )
       UPDATE keys SET last_used_at = later.at FROM later WHERE keys.id = later.id`,
      [ids, uses.map(({ at }) => at)],
    )
    const gone: { readonly id: string }[] = await this.database.manager.query(
      'SELECT id FROM unnest($1::text[]) AS u(id) WHERE NOT EXISTS (SELECT 1 FROM keys k WHERE k.id = u.id)',
      [ids],
    )
    return gone.map(({ id }) => id)
  }

  /** The same key with another secret; the old one ends at once. */
  async rotate(
    owner: KeyOwner,
    id: string,
    secretFor: (row: KeyRow) => KeySecret,
    audited: Audited<KeyRow>,
  ): Promise<KeyRow | undefined> {
    return this.change(owner, id, undefined, secretFor, audited)
  }

  /** Throws VersionConflict. */
  async update(
    owner: KeyOwner,
    id: string,
    version: number | undefined,
    change: KeyChange,
    audited: Audited<KeyRow>,
  ): Promise<KeyRow | undefined> {
    return this.change(owner, id, version, () => change, audited)
  }

  /** Ends it at once; undefined when there is no such key. */
  async remove(owner: KeyOwner, id: string, audited: Audited<KeyRow>): Promise<KeyRow | undefined> {
    return this.change(owner, id, undefined, () => ({ status: 'deleted', deletedAt: new Date() }), audited)
  }

  private async change(
    owner: KeyOwner,
    id: string,
    version: number | undefined,
    decide: (row: KeyRow) => Partial<KeyRow>,
    audited: Audited<KeyRow>,
  ): Promise<KeyRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockKey(tx, owner, id)
      if (!row) return undefined
      requireVersion(row, version)
      const change = decide(row)
      if (changesNothing(row, change)) return row
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
