import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { escapePointer, TENANT_PATTERN, type Problem } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'

export const TENANT_STATUSES = ['active', 'deleting', 'deleted'] as const
export type TenantStatus = (typeof TENANT_STATUSES)[number]

export const UNKNOWN_EVENT_TYPES = ['accept', 'refuse'] as const
export type UnknownEventTypesName = (typeof UNKNOWN_EVENT_TYPES)[number]

const DESCRIPTION = 1024
const MAX_QUOTA = 1_000_000
const TEXT = { message: 'must be a string' }
const TOO_LONG = { message: `must have at most ${DESCRIPTION} characters` }
const TIME = { type: 'string', format: 'date-time' } as const
const DESCRIBED = { type: 'string', maxLength: DESCRIPTION, required: false, nullable: true } as const
/** What each quota bounds; a webhook or filter more is refused, an event more is delivered after others. */
const QUOTA_NAMES = ['webhooks', 'unindexed_filters', 'events_per_second'] as const
const QUOTA = {
  type: 'integer',
  minimum: 0,
  maximum: MAX_QUOTA,
  nullable: true,
  description: 'null: no limit.',
} as const
const QUOTAS = {
  type: 'object',
  additionalProperties: false,
  properties: { webhooks: QUOTA, unindexed_filters: QUOTA, events_per_second: QUOTA },
} as const

const UNKNOWN_TYPES = {
  enum: [...UNKNOWN_EVENT_TYPES],
  default: 'accept',
  description: 'What is done with events of types that are not in the catalogue.',
} as const

export type QuotasView = { readonly [Q in (typeof QUOTA_NAMES)[number]]: number | null }

function quotasFaults(quotas: unknown): Problem[] {
  if (typeof quotas !== 'object' || quotas === null || Array.isArray(quotas))
    return [{ pointer: '', message: 'must be an object' }]
  return Object.entries(quotas).flatMap(([name, value]) => {
    const pointer = `/${escapePointer(name)}`
    if (!(QUOTA_NAMES as readonly string[]).includes(name)) return [{ pointer, message: 'is not a known field' }]
    const fits = value === null || (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_QUOTA)
    return fits ? [] : [{ pointer, message: `must be a whole number from 0 to ${MAX_QUOTA}, or null` }]
  })
}

const idFaults = (id: unknown): Problem[] =>
  typeof id === 'string' && TENANT_PATTERN.test(id)
    ? []
    : [{ pointer: '', message: 'must be 1 to 64 characters of A-Z a-z 0-9 _ -, the first a letter or digit' }]

/** POST /v1/tenants */
export class CreateTenantBody {
  static readonly example = { id: 'acme', description: 'Acme Inc.', quotas: { webhooks: 100 } }

  @Faults(idFaults, { type: 'string', pattern: TENANT_PATTERN.source })
  id: string

  @Documented(DESCRIBED)
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  @IsOptional()
  @Faults(quotasFaults, { ...QUOTAS, required: false, nullable: true })
  quotas?: Partial<QuotasView> | null

  @IsOptional()
  @Documented({ ...UNKNOWN_TYPES, required: false, nullable: true })
  @IsIn(UNKNOWN_EVENT_TYPES, { message: `must be one of ${UNKNOWN_EVENT_TYPES.join(', ')}` })
  unknown_event_types?: UnknownEventTypesName | null
}

/** PATCH /v1/tenants/{id}, by merge-patch. */
export class PatchTenantBody {
  static readonly example = { quotas: { webhooks: null } }

  @Documented(DESCRIBED)
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  @IsOptional()
  @Faults(quotasFaults, { ...QUOTAS, required: false, nullable: true })
  quotas?: Partial<QuotasView> | null

  @IsOptional()
  @Documented({ ...UNKNOWN_TYPES, required: false, nullable: true })
  @IsIn(UNKNOWN_EVENT_TYPES, { message: `must be one of ${UNKNOWN_EVENT_TYPES.join(', ')}` })
  unknown_event_types?: UnknownEventTypesName | null
}

/** GET /v1/tenants */
export class ListTenantsQuery extends ListQuery {
  @Documented({ enum: [...TENANT_STATUSES], required: false, description: 'Only tenants of this status.' })
  @IsOptional()
  @IsIn(TENANT_STATUSES, { message: `must be one of ${TENANT_STATUSES.join(', ')}` })
  status?: TenantStatus
}

/** How far the removal of a tenant's data has come: what was removed so far. */
export class DeletionView {
  @Documented(TIME) readonly started_at: string
  @Documented({ ...TIME, nullable: true }) readonly finished_at: string | null
  @Documented({ type: 'integer' }) readonly webhooks: number
  @Documented({ type: 'integer' }) readonly keys: number
  @Documented({ type: 'integer' }) readonly history_rows: number
}

export class TenantView {
  @Documented() readonly id: string
  @Documented({ enum: [...TENANT_STATUSES] }) readonly status: TenantStatus
  @Documented({ type: 'string', nullable: true }) readonly description: string | null
  @Documented({ ...QUOTAS }) readonly quotas: QuotasView
  @Documented({ enum: [...UNKNOWN_EVENT_TYPES] }) readonly unknown_event_types: UnknownEventTypesName
  @Documented({ type: DeletionView, nullable: true }) readonly deletion: DeletionView | null
  @Documented(TIME) readonly created_at: string
  @Documented(TIME) readonly updated_at: string
  @Documented({ type: 'integer' }) readonly version: number
}
