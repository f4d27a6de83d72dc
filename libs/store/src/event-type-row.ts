import type { EventTypeDocument } from '@posthorn/topics'
import { Column, Entity, PrimaryColumn } from 'typeorm'

@Entity('event_types')
export class EventTypeRow {
  /** eventTypeKey(tenant, type) */
  @PrimaryColumn('text')
  id: string

  /** Null: of the platform. */
  @Column('text', { nullable: true })
  tenant: string | null

  @Column('text')
  type: string

  @Column('integer')
  version: number

  @Column('text')
  status: EventTypeDocument['status']

  @Column('text')
  mode: EventTypeDocument['mode']

  @Column('text', { nullable: true })
  description: string | null

  /** Number of the newest version of the schema; 0 without one. */
  @Column('integer', { name: 'schema_version' })
  schemaVersion: number

  @Column('json', { nullable: true })
  schema: object | null

  @Column('json', { nullable: true })
  example: object | null

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date

  /** Goes with its tenant, and is kept until its tombstone, so that readers are told. */
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null
}

/** What a version refuses that the one before allowed. */
export interface SchemaBreak {
  readonly pointer: string
  readonly data: string
  readonly message: string
}

@Entity('event_type_versions')
export class EventTypeVersionRow {
  @PrimaryColumn('text', { name: 'event_type' })
  eventType: string

  @PrimaryColumn('integer')
  number: number

  @Column('json')
  schema: object

  @Column('json', { nullable: true })
  example: object | null

  @Column('jsonb')
  breaks: readonly SchemaBreak[]

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date
}

/** The event type as catalogue.v1 carries it. */
export function eventTypeDocument(row: EventTypeRow): EventTypeDocument {
  const { id, tenant, type, version, status, mode, schemaVersion, schema } = row
  return { id, tenant, type, version, status, mode, schemaVersion, ...(schema === null ? {} : { schema }) }
}
