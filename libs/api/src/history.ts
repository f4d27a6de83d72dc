import { type DeliveryStatus, DELIVERY_STATUSES } from '@posthorn/webhook'
import { Documented } from './documented.js'

/** An event's CloudEvents attributes. */
export class ListedEventView {
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
  @Documented({ type: 'string', format: 'date-time' })
  readonly accepted_at: string
}

/** An event with its data as JSON or, for other media types, in base64. */
export class EventView extends ListedEventView {
  @Documented({ description: 'Any JSON value.', required: false })
  readonly data?: unknown
  @Documented({ type: 'string', required: false })
  readonly data_base64?: string
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
  @Documented({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'When its dead letter was discarded.',
  })
  readonly discarded_at: string | null
  @Documented({ type: 'string', nullable: true, description: 'Id of the key that discarded it.' })
  readonly discarded_by: string | null
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
  @Documented({
    type: 'string',
    nullable: true,
    description: 'Where the trace is shown, if the deployment says where.',
  })
  readonly trace_url: string | null
  /** The address that the request was sent to. */
  @Documented({ type: 'string', nullable: true })
  readonly remote_address: string | null
  /** As negotiated, such as TLSv1.3. */
  @Documented({ type: 'string', nullable: true })
  readonly tls_version: string | null
  /** When the certificate of the receiver ends. */
  @Documented({ type: 'string', format: 'date-time', nullable: true })
  readonly certificate_expires_at: string | null
  /** How long each step took, by name: dns_ms, connect_ms, tls_ms, wait_ms, read_ms. */
  @Documented({
    type: 'object',
    additionalProperties: { type: 'number' },
    nullable: true,
    description: 'How long each step took: dns_ms, connect_ms, tls_ms, wait_ms, read_ms.',
  })
  readonly phases: Readonly<Record<string, number>> | null
}

export class ListedAttemptView extends AttemptView {
  @Documented({ type: 'string' })
  readonly delivery: string
  @Documented({ type: 'string' })
  readonly webhook: string
}
