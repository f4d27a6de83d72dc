import { IsBoolean, IsIn, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator'
import {
  checkFilter,
  FORMATS,
  METHODS,
  ORDERINGS,
  SIGNATURES,
  TLS_VERSIONS,
  type FilterPattern,
  type Format,
  type Method,
  type Ordering,
  type Signature,
  type TlsVersion,
} from '@posthorn/webhook'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { RETRY_POLICY_SCHEMA, retryPolicyFaults, type RetryPolicyBody } from './retry-policy.js'
import { EGRESS_SCHEMA, ONE_TLS_VERSION, webhookCidrsFaults } from './webhook-egress.js'
import { AUTHENTICATION_SCHEMA, authenticationFaults, type AuthenticationBody } from './webhook-authentication.js'
import {
  encryptionFaults,
  ENCRYPTION_SCHEMA,
  wholeEncryptionFaults,
  type EncryptionBody,
} from './webhook-encryption.js'
import { disableAfterFaults, HEALTH_SCHEMA } from './webhook-health.js'
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
import { MAX_DESCRIPTION, NULLABLE, OPTIONAL, WEBHOOK_SCHEMA } from './webhook-schema.js'
import { ONE_SIGNATURE, SECRET_SCHEMA } from './webhook-secrets.js'
import { SIGNING_SCHEMA, signingFaults, type SigningBody } from './webhook-signing.js'
import { TLS_SCHEMA, tlsFaults, type TlsBody } from './webhook-tls.js'

/** Unlike IsOptional, null is a value: one that the field's own check refuses. */
export const IfPresent = () => ValidateIf((_object, value) => value !== undefined)
const ONE_FORMAT = { message: `must be one of ${FORMATS.join(', ')}` }
const ONE_ORDERING = { message: `must be one of ${ORDERINGS.join(', ')}` }
const ONE_METHOD = { message: `must be one of ${METHODS.join(', ')}` }
const TEXT = { message: 'must be a string' }
const TRUE_OR_FALSE = { message: 'must be true or false' }
const TOO_LONG = { message: `must have at most ${MAX_DESCRIPTION} characters` }

/** POST /v1/webhooks */
export class CreateWebhookBody {
  static readonly example = {
    url: 'https://shop.example/hooks',
    events: ['agent.*', 'run.completed'],
    description: 'Orders of the shop',
    metadata: { team: 'checkout' },
    retry_policy: { attempts: 8, timeout_ms: 10_000 },
  }

  @Faults(urlFaults, WEBHOOK_SCHEMA.url)
  url: string

  @Faults(eventsFaults, WEBHOOK_SCHEMA.events)
  events: string[]

  @IsOptional()
  @Faults(checkFilter, { ...WEBHOOK_SCHEMA.filter, ...NULLABLE })
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
  @Faults(uidFaults, { ...WEBHOOK_SCHEMA.uid, ...NULLABLE })
  uid?: string | null

  @Documented({ ...WEBHOOK_SCHEMA.description, ...NULLABLE })
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(MAX_DESCRIPTION, TOO_LONG)
  description?: string | null

  @IsOptional()
  @Faults(metadataFaults, { ...WEBHOOK_SCHEMA.metadata, ...NULLABLE })
  metadata?: Record<string, string> | null

  @IsOptional()
  @Faults(retryPolicyFaults, { ...RETRY_POLICY_SCHEMA.body, ...NULLABLE })
  retry_policy?: RetryPolicyBody | null

  @IsOptional()
  @Faults(wholeRateLimitFaults, { ...WEBHOOK_SCHEMA.rateLimit, ...NULLABLE })
  rate_limit?: RateLimitBody | null

  @IsOptional()
  @Faults(maxConcurrencyFaults, { ...WEBHOOK_SCHEMA.maxConcurrency, ...NULLABLE })
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

  @Documented({ ...WEBHOOK_SCHEMA.sendTraceparent, ...NULLABLE })
  @IsOptional()
  @IsBoolean(TRUE_OR_FALSE)
  send_traceparent?: boolean | null

  @IsOptional()
  @Faults(disableAfterFaults, { ...HEALTH_SCHEMA.disableAfter, ...NULLABLE })
  disable_after_seconds?: number | null

  @IsOptional()
  @Faults(headersFaults, { ...WEBHOOK_SCHEMA.headers, ...NULLABLE })
  headers?: Record<string, string> | null

  @Documented({ ...WEBHOOK_SCHEMA.method, ...NULLABLE })
  @IsOptional()
  @IsIn(METHODS, ONE_METHOD)
  method?: Method | null

  @Documented({ ...WEBHOOK_SCHEMA.ordering, ...NULLABLE })
  @IsOptional()
  @IsIn(ORDERINGS, ONE_ORDERING)
  ordering?: Ordering | null

  @Documented({ ...WEBHOOK_SCHEMA.format, ...NULLABLE })
  @IsOptional()
  @IsIn(FORMATS, ONE_FORMAT)
  format?: Format | null
}

/** PATCH /v1/webhooks/{id}, by merge-patch: what is absent stays, null goes back to the default. */
export class PatchWebhookBody {
  static readonly example = { events: ['*'], filter: null, metadata: { team: 'billing' } }

  @IfPresent()
  @Faults(urlFaults, { ...WEBHOOK_SCHEMA.url, ...OPTIONAL })
  url?: string

  @IfPresent()
  @Faults(eventsFaults, { ...WEBHOOK_SCHEMA.events, ...OPTIONAL })
  events?: string[]

  /** Merged by name; null removes a field, or the filter. */
  @IsOptional()
  @Faults(filterPatchFaults, {
    ...WEBHOOK_SCHEMA.filter,
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
  @Faults(uidFaults, { ...WEBHOOK_SCHEMA.uid, ...NULLABLE })
  uid?: string | null

  @Documented({ ...WEBHOOK_SCHEMA.description, ...NULLABLE })
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(MAX_DESCRIPTION, TOO_LONG)
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
  @Faults(rateLimitFaults, { ...WEBHOOK_SCHEMA.rateLimit, ...NULLABLE })
  rate_limit?: RateLimitBody | null

  @IsOptional()
  @Faults(maxConcurrencyFaults, { ...WEBHOOK_SCHEMA.maxConcurrency, ...NULLABLE })
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

  @Documented({ ...WEBHOOK_SCHEMA.sendTraceparent, ...NULLABLE })
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

  @Documented({ ...WEBHOOK_SCHEMA.method, ...NULLABLE })
  @IsOptional()
  @IsIn(METHODS, ONE_METHOD)
  method?: Method | null

  @Documented({ ...WEBHOOK_SCHEMA.ordering, ...NULLABLE })
  @IsOptional()
  @IsIn(ORDERINGS, ONE_ORDERING)
  ordering?: Ordering | null

  @Documented({ ...WEBHOOK_SCHEMA.format, ...NULLABLE })
  @IsOptional()
  @IsIn(FORMATS, ONE_FORMAT)
  format?: Format | null
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null))
}
