import type { Tenant } from '@posthorn/topics'
import type { Webhook } from '@posthorn/webhook'
import { In, LessThan, MoreThan, type EntityManager, type FindManyOptions } from 'typeorm'
import type { Database } from './data-source.js'
import { OutboxRow, TenantRow, webhookDocument, WebhookRow, type OutboxKind } from './entities.js'

export const OUTBOX_CHANNEL = 'posthorn_outbox'

/** Within the caller's transaction: the document of `subject` has to be published again. */
export async function enqueue(tx: EntityManager, kind: OutboxKind, subject: string): Promise<void> {
  await tx.insert(OutboxRow, { kind, subject })
  await tx.query('SELECT pg_notify($1, $2)', [OUTBOX_CHANNEL, ''])
}

/** A document as it has to stand last on its topic. */
export type Publication =
  { readonly kind: 'webhook'; readonly document: Webhook } | { readonly kind: 'tenant'; readonly document: Tenant }

export interface OutboxBatch {
  readonly publications: readonly Publication[]
  /** The outbox rows that are served once all of these are acknowledged. */
  readonly rows: readonly string[]
}

/** The version that a row of a table has now, and whether it waits in the outbox. */
export interface RowVersion {
  readonly id: string
  readonly version: number
  readonly pending: boolean
}

const ENTITY = { webhook: WebhookRow, tenant: TenantRow } as const

/** What the relay needs of the tables. */
export class Outbox {
  constructor(private readonly database: Database) {}

  /** The oldest rows and the CURRENT documents of what they name, each once: read after the rows, so never older. */
  async read(limit: number): Promise<OutboxBatch> {
    const { manager } = this.database
    const rows = await manager.find(OutboxRow, { order: { seq: 'ASC' }, take: limit })
    const named = (kind: OutboxKind) => [...new Set(rows.filter(row => row.kind === kind).map(row => row.subject))]
    const webhooks = await manager.findBy(WebhookRow, { id: In(named('webhook')) })
    const tenants = await manager.findBy(TenantRow, { id: In(named('tenant')) })
    return {
      rows: rows.map(row => row.seq),
      publications: [
        ...webhooks.map(row => ({ kind: 'webhook' as const, document: webhookDocument(row) })),
        ...tenants.map(({ id, version, status }) => ({ kind: 'tenant' as const, document: { id, version, status } })),
      ],
    }
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
      const { affected } = await tx.update(ENTITY[kind], { id, version }, { version: next })
      if (affected !== 1) return false
      await enqueue(tx, kind, id)
      return true
    })
  }

  /** Ids of webhooks deleted before a time: their tombstones are due. */
  async deletedBefore(time: Date, limit: number): Promise<string[]> {
    const found = await this.database.manager.find(WebhookRow, {
      select: { id: true },
      where: { deletedAt: LessThan(time) },
      take: limit,
    })
    return found.map(row => row.id)
  }

  /** Forgets webhooks whose tombstones are acknowledged. */
  async purge(ids: readonly string[]): Promise<void> {
    await this.database.manager.delete(WebhookRow, { id: In(ids) })
  }

  private async find(kind: OutboxKind, options: FindManyOptions<WebhookRow | TenantRow>): Promise<RowVersion[]> {
    const { manager } = this.database
    const found = await manager.find(ENTITY[kind], { select: { id: true, version: true }, ...options })
    const waiting = await manager.findBy(OutboxRow, { kind, subject: In(found.map(row => row.id)) })
    const pending = new Set(waiting.map(row => row.subject))
    return found.map(({ id, version }) => ({ id, version, pending: pending.has(id) }))
  }
}
