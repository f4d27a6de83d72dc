import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { DELIVERY_STATUSES, type DeliveryStatus } from '@posthorn/webhook'
import { ListQuery } from './lists.js'

const MAX_ID = 256
const MAX_SOURCE = 1024
const ONE = { message: 'must be given once' }
const tooLong = (length: number) => ({ message: `must have at most ${length} characters` })

/** GET /v1/events/{id} */
export class EventQuery {
  /** Picks one of several sources that use the same id. */
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_SOURCE, tooLong(MAX_SOURCE))
  source?: string
}

/** GET /v1/deliveries */
export class ListDeliveriesQuery extends ListQuery {
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_ID, tooLong(MAX_ID))
  webhook?: string

  @IsOptional()
  @IsIn(DELIVERY_STATUSES, { message: `must be one of ${DELIVERY_STATUSES.join(', ')}` })
  status?: DeliveryStatus

  /** An event's id, of whatever source. */
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_ID, tooLong(MAX_ID))
  event?: string
}

/** GET /v1/poison */
export class ListPoisonQuery extends ListQuery {}

/** An event: its CloudEvents attributes, and its data as JSON or, for other media types, in base64. */
export interface EventView {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly time: string
  readonly datacontenttype: string
  readonly partitionkey?: string
  readonly subject?: string
  readonly dataschema?: string
  readonly extensions?: Readonly<Record<string, string>>
  readonly data?: unknown
  readonly data_base64?: string
  readonly accepted_at: string
  /** How many of its deliveries stand at each status. */
  readonly deliveries: Readonly<Record<DeliveryStatus, number>>
}

export interface DeliveryView {
  readonly id: string
  readonly webhook: string
  readonly event: { readonly id: string; readonly source: string; readonly type: string }
  readonly run: string
  readonly status: DeliveryStatus
  readonly attempts_made: number
  readonly next_attempt_at: string | null
  readonly accepted_at: string
  readonly updated_at: string
  readonly last_error_class: string | null
  readonly last_status_code: number | null
}

export interface DeliveryWithAttemptsView extends DeliveryView {
  readonly attempts: readonly AttemptView[]
}

export interface AttemptView {
  readonly run: string
  readonly attempt: number
  readonly webhook_version: number
  readonly outcome: string
  readonly discard_reason: string | null
  readonly due_at: string
  readonly started_at: string
  readonly finished_at: string
  readonly duration_ms: number
  readonly url: string | null
  readonly status_code: number | null
  readonly error_class: string | null
  readonly error: string | null
  readonly advice: string | null
  readonly response_body: string | null
  readonly next_attempt_at: string | null
  readonly trace_id: string | null
  readonly span_id: string | null
}

/** A record that was not accepted, with the first bytes of its value. */
export interface PoisonView {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly at: string
  readonly reason: string
  readonly detail: string
  readonly pointers: readonly string[]
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly size: number
  readonly value_base64: string
}
