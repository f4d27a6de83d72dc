import { IsBoolean, IsIn, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator'
import {
  checkFilter,
  FORMATS,
  isEventType,
  MAX_CONCURRENCY,
  MAX_RATE,
  METHODS,
  ORDERINGS,
  RATE_UNITS,
  SIGNATURES,
  TLS_VERSIONS,
  type Condition,
  type FilterPattern,
  type Format,
  type Method,
  type Ordering,
  type RateLimit,
  type Signature,
  type TlsVersion,
  type WebhookStatus,
} from '@posthorn/webhook'
import { Documented, type FieldSchema } from './documented.js'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'
import { RETRY_POLICY_SCHEMA, retryPolicyFaults, type RetryPolicyBody, type RetryPolicyView } from './retry-policy.js'
import { EGRESS_SCHEMA, ONE_TLS_VERSION, webhookCidrsFaults } from './webhook-egress.js'
import {
  AUTHENTICATION_SCHEMA,
  authenticationFaults,
  type AuthenticationBody,
  type AuthenticationView,
} from './webhook-authentication.js'
import {
  encryptionFaults,
  ENCRYPTION_SCHEMA,
  wholeEncryptionFaults,
  type EncryptionBody,
  type EncryptionView,
} from './webhook-encryption.js'
import { disableAfterFaults, HEALTH_SCHEMA, type DisabledReasonView } from './webhook-health.js'
import {
  eventsFaults,
  filterPatchFaults,
  headersFaults,
  maxConcurrencyFaults,
  metadataFaults,
  rateLimitFaults,
  secretFaults,
  uidFaults,
  urlFaults,
  wholeRateLimitFaults,
  type RateLimitBody,
} from './webhook-fields.js'
import { OWNERSHIP_SCHEMA, type OwnershipView } from './webhook-ownership.js'
import { ONE_SIGNATURE, SECRET_SCHEMA } from './webhook-secrets.js'
import { SIGNING_SCHEMA, signingFaults, type SigningBody, type SigningView } from './webhook-signing.js'
import { TLS_SCHEMA, tlsFaults, type TlsBody, type TlsView } from './webhook-tls.js'

/** Unlike IsOptional, null is a value: one that the field's own check refuses. */
export const IfPresent = () => ValidateIf((_object, value) => value !== undefined)
const ONE_FORMAT = { message: `must be one of ${FORMATS.join(', ')}` }
const ONE_ORDERING = { message: `must be one of ${ORDERINGS.join(', ')}` }
const ONE_METHOD = { message: `must be one of ${METHODS.join(', ')}` }
const TEXT = { message: 'must be a string' }
const TRUE_OR_FALSE = { message: 'must be true or false' }
const DESCRIPTION = 1024
const TOO_LONG = { message: `must have at most ${DESCRIPTION} characters` }
const LISTED_STATUSES: readonly WebhookStatus[] = ['pending', 'active', 'paused', 'disabled']

const STRINGS = { type: 'object', additionalProperties: { type: 'string' } } as const
const SCHEMA = {
  url: { type: 'string', format: 'uri', maxLength: 2048, description: 'Absolute http or https URL.' },
  events: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: 100,
    description: 'Event types, and patterns such as agent.* or *.',
  },
  filter: {
    type: 'object',
    additionalProperties: true,
    description: 'Only events that fit are delivered: a pattern over attributes and data, see docs/filters.md.',
  },
  method: { enum: [...METHODS], default: 'POST' },
  ordering: {
    enum: [...ORDERINGS],
    default: 'none',
    description:
      'What is sent in order, one after another: nothing, events of one partitionkey, or all (docs/ordering.md).',
  },
  headers: { ...STRINGS, description: 'Sent with every request. Values are kept sealed and shown redacted.' },
  metadata: { ...STRINGS, description: 'Your own labels, by name.' },
  uid: { type: 'string', maxLength: 128, description: 'Your own name for it, once among your webhooks.' },
  description: { type: 'string', maxLength: DESCRIPTION },
  format: { enum: [...FORMATS], default: 'standard', description: 'What a request carries, see docs/formats.md.' },
  time: { type: 'string', format: 'date-time' },
  rateLimit: {
    type: 'object',
    description: 'Requests per second unless named otherwise; no limit unless set.',
    additionalProperties: false,
    properties: {
      requests: { type: 'integer', minimum: 1, maximum: MAX_RATE },
      per: { enum: [...RATE_UNITS] },
    },
  },
  maxConcurrency: {
    type: 'integer',
    minimum: 1,
    maximum: MAX_CONCURRENCY,
    description: 'Requests at once; unless set, what the deployment allows.',
  },
  sendTraceparent: {
    type: 'boolean',
    default: false,
    description: 'Whether requests carry the header traceparent, by which the receiver goes on with the trace.',
  },
} as const satisfies Record<string, FieldSchema>
const OPTIONAL = { required: false } as const
const NULLABLE = { required: false, nullable: true } as const

/** POST /v1/webhooks */
export class CreateWebhookBody {
  static readonly example = {
    url: 'https://shop.example/hooks',
    events: ['agent.*', 'run.completed'],
    description: 'Orders of the shop',
    metadata: { team: 'checkout' },
    retry_policy: { attempts: 8, timeout_ms: 10_000 },
  }

  @Faults(urlFaults, SCHEMA.url)
  url: string

  @Faults(eventsFaults, SCHEMA.events)
  events: string[]

  @IsOptional()
  @Faults(checkFilter, { ...SCHEMA.filter, ...NULLABLE })
  filter?: FilterPattern | null

  @IsOptional()
  @Faults(secretFaults, { ...SECRET_SCHEMA.secret, ...NULLABLE })
  secret?: string | null

  /** Of a secret that is made here; one that is given says it by its form. */
  @Documented({ ...SECRET_SCHEMA.signature, ...NULLABLE })
  @IsOptional()
  @IsIn(SIGNATURES, ONE_SIGNATURE)
  signature?: Signature | null

  @IsOptional()
  @Faults(uidFaults, { ...SCHEMA.uid, ...NULLABLE })
  uid?: string | null

  @Documented({ ...SCHEMA.description, ...NULLABLE })
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  @IsOptional()
  @Faults(metadataFaults, { ...SCHEMA.metadata, ...NULLABLE })
  metadata?: Record<string, string> | null

  @IsOptional()
  @Faults(retryPolicyFaults, { ...RETRY_POLICY_SCHEMA.body, ...NULLABLE })
  retry_policy?: RetryPolicyBody | null

  @IsOptional()
  @Faults(wholeRateLimitFaults, { ...SCHEMA.rateLimit, ...NULLABLE })
  rate_limit?: RateLimitBody | null

  @IsOptional()
  @Faults(maxConcurrencyFaults, { ...SCHEMA.maxConcurrency, ...NULLABLE })
  max_concurrency?: number | null

  @IsOptional()
  @Faults(webhookCidrsFaults, { ...EGRESS_SCHEMA.allowedCidrs, ...NULLABLE })
  allowed_cidrs?: string[] | null

  @IsOptional()
  @Faults(webhookCidrsFaults, { ...EGRESS_SCHEMA.deniedCidrs, ...NULLABLE })
  denied_cidrs?: string[] | null

  @Documented({ ...EGRESS_SCHEMA.minTlsVersion, ...NULLABLE })
  @IsOptional()
  @IsIn(TLS_VERSIONS, ONE_TLS_VERSION)
  min_tls_version?: TlsVersion | null

  @IsOptional()
  @Faults(wholeEncryptionFaults, { ...ENCRYPTION_SCHEMA, ...NULLABLE })
  encryption?: EncryptionBody | null

  @IsOptional()
  @Faults(authenticationFaults, { ...AUTHENTICATION_SCHEMA, ...NULLABLE })
  authentication?: AuthenticationBody | null

  @IsOptional()
  @Faults(signingFaults, { ...SIGNING_SCHEMA, ...NULLABLE })
  signing?: SigningBody | null

  @IsOptional()
  @Faults(value => tlsFaults(value), { ...TLS_SCHEMA, ...NULLABLE })
  tls?: TlsBody | null

  @Documented({ ...SCHEMA.sendTraceparent, ...NULLABLE })
  @IsOptional()
  @IsBoolean(TRUE_OR_FALSE)
  send_traceparent?: boolean | null

  @IsOptional()
  @Faults(disableAfterFaults, { ...HEALTH_SCHEMA.disableAfter, ...NULLABLE })
  disable_after_seconds?: number | null

  @IsOptional()
  @Faults(headersFaults, { ...SCHEMA.headers, ...NULLABLE })
  headers?: Record<string, string> | null

  @Documented({ ...SCHEMA.method, ...NULLABLE })
  @IsOptional()
  @IsIn(METHODS, ONE_METHOD)
  method?: Method | null

  @Documented({ ...SCHEMA.ordering, ...NULLABLE })
  @IsOptional()
  @IsIn(ORDERINGS, ONE_ORDERING)
  ordering?: Ordering | null

  @Documented({ ...SCHEMA.format, ...NULLABLE })
  @IsOptional()
  @IsIn(FORMATS, ONE_FORMAT)
  format?: Format | null
}

/** PATCH /v1/webhooks/{id}, by merge-patch: what is absent stays, null goes back to the default. */
export class PatchWebhookBody {
  static readonly example = { events: ['*'], filter: null, metadata: { team: 'billing' } }

  @IfPresent()
  @Faults(urlFaults, { ...SCHEMA.url, ...OPTIONAL })
  url?: string

  @IfPresent()
  @Faults(eventsFaults, { ...SCHEMA.events, ...OPTIONAL })
  events?: string[]

  /** Merged by name; null removes a field, or the filter. */
  @IsOptional()
  @Faults(filterPatchFaults, {
    ...SCHEMA.filter,
    ...NULLABLE,
    description: 'Merged by name; null removes a field, or the filter.',
  })
  filter?: FilterPattern | null

  @IfPresent()
  @Faults(secretFaults, {
    ...SECRET_SCHEMA.secret,
    ...OPTIONAL,
    description: 'Replaces all secrets there were, at once.',
  })
  secret?: string

  @IsOptional()
  @Faults(uidFaults, { ...SCHEMA.uid, ...NULLABLE })
  uid?: string | null

  @Documented({ ...SCHEMA.description, ...NULLABLE })
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  /** Merged by name; null removes an entry, or all of them. */
  @IsOptional()
  @Faults(metadata => metadataFaults(withoutNulls(metadata)), {
    ...NULLABLE,
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    description: 'Merged by name; null removes an entry, or all of them.',
  })
  metadata?: Record<string, string | null> | null

  @IsOptional()
  @Faults(retryPolicyFaults, { ...RETRY_POLICY_SCHEMA.body, ...NULLABLE })
  retry_policy?: RetryPolicyBody | null

  /** Merged by name; null removes the limit. */
  @IsOptional()
  @Faults(rateLimitFaults, { ...SCHEMA.rateLimit, ...NULLABLE })
  rate_limit?: RateLimitBody | null

  @IsOptional()
  @Faults(maxConcurrencyFaults, { ...SCHEMA.maxConcurrency, ...NULLABLE })
  max_concurrency?: number | null

  @IsOptional()
  @Faults(webhookCidrsFaults, { ...EGRESS_SCHEMA.allowedCidrs, ...NULLABLE })
  allowed_cidrs?: string[] | null

  @IsOptional()
  @Faults(webhookCidrsFaults, { ...EGRESS_SCHEMA.deniedCidrs, ...NULLABLE })
  denied_cidrs?: string[] | null

  @Documented({ ...EGRESS_SCHEMA.minTlsVersion, ...NULLABLE })
  @IsOptional()
  @IsIn(TLS_VERSIONS, ONE_TLS_VERSION)
  min_tls_version?: TlsVersion | null

  /** Merged by name; null removes it. */
  @IsOptional()
  @Faults(encryptionFaults, { ...ENCRYPTION_SCHEMA, ...NULLABLE })
  encryption?: EncryptionBody | null

  /** Replaced as a whole. */
  @IsOptional()
  @Faults(authenticationFaults, { ...AUTHENTICATION_SCHEMA, ...NULLABLE })
  authentication?: AuthenticationBody | null

  @IsOptional()
  @Faults(signingFaults, { ...SIGNING_SCHEMA, ...NULLABLE })
  signing?: SigningBody | null

  /** Merged by name; null removes it. */
  @IsOptional()
  @Faults(value => tlsFaults(value), { ...TLS_SCHEMA, ...NULLABLE })
  tls?: TlsBody | null

  @Documented({ ...SCHEMA.sendTraceparent, ...NULLABLE })
  @IsOptional()
  @IsBoolean(TRUE_OR_FALSE)
  send_traceparent?: boolean | null

  @IsOptional()
  @Faults(disableAfterFaults, { ...HEALTH_SCHEMA.disableAfter, ...NULLABLE })
  disable_after_seconds?: number | null

  /** Merged by name; null removes an entry, or all of them. */
  @IsOptional()
  @Faults(headers => headersFaults(headers, true), {
    ...NULLABLE,
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    description: 'Merged by name; null removes an entry, or all of them.',
  })
  headers?: Record<string, string | null> | null

  @Documented({ enum: ['active', 'disabled'], ...OPTIONAL })
  @IfPresent()
  @IsIn(['active', 'disabled'], { message: 'must be active or disabled' })
  status?: 'active' | 'disabled'

  @Documented({ ...SCHEMA.method, ...NULLABLE })
  @IsOptional()
  @IsIn(METHODS, ONE_METHOD)
  method?: Method | null

  @Documented({ ...SCHEMA.ordering, ...NULLABLE })
  @IsOptional()
  @IsIn(ORDERINGS, ONE_ORDERING)
  ordering?: Ordering | null

  @Documented({ ...SCHEMA.format, ...NULLABLE })
  @IsOptional()
  @IsIn(FORMATS, ONE_FORMAT)
  format?: Format | null
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null))
}

/** GET /v1/webhooks */
export class ListWebhooksQuery extends ListQuery {
  @Documented({ enum: [...LISTED_STATUSES], ...OPTIONAL, description: 'Only webhooks of this status.' })
  @IsOptional()
  @IsIn(LISTED_STATUSES, { message: `must be one of ${LISTED_STATUSES.join(', ')}` })
  status?: WebhookStatus

  @IsOptional()
  @Faults(uidFaults, { ...SCHEMA.uid, ...OPTIONAL })
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
  @Documented({ ...SCHEMA.uid, nullable: true }) readonly uid: string | null
  @Documented({ enum: [...LISTED_STATUSES] }) readonly status: WebhookStatus
  @Documented(SCHEMA.url) readonly url: string
  @Documented({ enum: [...METHODS] }) readonly method: Method
  @Documented({ ...STRINGS, description: 'Names with redacted values.' }) readonly headers: Readonly<
    Record<string, string>
  >
  @Documented(SCHEMA.events) readonly events: readonly string[]
  @Documented({ enum: [...ORDERINGS] }) readonly ordering: Ordering
  @Documented({ ...SCHEMA.filter, nullable: true }) readonly filter: FilterPattern | null
  @Documented({ enum: [...FORMATS] }) readonly format: Format
  @Documented(RETRY_POLICY_SCHEMA.view) readonly retry_policy: RetryPolicyView
  @Documented({ ...SCHEMA.rateLimit, nullable: true }) readonly rate_limit: RateLimit | null
  @Documented({ ...SCHEMA.maxConcurrency, nullable: true }) readonly max_concurrency: number | null
  @Documented({ ...EGRESS_SCHEMA.allowedCidrs, nullable: true }) readonly allowed_cidrs: readonly string[] | null
  @Documented({ ...EGRESS_SCHEMA.deniedCidrs, nullable: true }) readonly denied_cidrs: readonly string[] | null
  @Documented({ ...EGRESS_SCHEMA.minTlsVersion, nullable: true }) readonly min_tls_version: TlsVersion | null
  @Documented({ ...ENCRYPTION_SCHEMA, nullable: true }) readonly encryption: EncryptionView | null
  @Documented({ ...AUTHENTICATION_SCHEMA, nullable: true }) readonly authentication: AuthenticationView | null
  @Documented({ ...SIGNING_SCHEMA, nullable: true }) readonly signing: SigningView | null
  @Documented({ ...TLS_SCHEMA, nullable: true }) readonly tls: TlsView | null
  @Documented(SCHEMA.sendTraceparent) readonly send_traceparent: boolean
  @Documented({ ...HEALTH_SCHEMA.disableAfter, nullable: true }) readonly disable_after_seconds: number | null
  @Documented(HEALTH_SCHEMA.health) readonly health: Condition
  @Documented({ ...HEALTH_SCHEMA.failingSince, nullable: true }) readonly failing_since: string | null
  @Documented({ ...HEALTH_SCHEMA.disabledReason, nullable: true }) readonly disabled_reason: DisabledReasonView | null
  @Documented({ ...OWNERSHIP_SCHEMA, nullable: true }) readonly ownership: OwnershipView | null
  @Documented({ ...SCHEMA.description, nullable: true }) readonly description: string | null
  @Documented(STRINGS) readonly metadata: Readonly<Record<string, string>>
  @Documented(SCHEMA.time) readonly created_at: string
  @Documented(SCHEMA.time) readonly updated_at: string
  @Documented({ type: 'integer' }) readonly version: number
}

/** The answer to a creation, and the only one that has the secret. */
export class CreatedWebhookView extends WebhookView {
  @Documented(SECRET_SCHEMA.shown) readonly secret: string
}

/** POST /v1/webhooks/{id}/test */
export class TestWebhookBody {
  static readonly example = { type: 'agent.error' }

  @IsOptional()
  @Faults(
    type => (isEventType(type) ? [] : [{ pointer: '', message: 'must be an event type such as agent.created' }]),
    {
      type: 'string',
      ...NULLABLE,
      description: 'A type of the catalogue; without it, one that the webhook takes.',
    },
  )
  type?: string | null
}

/** A sample event that is on its way to one webhook. */
export class TestView {
  @Documented({ description: 'For GET /v1/deliveries/{id}.' }) readonly delivery: string
  @Documented({ type: 'object', additionalProperties: true, description: 'The event, as it is sent.' })
  readonly event: Readonly<Record<string, unknown>>
}
