import { IsIn, IsOptional } from 'class-validator'
import {
  FORMATS,
  isEventType,
  METHODS,
  ORDERINGS,
  type Condition,
  type FilterPattern,
  type Format,
  type Method,
  type Ordering,
  type RateLimit,
  type TlsVersion,
  type WebhookStatus,
} from '@posthorn/webhook'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'
import { RETRY_POLICY_SCHEMA, type RetryPolicyView } from './retry-policy.js'
import { AUTHENTICATION_SCHEMA, type AuthenticationView } from './webhook-authentication.js'
import { EGRESS_SCHEMA } from './webhook-egress.js'
import { ENCRYPTION_SCHEMA, type EncryptionView } from './webhook-encryption.js'
import { uidFaults } from './webhook-fields.js'
import { HEALTH_SCHEMA, type DisabledReasonView } from './webhook-health.js'
import { OWNERSHIP_SCHEMA, type OwnershipView } from './webhook-ownership.js'
import { OPTIONAL, STRINGS, WEBHOOK_SCHEMA } from './webhook-schema.js'
import { SECRET_SCHEMA } from './webhook-secrets.js'
import { SIGNING_SCHEMA, type SigningView } from './webhook-signing.js'
import { TLS_SCHEMA, type TlsView } from './webhook-tls.js'

const LISTED_STATUSES: readonly WebhookStatus[] = ['pending', 'active', 'paused', 'disabled']

/** GET /v1/webhooks */
export class ListWebhooksQuery extends ListQuery {
  @Documented({ enum: [...LISTED_STATUSES], ...OPTIONAL, description: 'Only webhooks of this status.' })
  @IsOptional()
  @IsIn(LISTED_STATUSES, { message: `must be one of ${LISTED_STATUSES.join(', ')}` })
  status?: WebhookStatus

  @IsOptional()
  @Faults(uidFaults, { ...WEBHOOK_SCHEMA.uid, ...OPTIONAL })
  uid?: string

  /** Webhooks that take events of this type. */
  @IsOptional()
  @Faults(
    type => (isEventType(type) ? [] : [{ pointer: '', message: 'must be an event type such as agent.created' }]),
    {
      type: 'string',
      required: false,
      description: 'Only webhooks that take events of this type.',
    },
  )
  event_type?: string
}

/** A webhook as every read of it answers. Times are RFC 3339 with milliseconds. */
export class WebhookView {
  @Documented() readonly id: string
  @Documented({ ...WEBHOOK_SCHEMA.uid, nullable: true }) readonly uid: string | null
  @Documented({ enum: [...LISTED_STATUSES] }) readonly status: WebhookStatus
  @Documented(WEBHOOK_SCHEMA.url) readonly url: string
  @Documented({ enum: [...METHODS] }) readonly method: Method
  @Documented({ ...STRINGS, description: 'Names with redacted values.' }) readonly headers: Readonly<
    Record<string, string>
  >
  @Documented(WEBHOOK_SCHEMA.events) readonly events: readonly string[]
  @Documented({ enum: [...ORDERINGS] }) readonly ordering: Ordering
  @Documented({ ...WEBHOOK_SCHEMA.filter, nullable: true }) readonly filter: FilterPattern | null
  @Documented({ enum: [...FORMATS] }) readonly format: Format
  @Documented(RETRY_POLICY_SCHEMA.view) readonly retry_policy: RetryPolicyView
  @Documented({ ...WEBHOOK_SCHEMA.rateLimit, nullable: true }) readonly rate_limit: RateLimit | null
  @Documented({ ...WEBHOOK_SCHEMA.maxConcurrency, nullable: true }) readonly max_concurrency: number | null
  @Documented({ ...EGRESS_SCHEMA.allowedCidrs, nullable: true }) readonly allowed_cidrs: readonly string[] | null
  @Documented({ ...EGRESS_SCHEMA.deniedCidrs, nullable: true }) readonly denied_cidrs: readonly string[] | null
  @Documented({ ...EGRESS_SCHEMA.minTlsVersion, nullable: true }) readonly min_tls_version: TlsVersion | null
  @Documented({ ...ENCRYPTION_SCHEMA, nullable: true }) readonly encryption: EncryptionView | null
  @Documented({ ...AUTHENTICATION_SCHEMA, nullable: true }) readonly authentication: AuthenticationView | null
  @Documented({ ...SIGNING_SCHEMA, nullable: true }) readonly signing: SigningView | null
  @Documented({ ...TLS_SCHEMA, nullable: true }) readonly tls: TlsView | null
  @Documented(WEBHOOK_SCHEMA.sendTraceparent) readonly send_traceparent: boolean
  @Documented({ ...HEALTH_SCHEMA.disableAfter, nullable: true }) readonly disable_after_seconds: number | null
  @Documented(HEALTH_SCHEMA.health) readonly health: Condition
  @Documented({ ...HEALTH_SCHEMA.failingSince, nullable: true }) readonly failing_since: string | null
  @Documented({ ...HEALTH_SCHEMA.disabledReason, nullable: true }) readonly disabled_reason: DisabledReasonView | null
  @Documented({ ...OWNERSHIP_SCHEMA, nullable: true }) readonly ownership: OwnershipView | null
  @Documented({ ...WEBHOOK_SCHEMA.description, nullable: true }) readonly description: string | null
  @Documented(STRINGS) readonly metadata: Readonly<Record<string, string>>
  @Documented(WEBHOOK_SCHEMA.time) readonly created_at: string
  @Documented(WEBHOOK_SCHEMA.time) readonly updated_at: string
  @Documented({ type: 'integer' }) readonly version: number
}

/** The answer to a creation, and the only one that has the secret. */
export class CreatedWebhookView extends WebhookView {
  @Documented(SECRET_SCHEMA.shown) readonly secret: string
}
