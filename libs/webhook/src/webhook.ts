import type { Format } from './format.js'
import type { RetryPolicy } from './retry-policy.js'
import type { FilterPattern } from './filter.js'

export type WebhookStatus = 'pending' | 'active' | 'paused' | 'disabled' | 'deleted'

/** A tenant's registration as the data path knows it. Secrets are sealed: only the deliverer opens them. */
export interface Webhook {
  readonly id: string
  readonly tenant: string
  /** Grows with every change; readers ignore what is older than they have. */
  readonly version: number
  readonly status: WebhookStatus
  readonly url: string
  readonly method: 'POST'
  readonly events: readonly string[]
  readonly filter?: FilterPattern
  readonly format: Format
  /** Active secrets, newest first, each sealed by libs/sealing. */
  readonly sealedSecrets: readonly string[]
  readonly retryPolicy: RetryPolicy
}

/** Whether events are routed to it; a paused webhook keeps its deliveries for later. */
export function receivesEvents(status: WebhookStatus): boolean {
  return status === 'active' || status === 'paused'
}
