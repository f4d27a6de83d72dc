import type { ReplayPosition, ReplaySelection, ReplayStatus } from '@posthorn/webhook'
import { Column, Entity, PrimaryColumn, type ValueTransformer } from 'typeorm'

/** Postgres answers a bigint as text; none of these counts comes near 2^53. */
const COUNT: ValueTransformer = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: number | null) => value,
}

@Entity('replays')
export class ReplayRow {
  /** Also the run of every delivery that it sends. */
  @PrimaryColumn('text')
  id: string

  @Column('text')
  tenant: string

  @Column('text')
  status: ReplayStatus

  @Column('jsonb')
  selection: ReplaySelection

  @Column('boolean', { name: 'dry_run' })
  dryRun: boolean

  /** Deliveries a second, at most. */
  @Column('integer')
  rate: number

  /** Null until somebody began. */
  @Column('jsonb', { nullable: true })
  position: ReplayPosition | null

  /** How many deliveries, or records of the log, there are to look at; null until somebody began. */
  @Column('bigint', { nullable: true, transformer: COUNT })
  total: number | null

  @Column('bigint', { transformer: COUNT })
  examined: number

  /** Of those looked at, how many the selection means: sent or, in a dry run, to be sent. */
  @Column('bigint', { transformer: COUNT })
  matched: number

  /** Acknowledged by Kafka. */
  @Column('bigint', { transformer: COUNT })
  sent: number

  @Column('bigint', { transformer: COUNT })
  skipped: number

  @Column('text', { nullable: true })
  failure: string | null

  /** The process that works on it, as long as it says so in time. */
  @Column('text', { name: 'claimed_by', nullable: true })
  claimedBy: string | null

  @Column('timestamptz', { name: 'claimed_until', nullable: true })
  claimedUntil: Date | null

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: Date | null
}
