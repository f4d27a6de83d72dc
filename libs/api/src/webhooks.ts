import { IsIn, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator'
import type { WebhookStatus } from '@posthorn/webhook'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'
import {
  eventsFaults,
  metadataFaults,
  retryPolicyFaults,
  secretFaults,
  urlFaults,
  type RetryPolicyBody,
  type RetryPolicyView,
} from './webhook-fields.js'

/** Unlike IsOptional, null is a value: one that the field's own check refuses. */
const IfPresent = () => ValidateIf((_object, value) => value !== undefined)
const ONLY_STANDARD = { message: 'must be "standard": this version does not support other formats yet' }
const ONLY_POST = { message: 'must be "POST": this version does not support other methods yet' }
const TEXT = { message: 'must be a string' }
const DESCRIPTION = 1024
const TOO_LONG = { message: `must have at most ${DESCRIPTION} characters` }

/** POST /v1/webhooks */
export class CreateWebhookBody {
  @Faults(urlFaults)
  url: string

  @Faults(eventsFaults)
  events: string[]

  /** Made here when it is absent. */
  @IsOptional()
  @Faults(secretFaults)
  secret?: string | null

  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  @IsOptional()
  @Faults(metadataFaults)
  metadata?: Record<string, string> | null

  @IsOptional()
  @Faults(retryPolicyFaults)
  retry_policy?: RetryPolicyBody | null

  @IsOptional()
  @IsIn(['standard'], ONLY_STANDARD)
  format?: 'standard'

  @IsOptional()
  @IsIn(['POST'], ONLY_POST)
  method?: 'POST'
}

/** PATCH /v1/webhooks/{id}, by merge-patch: what is absent stays, null goes back to the default. */
export class PatchWebhookBody {
  @IfPresent()
  @Faults(urlFaults)
  url?: string

  @IfPresent()
  @Faults(eventsFaults)
  events?: string[]

  /** Replaces all secrets there were. */
  @IfPresent()
  @Faults(secretFaults)
  secret?: string

  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  /** Merged by name; null removes an entry, or all of them. */
  @IsOptional()
  @Faults(metadata => metadataFaults(withoutNulls(metadata)))
  metadata?: Record<string, string | null> | null

  @IsOptional()
  @Faults(retryPolicyFaults)
  retry_policy?: RetryPolicyBody | null

  @IfPresent()
  @IsIn(['active', 'disabled'], { message: 'must be active or disabled' })
  status?: 'active' | 'disabled'

  @IfPresent()
  @IsIn(['standard'], ONLY_STANDARD)
  format?: 'standard'

  @IfPresent()
  @IsIn(['POST'], ONLY_POST)
  method?: 'POST'
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null))
}

const LISTED_STATUSES: readonly WebhookStatus[] = ['pending', 'active', 'paused', 'disabled']

/** GET /v1/webhooks */
export class ListWebhooksQuery extends ListQuery {
  @IsOptional()
  @IsIn(LISTED_STATUSES, { message: `must be one of ${LISTED_STATUSES.join(', ')}` })
  status?: WebhookStatus
}

/** A webhook as every read of it answers. Times are RFC 3339 with milliseconds. */
export interface WebhookView {
  readonly id: string
  readonly status: WebhookStatus
  readonly url: string
  readonly method: 'POST'
  readonly events: readonly string[]
  readonly format: 'standard'
  readonly retry_policy: RetryPolicyView
  readonly description: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly created_at: string
  readonly updated_at: string
  readonly version: number
}

/** The answer to a creation, and the only one that has the secret. */
export interface CreatedWebhookView extends WebhookView {
  readonly secret: string
}
