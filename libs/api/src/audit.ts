import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { KEY_SCOPES } from './keys.js'
import { ListQuery } from './lists.js'

export const AUDIT_SCOPES = [...KEY_SCOPES, 'all'] as const
export type AuditScope = (typeof AUDIT_SCOPES)[number]

const MAX_TEXT = 256
const ONE = { message: 'must be given once' }
const TOO_LONG = { message: `must have at most ${MAX_TEXT} characters` }
const TIME = { type: 'string', format: 'date-time', required: false } as const
const TEXT = { type: 'string', maxLength: MAX_TEXT, required: false } as const
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i
export const timeFaults = (time: unknown) =>
  typeof time === 'string' && RFC3339.test(time) && !Number.isNaN(Date.parse(time))
    ? []
    : [{ pointer: '', message: 'must be an RFC 3339 time such as 2027-01-31T12:00:00Z' }]

/** GET /v1/audit */
export class ListAuditQuery extends ListQuery {
  @Documented({
    enum: [...AUDIT_SCOPES],
    default: 'tenant',
    required: false,
    description: 'Changes to what the tenant has, to what the platform has, or all.',
  })
  @IsOptional()
  @IsIn(AUDIT_SCOPES, { message: `must be one of ${AUDIT_SCOPES.join(', ')}` })
  scope?: AuditScope

  @Documented({ ...TEXT, description: 'Id of what was changed.' })
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_TEXT, TOO_LONG)
  subject?: string

  @Documented({ ...TEXT, description: 'Such as webhook.updated.' })
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_TEXT, TOO_LONG)
  action?: string

  @Documented({ ...TEXT, description: 'Id of the key that was used.' })
  @IsOptional()
  @IsString(ONE)
  @MaxLength(MAX_TEXT, TOO_LONG)
  key?: string

  @IsOptional()
  @Faults(timeFaults, { ...TIME, description: 'At this time or later.' })
  from?: string

  @IsOptional()
  @Faults(timeFaults, { ...TIME, description: 'Before this time.' })
  to?: string
}

/** One change: who made it, when, from where, and what it changed, without secrets. */
export class AuditView {
  @Documented({ type: 'integer' }) readonly seq: number
  @Documented({ type: 'string', format: 'date-time' }) readonly at: string
  @Documented({ type: 'string', nullable: true }) readonly tenant: string | null
  @Documented({ description: 'platform: the key of the environment.' }) readonly key: string
  @Documented() readonly address: string
  @Documented() readonly request_id: string
  @Documented() readonly action: string
  @Documented() readonly subject: string
  @Documented({ type: 'object', additionalProperties: true, nullable: true }) readonly before: object | null
  @Documented({ type: 'object', additionalProperties: true, nullable: true }) readonly after: object | null
}
