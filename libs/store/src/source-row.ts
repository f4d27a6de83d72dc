import type { Source, SourceDefinition } from '@posthorn/webhook'
import { Column, Entity, PrimaryColumn } from 'typeorm'

@Entity('sources')
export class SourceRow {
  @PrimaryColumn('text')
  id: string

  @Column('integer')
  version: number

  @Column('text')
  status: Source['status']

  @Column('jsonb')
  definition: SourceDefinition

  /** What `latest` means: when its topics, or where they start, were last said. */
  @Column('timestamptz')
  since: Date

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date

  /** A deleted source is kept until its tombstone, so that readers are told of the deletion. */
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null
}

/** The source as sources.v1 carries it. */
export function sourceDocument({ id, version, status, definition, since }: SourceRow): Source {
  return { id, version, status, since: since.getTime(), ...definition }
}
