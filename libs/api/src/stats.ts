import { IsIn, IsOptional, IsString, Length } from 'class-validator'
import { type OutcomeKind } from '@posthorn/webhook'
import { timeFaults } from './audit.js'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'

/** Lengths of the buckets of statistics. */
export const STATS_STEPS = ['minute', 'hour', 'day'] as const
export type StatsStep = (typeof STATS_STEPS)[number]
/** How many buckets one answer has at most: a day of minutes, 60 days of hours. */
export const MAX_BUCKETS = 1440

const MAX_ID = 256
const TIME = { type: 'string', format: 'date-time', required: false } as const

/** GET /v1/stats */
export class StatsQuery {
  @Documented({ type: 'string', minLength: 1, maxLength: MAX_ID, required: false, description: 'Unset: all webhooks.' })
  @IsOptional()
  @IsString({ message: 'must be given once' })
  @Length(1, MAX_ID, { message: `must have 1 to ${MAX_ID} characters` })
  webhook?: string

  @Documented({ enum: [...STATS_STEPS], default: 'hour', required: false, description: 'The length of a bucket.' })
  @IsOptional()
  @IsIn(STATS_STEPS, { message: `must be one of ${STATS_STEPS.join(', ')}` })
  step?: StatsStep

  @IsOptional()
  @Faults(timeFaults, {
    ...TIME,
    description: 'Rounded down to the step; unset, an hour of minutes, a day of hours or 14 days before `to`.',
  })
  from?: string

  @IsOptional()
  @Faults(timeFaults, { ...TIME, description: 'Rounded up to the step; unset, now.' })
  to?: string
}

/** Attempts that ended within one step. */
export class StatsBucketView {
  @Documented({ type: 'string', format: 'date-time' })
  readonly start: string
  /** All but the discarded, for which nothing was sent. */
  @Documented({ type: 'integer' })
  readonly attempts: number
  @Documented({ type: 'object', additionalProperties: { type: 'integer' } })
  readonly outcomes: Readonly<Record<OutcomeKind, number>>
  /** Delivered of the attempts, from 0 to 1; null without any. */
  @Documented({ type: 'number', nullable: true })
  readonly success_rate: number | null
  /** Time from the request to the whole answer, or to the failure. */
  @Documented({ type: 'number', nullable: true })
  readonly mean_duration_ms: number | null
  @Documented({ type: 'number', nullable: true })
  readonly max_duration_ms: number | null
}

export class StatsView {
  @Documented({ type: 'string', nullable: true })
  readonly webhook: string | null
  @Documented({ enum: [...STATS_STEPS] })
  readonly step: StatsStep
  @Documented({ type: 'string', format: 'date-time' })
  readonly from: string
  @Documented({ type: 'string', format: 'date-time' })
  readonly to: string
  @Documented({ type: () => StatsBucketView, isArray: true })
  readonly data: readonly StatsBucketView[]
}
