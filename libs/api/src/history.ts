import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { DELIVERY_STATUSES, type DeliveryStatus } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { ListQuery } from './lists.js'

const MAX_ID = 256
const MAX_SOURCE = 1024
const ONE = { message: 'must be given once' }
const tooLong = (length: number) => ({ message: `must have at most ${length} characters` })

/** GET /v1/events/{id} */
export class EventQuery {
  @Documented({
    type: 'string',
    maxLength: MAX_SOURCE,
    required: false,
    description: 'Picks one of several sources that use the same id.',
  })
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_SOURCE, tooLong(MAX_SOURCE))
  source?: string
}

/** GET /v1/deliveries */
export class ListDeliveriesQuery extends ListQuery {
  @Documented({ type: 'string', maxLength: MAX_ID, required: false, description: 'The id of a webhook.' })
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_ID, tooLong(MAX_ID))
  webhook?: string

  @Documented({ enum: [...DELIVERY_STATUSES], required: false, description: 'Only deliveries of this status.' })
  @IsOptional()
  @IsIn(DELIVERY_STATUSES, { message: `must be one of ${DELIVERY_STATUSES.join(', ')}` })
  status?: DeliveryStatus

  @Documented({
    type: 'string',
    maxLength: MAX_ID,
    required: false,
    description: 'The id of an event, of whatever source.',
  })
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_ID, tooLong(MAX_ID))
  event?: string
}

/** GET /v1/poison */
export class ListPoisonQuery extends ListQuery {}

/** An event: its CloudEvents attributes, and its data as JSON or, for other media types, in base64. */
export class EventView {
  @Documented({ type: 'string' })
  readonly id: string
  @Documented({ type: 'string' })
  readonly source: string
  @Documented({ type: 'string' })
  readonly type: string
  @Documented({ type: 'string', format: 'date-time' })
  readonly time: string
  @Documented({ type: 'string' })
  readonly datacontenttype: string
  @Documented({ type: 'string', required: false })
  readonly partitionkey?: string
  @Documented({ type: 'string', required: false })
  readonly subject?: string
  @Documented({ type: 'string', required: false })
  readonly dataschema?: string
  @Documented({ type: 'object', additionalProperties: { type: 'string' }, required: false })
  readonly extensions?: Readonly<Record<string, string>>
  @Documented({ description: 'Any JSON value.', required: false })
  readonly data?: unknown
  @Documented({ type: 'string', required: false })
  readonly data_base64?: string
  @Documented({ type: 'string', format: 'date-time' })
  readonly accepted_at: string
  /** How many of its deliveries stand at each status. */
  @Documented({ type: 'object', additionalProperties: { type: 'integer' } })
  readonly deliveries: Readonly<Record<DeliveryStatus, number>>
}

export class DeliveryView {
  @Documented({ type: 'string' })
  readonly id: string
  @Documented({ type: 'string' })
  readonly webhook: string
  @Documented({ type: 'object', additionalProperties: { type: 'string' } })
  readonly event: { readonly id: string; readonly source: string; readonly type: string }
  @Documented({ type: 'string' })
  readonly run: string
  @Documented({ enum: [...DELIVERY_STATUSES] })
  readonly status: DeliveryStatus
  @Documented({ type: 'integer' })
  readonly attempts_made: number
  @Documented({ type: 'string', format: 'date-time', nullable: true })
  readonly next_attempt_at: string | null
  @Documented({ type: 'string', format: 'date-time' })
  readonly accepted_at: string
  @Documented({ type: 'string', format: 'date-time' })
  readonly updated_at: string
  @Documented({ type: 'string', nullable: true })
  readonly last_error_class: string | null
  @Documented({ type: 'integer', nullable: true })
  readonly last_status_code: number | null
}

export class DeliveryWithAttemptsView extends DeliveryView {
  @Documented({ type: () => AttemptView, isArray: true })
  readonly attempts: readonly AttemptView[]
}

export class AttemptView {
  @Documented({ type: 'string' })
  readonly run: string
  @Documented({ type: 'integer' })
  readonly attempt: number
  @Documented({ type: 'integer' })
  readonly webhook_version: number
  @Documented({ type: 'string' })
  readonly outcome: string
  @Documented({ type: 'string', nullable: true })
  readonly discard_reason: string | null
  @Documented({ type: 'string', format: 'date-time' })
  readonly due_at: string
  @Documented({ type: 'string', format: 'date-time' })
  readonly started_at: string
  @Documented({ type: 'string', format: 'date-time' })
  readonly finished_at: string
  @Documented({ type: 'number' })
  readonly duration_ms: number
  @Documented({ type: 'string', nullable: true })
  readonly url: string | null
  @Documented({ type: 'integer', nullable: true })
  readonly status_code: number | null
  @Documented({ type: 'string', nullable: true })
  readonly error_class: string | null
  @Documented({ type: 'string', nullable: true })
  readonly error: string | null
  @Documented({ type: 'string', nullable: true })
  readonly advice: string | null
  @Documented({ type: 'string', nullable: true })
  readonly response_body: string | null
  @Documented({ type: 'string', format: 'date-time', nullable: true })
  readonly next_attempt_at: string | null
  @Documented({ type: 'string', nullable: true })
  readonly trace_id: string | null
  @Documented({ type: 'string', nullable: true })
  readonly span_id: string | null
}

/** A record that was not accepted, with the first bytes of its value. */
export class PoisonView {
  @Documented({ type: 'string' })
  readonly topic: string
  @Documented({ type: 'integer' })
  readonly partition: number
  @Documented({ type: 'integer' })
  readonly offset: number
  @Documented({ type: 'string', format: 'date-time' })
  readonly at: string
  @Documented({ type: 'string' })
  readonly reason: string
  @Documented({ type: 'string' })
  readonly detail: string
  @Documented({ type: 'array', items: { type: 'string' } })
  readonly pointers: readonly string[]
  @Documented({ type: 'string', nullable: true })
  readonly key: string | null
  @Documented({ type: 'object', additionalProperties: { type: 'string' } })
  readonly headers: Readonly<Record<string, string>>
  @Documented({ type: 'integer' })
  readonly size: number
  @Documented({ type: 'string' })
  readonly value_base64: string
}
