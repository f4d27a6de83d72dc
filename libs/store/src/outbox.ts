import type { EventTypeDocument, KeyDocument, Tenant } from '@posthorn/topics'
import type { Source, Webhook } from '@posthorn/webhook'
import { In, LessThan, MoreThan, type EntityManager, type EntityTarget, type FindManyOptions } from 'typeorm'
import type { Database } from './data-source.js'
import { KeyRow, keyDocument, OutboxRow, TenantRow, tenantDocument, webhookDocument, WebhookRow } from './entities.js'
import { eventTypeDocument, EventTypeRow } from './event-type-row.js'
import { sourceDocument, SourceRow } from './source-row.js'

export const OUTBOX_CHANNEL = 'posthorn_outbox'

/** What each kind of change is published as. */
export interface Documents {
  webhook: Webhook
  tenant: Tenant
  key: KeyDocument
  source: Source
  event_type: EventTypeDocument
}
export type OutboxKind = keyof Documents

/** A document as it has to stand last on its topic. */
export type Publication = { [K in OutboxKind]: { readonly kind: K; readonly document: Documents[K] } }[OutboxKind]

interface VersionedRow {
  readonly id: string
  readonly version: number
}

interface PublishedTable<K extends OutboxKind> {
  readonly entity: EntityTarget<VersionedRow>
  /** The row as its topic carries it. */
  readonly document: (row: never) => Documents[K]
  /** Whether deleted rows stay, with `deleted_at`, until their tombstones are due. */
  readonly swept: boolean
  /** What is compared with the topic beside the version. */
  readonly compared?: { readonly protections: true }
}

const TABLES: { readonly [K in OutboxKind]: PublishedTable<K> } = {
  webhook: { entity: WebhookRow, document: webhookDocument, swept: true, compared: { protections: true } },
  // An id of a tenant is never given again: its row stays.
  tenant: { entity: TenantRow, document: tenantDocument, swept: false },
  key: { entity: KeyRow, document: keyDocument, swept: true },
  source: { entity: SourceRow, document: sourceDocument, swept: true },
  event_type: { entity: EventTypeRow, document: eventTypeDocument, swept: true },
}
export const OUTBOX_KINDS = Object.keys(TABLES) as OutboxKind[]
export const SWEPT_KINDS = OUTBOX_KINDS.filter(kind => TABLES[kind].swept)

/** Within the caller's transaction: the document of `subject` has to be published again. */
export async function enqueue(tx: EntityManager, kind: OutboxKind, subject: string): Promise<void> {
  await tx.insert(OutboxRow, { kind, subject })
  await tx.query('SELECT pg_notify($1, $2)', [OUTBOX_CHANNEL, ''])
}

export interface OutboxBatch {
  readonly publications: readonly Publication[]
  /** The outbox rows that are served once all of these are acknowledged. */
  readonly rows: readonly string[]
}

/** The version that a row of a table has now, and whether it waits in the outbox. */
export interface RowVersion extends VersionedRow {
  readonly pending: boolean
  /** Of a webhook: what protects its requests. */
  readonly protections?: string
}

/** What the relay needs of the tables. */
export class Outbox {
  constructor(private readonly database: Database) {}

  /** The oldest rows and the CURRENT documents of what they name, each once: read after the rows, so never older. */
  async read(limit: number): Promise<OutboxBatch> {
    const rows = await this.database.manager.find(OutboxRow, {
      where: { kind: In(OUTBOX_KINDS) },
      order: { seq: 'ASC' },
      take: limit,
    })
    const publications: Publication[] = []
    for (const kind of OUTBOX_KINDS) {
      const named = rows.filter(row => row.kind === kind).map(row => row.subject)
      if (named.length > 0) publications.push(...(await this.current(kind, [...new Set(named)])))
    }
    return { rows: rows.map(row => row.seq), publications }
  }

  /** Forgets rows whose documents are acknowledged; rows written meanwhile have other numbers and stay. */
  async remove(rows: readonly string[]): Promise<void> {
    await this.database.manager.delete(OutboxRow, { seq: In(rows) })
  }

  /** A page of the table by id, for comparing it with its topic. */
  async versions(kind: OutboxKind, after: string, limit: number): Promise<RowVersion[]> {
    return this.find(kind, { where: { id: MoreThan(after) }, order: { id: 'ASC' }, take: limit })
  }

  /** The same of some rows alone. */
  async versionsOf(kind: OutboxKind, ids: readonly string[]): Promise<RowVersion[]> {
    return this.find(kind, { where: { id: In(ids) } })
  }

  /** Gives a row a version above `above` and has it published again, unless it was changed since `version` was read. */
  async republish(kind: OutboxKind, { id, version }: RowVersion, above: number): Promise<boolean> {
    return this.database.manager.transaction(async tx => {
      const next = Math.max(version, above) + 1
      const { affected } = await tx.update(TABLES[kind].entity, { id, version }, { version: next })
      if (affected !== 1) return false
      await enqueue(tx, kind, id)
      return true
    })
  }

  /** Ids of what was deleted before a time: their tombstones are due. */
  async deletedBefore(kind: OutboxKind, time: Date, limit: number): Promise<string[]> {
    const where: FindManyOptions<VersionedRow & { deletedAt: Date }>['where'] = { deletedAt: LessThan(time) }
    const found = await this.database.manager.find(TABLES[kind].entity, { select: { id: true }, where, take: limit })
    return found.map(row => row.id)
  }

  /** Forgets what was deleted and whose tombstones are acknowledged. */
  async purge(kind: OutboxKind, ids: readonly string[]): Promise<void> {
    await this.database.manager.delete(TABLES[kind].entity, { id: In(ids) })
  }

  private async current(kind: OutboxKind, ids: readonly string[]): Promise<Publication[]> {
    const { entity, document } = TABLES[kind]
    const rows = await this.database.manager.findBy(entity, { id: In(ids) })
    // The table of the kind gives rows of the kind, which TypeScript cannot follow through a union.
    return rows.map(row => ({ kind, document: document(row as never) }) as Publication)
  }

  private async find(kind: OutboxKind, options: FindManyOptions<VersionedRow>): Promise<RowVersion[]> {
    const { manager } = this.database
    const select = { id: true, version: true, ...TABLES[kind].compared }
    const found: Omit<RowVersion, 'pending'>[] = await manager.find(TABLES[kind].entity, { select, ...options })
    const waiting = await manager.findBy(OutboxRow, { kind, subject: In(found.map(row => row.id)) })
    const pending = new Set(waiting.map(row => row.subject))
    return found.map(({ id, version, protections }) => ({
      id,
      version,
      pending: pending.has(id),
      ...(protections === undefined ? {} : { protections }),
    }))
  }
}
