import { eventTypeKey } from '@posthorn/topics'
import { IsNull, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import { EventTypeRow, EventTypeVersionRow, type SchemaBreak } from './event-type-row.js'
import { enqueue } from './outbox.js'
import { requireVersion, saveRow } from './published-row.js'
import { holdTenant } from './tenants.js'

/** The owner has an event type of this name. */
export class EventTypeTaken extends Error {
  override readonly name = 'EventTypeTaken'
}

/** The owner has as many event types, or as much schema, as it may have; the message says which. */
export class EventTypesFull extends Error {
  override readonly name = 'EventTypesFull'
}

// Every router and ingest holds them all in memory. GitHub's 58 events have 1.2 MB of schemas.
const MAX_EVENT_TYPES = 1000
const MAX_SCHEMA_BYTES = 8 * 1024 * 1024

export type NewEventType = Pick<
  EventTypeRow,
  'tenant' | 'type' | 'status' | 'mode' | 'description' | 'schema' | 'example'
>
export type EventTypeChange = Partial<Pick<EventTypeRow, 'mode' | 'status' | 'description' | 'example'>> & {
  /** A new version of the schema, and what it breaks. */
  readonly next?: { readonly schema: object; readonly breaks: readonly SchemaBreak[] }
}

/** A version without what may be large: 250 of 256 KiB are too much for one answer. */
export type EventTypeVersionSummary = Pick<EventTypeVersionRow, 'number' | 'createdAt'> & { readonly breaking: boolean }

/** Of one owner: a tenant, or null for the platform. With `archived` alone those that are. */
export interface EventTypeFilter {
  readonly tenant: string | null
  readonly statuses: readonly EventTypeRow['status'][]
  /** Names after this one. */
  readonly after: string | undefined
  readonly limit: number
}

/** The event types of tenants and of the platform; the built-in ones are here only where somebody changed them. */
export class EventTypes {
  constructor(private readonly database: Database) {}

  /** Throws EventTypeTaken, EventTypesFull, TenantGone. */
  async insert(
    type: NewEventType,
    breaks: readonly SchemaBreak[],
    audited: Audited<EventTypeRow>,
  ): Promise<EventTypeRow> {
    const now = new Date()
    const { tenant, type: name, status, mode, description, schema, example } = type
    const given = { tenant, type: name, status, mode, description, schema, example }
    const row = Object.assign(new EventTypeRow(), given, {
      id: eventTypeKey(type.tenant, type.type),
      version: 1,
      schemaVersion: type.schema === null ? 0 : 1,
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
    })
    return this.database.manager.transaction(async tx => {
      if (row.tenant !== null) await holdTenant(tx, row.tenant)
      await requireRoom(tx, row, row.schema)
      const inserted = await tx
        .createQueryBuilder()
        .insert()
        .into(EventTypeRow)
        .values(row)
        .orIgnore()
        .returning('id')
        .execute()
      if ((inserted.raw as unknown[]).length === 0) throw new EventTypeTaken(row.type)
      if (row.schema !== null) await addVersion(tx, row, breaks)
      await enqueue(tx, 'event_type', row.id)
      await appendAudit(tx, audited(undefined, row))
      return row
    })
  }

  /** The owner's own of this name, whatever its status. */
  async own(tenant: string | null, type: string): Promise<EventTypeRow | undefined> {
    const where = { id: eventTypeKey(tenant, type), deletedAt: IsNull() }
    return (await this.database.manager.findOneBy(EventTypeRow, where)) ?? undefined
  }

  /** By name. */
  async list({ tenant, statuses, after, limit }: EventTypeFilter): Promise<EventTypeRow[]> {
    const query = this.database.manager
      .createQueryBuilder(EventTypeRow, 'e')
      .where(tenant === null ? 'e.tenant IS NULL' : 'e.tenant = :tenant', { tenant })
      .andWhere('e.deleted_at IS NULL AND e.status IN (:...statuses)', { statuses })
    if (after !== undefined) query.andWhere('e.type > :after', { after })
    return query.orderBy('e.type', 'ASC').limit(limit).getMany()
  }

  /** Applies what `decide` makes of the row, which is locked meanwhile. Undefined without it. Throws VersionConflict. */
  async change(
    id: string,
    wanted: number | undefined,
    decide: (row: EventTypeRow) => EventTypeChange,
    audited: Audited<EventTypeRow>,
  ): Promise<EventTypeRow | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await tx
        .createQueryBuilder(EventTypeRow, 'e')
        .setLock('pessimistic_write')
        .where('e.id = :id AND e.deleted_at IS NULL', { id })
        .getOne()
      if (!row) return undefined
      requireVersion(row, wanted)
      const { next, ...change } = decide(row)
      if (next === undefined && JSON.stringify({ ...row, ...change }) === JSON.stringify(row)) return row
      if (next) await requireRoom(tx, row, next.schema)
      const versioned = next && { schema: next.schema, schemaVersion: row.schemaVersion + 1 }
      const saved = await saveRow(tx, EventTypeRow, 'event_type', row, { ...change, ...versioned })
      if (next) await addVersion(tx, saved, next.breaks)
      await appendAudit(tx, audited(row, saved))
      return saved
    })
  }

  /** Versions of a type's schema, newest first. */
  async versions(id: string, before: number | undefined, limit: number): Promise<EventTypeVersionSummary[]> {
    return (await this.database.manager.query(
      `SELECT number, jsonb_array_length(breaks) > 0 AS breaking, created_at AS "createdAt"
       FROM event_type_versions WHERE event_type = $1 AND ($2::int IS NULL OR number < $2)
       ORDER BY number DESC LIMIT $3`,
      [id, before ?? null, limit],
    )) as EventTypeVersionSummary[]
  }

  async version(id: string, number: number): Promise<EventTypeVersionRow | undefined> {
    return (await this.database.manager.findOneBy(EventTypeVersionRow, { eventType: id, number })) ?? undefined
  }
}

/** Beside all others of its owner. Two at once may pass the limit by one. Throws EventTypesFull. */
async function requireRoom(tx: EntityManager, { id, tenant }: EventTypeRow, schema: object | null): Promise<void> {
  const [others] = (await tx.query(
    `SELECT count(*)::int AS types, coalesce(sum(octet_length(schema::text)), 0)::int AS bytes
     FROM event_types WHERE tenant IS NOT DISTINCT FROM $1 AND id <> $2 AND deleted_at IS NULL`,
    [tenant, id],
  )) as { types: number; bytes: number }[]
  const { types, bytes } = others!
  if (types >= MAX_EVENT_TYPES) throw new EventTypesFull(`${MAX_EVENT_TYPES} event types are the most of one owner`)
  if (bytes + Buffer.byteLength(JSON.stringify(schema)) > MAX_SCHEMA_BYTES)
    throw new EventTypesFull(`${MAX_SCHEMA_BYTES / 1024 ** 2} MiB of schemas are the most of one owner`)
}

async function addVersion(tx: EntityManager, row: EventTypeRow, breaks: readonly SchemaBreak[]): Promise<void> {
  const { id, schemaVersion, schema, example, updatedAt } = row
  const version = { eventType: id, number: schemaVersion, schema: schema!, example, breaks, createdAt: updatedAt }
  await tx.insert(EventTypeVersionRow, Object.assign(new EventTypeVersionRow(), version))
}
