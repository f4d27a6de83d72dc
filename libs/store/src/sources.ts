import { IsNull, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { enqueue } from './outbox.js'
import { pageOf, type ListPage, type ListPosition } from './page.js'
import { changesNothing, requireVersion, saveRow } from './published-row.js'
import { SourceRow } from './source-row.js'

export type NewSource = Pick<SourceRow, 'id' | 'definition'>
export type SourceChange = Partial<Pick<SourceRow, 'definition' | 'status' | 'since'>>

/** The sources of the platform: a source may name the tenant of each of its records, so it belongs to none. */
export class Sources {
  constructor(private readonly database: Database) {}

  async insert(source: NewSource, audited: Audited<SourceRow>): Promise<SourceRow> {
    const now = new Date()
    const kept = { version: 1, status: 'active', since: now, createdAt: now, updatedAt: now, deletedAt: null }
    const row = Object.assign(new SourceRow(), source, kept)
    return this.database.manager.transaction(async tx => {
      await tx.insert(SourceRow, row)
      await enqueue(tx, 'source', row.id)
      await appendAudit(tx, audited(undefined, row))
      return row
    })
  }

  async get(id: string): Promise<SourceRow | undefined> {
    return (await this.database.manager.findOneBy(SourceRow, { id, deletedAt: IsNull() })) ?? undefined
  }

  /** Newest first. */
  async list(limit: number, after: ListPosition | undefined): Promise<ListPage<SourceRow>> {
    const query = this.database.manager.createQueryBuilder(SourceRow, 's').where('s.deleted_at IS NULL')
    return pageOf(query, limit, after)
  }

  /**
   * Applies what `decide` makes of the current row, which is locked meanwhile; nothing changed is no
   * new version. Undefined when there is no such source. Throws VersionConflict.
   */
  async change(
    id: string,
    wanted: number | undefined,
    decide: (row: SourceRow) => SourceChange,
    audited: Audited<SourceRow>,
  ): Promise<SourceRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockSource(tx, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const change = decide(row)
      if (changesNothing(row, change)) return row
      const next = await saveRow(tx, SourceRow, 'source', row, change)
      await appendAudit(tx, audited(row, next))
      return next
    })
  }

  /** As it was left; undefined when there is no such source. Throws VersionConflict. */
  async remove(id: string, wanted: number | undefined, audited: Audited<SourceRow>): Promise<SourceRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await lockSource(tx, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const next = await saveRow(tx, SourceRow, 'source', row, { status: 'deleted', deletedAt: new Date() })
      await appendAudit(tx, audited(row, undefined))
      return next
    })
  }
}

async function lockSource(tx: EntityManager, id: string): Promise<SourceRow | null> {
  return tx
    .createQueryBuilder(SourceRow, 's')
    .setLock('pessimistic_write')
    .where('s.id = :id AND s.deleted_at IS NULL', { id })
    .getOne()
}
