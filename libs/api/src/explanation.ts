import { DELIVERY_STATUSES, type DeliveryStatus } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { AttemptView } from './history.js'

/** Why a delivery stands where it stands. */
export const EXPLAINED = [
  'delivered',
  'exhausted',
  'expired',
  'gone',
  'discarded',
  'webhook_pending',
  'webhook_paused',
  'webhook_disabled',
  'webhook_deleted',
  'behind_key',
  'waits_for_retry',
  'circuit_open',
  'rate_limit',
  'under_way',
  'overdue',
] as const
export type ExplainedReason = (typeof EXPLAINED)[number]

/** GET /v1/deliveries/{id}/explanation */
export class ExplanationView {
  @Documented({ type: 'string' })
  readonly delivery: string
  @Documented({ type: 'string' })
  readonly webhook: string
  @Documented({ enum: [...DELIVERY_STATUSES] })
  readonly status: DeliveryStatus
  @Documented({ enum: [...EXPLAINED] })
  readonly reason: ExplainedReason
  @Documented({ type: 'string', description: 'The reason as a sentence.' })
  readonly because: string
  @Documented({ type: 'string', nullable: true, description: 'What to do about it; null: nothing.' })
  readonly advice: string | null
  @Documented({ type: 'string', format: 'date-time', nullable: true })
  readonly next_attempt_at: string | null
  @Documented({ type: 'integer' })
  readonly attempts_made: number
  @Documented({ type: () => AttemptView, nullable: true, description: 'The last one that was made.' })
  readonly last_attempt: AttemptView | null
  @Documented({ type: 'string', nullable: true, description: 'Delivery of the same key that has to end first.' })
  readonly behind: string | null
}
