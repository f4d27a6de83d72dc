import { Transform } from 'class-transformer'
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator'
import { isEventType, RESERVED_PREFIX, type Problem } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'
import { IfPresent } from './webhooks.js'

const MODES = ['off', 'warn', 'enforce'] as const
export type SchemaModeName = (typeof MODES)[number]
const STATUSES = ['active', 'deprecated', 'archived'] as const
export type EventTypeStatus = (typeof STATUSES)[number]
const OWN_SCOPES = ['tenant', 'platform'] as const
export type OwnScope = (typeof OWN_SCOPES)[number]
const SCOPES = ['tenant', 'platform', 'built_in'] as const
export type EventTypeScope = (typeof SCOPES)[number]

const DESCRIPTION = 1024
const TEXT = { message: 'must be a string' }
const TOO_LONG = { message: `must have at most ${DESCRIPTION} characters` }
const oneOf = (values: readonly string[]) => ({ message: `must be one of ${values.join(', ')}` })
const ABSENT = { required: false } as const
const DESCRIBED = { type: 'string', maxLength: DESCRIPTION, required: false, nullable: true } as const
const MODE = { enum: [...MODES], description: 'What is done with events that do not fit.', ...ABSENT } as const
const SCHEMA = { type: 'object', description: 'JSON Schema of the data: 2020-12, or draft-07 by $schema.' } as const
const EXAMPLE = { type: 'object', description: 'Data that fits the schema.', ...ABSENT } as const
const TIME = { type: 'string', format: 'date-time' } as const
const NULLABLE_TIME = { ...TIME, nullable: true, description: 'null: built in.' } as const

/** As it was sent: what class-transformer makes of an object lacks members named constructor. */
const AsSent = () => Transform(({ obj, key }) => (obj as Record<string, unknown>)[key])

const typeFaults = (type: unknown): Problem[] => {
  if (!isEventType(type))
    return [{ pointer: '', message: 'must be dot-separated words of A-Z a-z 0-9 _ -, 128 characters at most' }]
  return type.startsWith(RESERVED_PREFIX)
    ? [{ pointer: '', message: `must not start with "${RESERVED_PREFIX}", which is reserved` }]
    : []
}

const objectFaults = (value: unknown): Problem[] => {
  if (value === undefined) return [{ pointer: '', message: 'is required' }]
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? []
    : [{ pointer: '', message: 'must be a JSON object' }]
}

/** POST /v1/event-types */
export class CreateEventTypeBody {
  static readonly example = {
    type: 'order.paid',
    description: 'A customer paid.',
    schema: { type: 'object', required: ['total'], properties: { total: { type: 'number' } } },
    example: { total: 120 },
    mode: 'enforce',
  }

  @Faults(typeFaults, { type: 'string', maxLength: 128 })
  type: string

  /** Whose it is: the caller's tenant's, unless said. */
  @Documented({ enum: [...OWN_SCOPES], default: 'tenant', ...ABSENT })
  @IfPresent()
  @IsIn(OWN_SCOPES, oneOf(OWN_SCOPES))
  scope?: OwnScope

  @Documented(DESCRIBED)
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  @AsSent()
  @IfPresent()
  @Faults(objectFaults, { ...SCHEMA, ...ABSENT })
  schema?: Record<string, unknown>

  @AsSent()
  @IfPresent()
  @Faults(objectFaults, EXAMPLE)
  example?: Record<string, unknown>

  @Documented({ ...MODE, default: 'off' })
  @IfPresent()
  @IsIn(MODES, oneOf(MODES))
  mode?: SchemaModeName
}

/** PATCH /v1/event-types/{type}, by merge-patch. */
export class PatchEventTypeBody {
  static readonly example = { mode: 'warn' }

  @Documented(DESCRIBED)
  @IsOptional()
  @IsString(TEXT)
  @MaxLength(DESCRIPTION, TOO_LONG)
  description?: string | null

  @AsSent()
  @IfPresent()
  @Faults(objectFaults, EXAMPLE)
  example?: Record<string, unknown>

  @Documented(MODE)
  @IfPresent()
  @IsIn(MODES, oneOf(MODES))
  mode?: SchemaModeName
}

/** POST /v1/event-types/{type}/versions */
export class AddVersionBody {
  static readonly example = {
    schema: {
      type: 'object',
      required: ['total'],
      properties: { total: { type: 'number' }, currency: { type: 'string' } },
    },
    example: { total: 120, currency: 'EUR' },
  }

  @AsSent()
  @Faults(objectFaults, SCHEMA)
  schema: Record<string, unknown>

  @AsSent()
  @IfPresent()
  @Faults(objectFaults, EXAMPLE)
  example?: Record<string, unknown>

  @Documented({ type: 'boolean', default: false, description: 'Take a version that breaks the one before.', ...ABSENT })
  @IfPresent()
  @IsIn([true, false], { message: 'must be true or false' })
  allow_breaking?: boolean
}

/** POST /v1/event-types/{type}/check: without a schema the data is held against the present one. */
export class CheckEventTypeBody {
  static readonly example = { data: { total: 120 } }

  @AsSent()
  @IfPresent()
  @Faults(objectFaults, { ...SCHEMA, ...ABSENT })
  schema?: Record<string, unknown>

  @AsSent()
  @Documented({ description: 'Any JSON value: the data of an event.', ...ABSENT })
  @IsOptional()
  data?: unknown
}

/** Which of several types of one name. */
export class EventTypeQuery {
  @Documented({
    enum: [...SCOPES],
    ...ABSENT,
    description: 'Whose type; unless set, the one that counts for the tenant.',
  })
  @IfPresent()
  @IsIn(SCOPES, oneOf(SCOPES))
  scope?: EventTypeScope
}

/** Whose type is changed: the tenant's own, unless said. */
export class OwnEventTypeQuery {
  @Documented({ enum: [...OWN_SCOPES], default: 'tenant', ...ABSENT, description: 'Whose type is changed.' })
  @IfPresent()
  @IsIn(OWN_SCOPES, oneOf(OWN_SCOPES))
  scope?: OwnScope
}

/** GET /v1/event-types */
export class ListEventTypesQuery extends ListQuery {
  @Documented({ enum: [...SCOPES], ...ABSENT, description: 'Only types of this owner.' })
  @IfPresent()
  @IsIn(SCOPES, oneOf(SCOPES))
  scope?: EventTypeScope

  @Documented({ enum: [...STATUSES], description: 'Archived types are listed only by this.', ...ABSENT })
  @IfPresent()
  @IsIn(STATUSES, oneOf(STATUSES))
  status?: EventTypeStatus
}

/** GET /v1/event-types/{type}/versions */
export class ListVersionsQuery extends ListQuery {
  @Documented({
    enum: [...SCOPES],
    ...ABSENT,
    description: 'Whose type; unless set, the one that counts for the tenant.',
  })
  @IfPresent()
  @IsIn(SCOPES, oneOf(SCOPES))
  scope?: EventTypeScope
}

/** An event type as a list has it. */
export class EventTypeView {
  @Documented({ type: 'string' }) readonly type: string
  @Documented({ enum: [...SCOPES] }) readonly scope: EventTypeScope
  @Documented({ enum: [...STATUSES] }) readonly status: EventTypeStatus
  @Documented({ enum: [...MODES] }) readonly mode: SchemaModeName
  @Documented({ type: 'string', nullable: true }) readonly description: string | null
  @Documented({ type: 'integer', description: 'Number of the newest version of the schema; 0 without one.' })
  readonly schema_version: number
  @Documented(NULLABLE_TIME) readonly created_at: string | null
  @Documented(NULLABLE_TIME) readonly updated_at: string | null
  @Documented({ type: 'integer', description: 'Grows with every change; 0: built in.' }) readonly version: number
}

/** The read of one event type. */
export class EventTypeDetailView extends EventTypeView {
  @Documented({ type: 'object', nullable: true }) readonly schema: object | null
  @Documented({ type: 'object', nullable: true }) readonly example: object | null
}

/** A difference between two versions. */
export class SchemaBreakView {
  @Documented({ type: 'string', description: 'JSON Pointer into the newer schema.' }) readonly pointer: string
  @Documented({ type: 'string', description: 'JSON Pointer into the data; * is any item or name.' })
  readonly data: string
  @Documented({ type: 'string' }) readonly message: string
}

/** One version as a list has it: its schema, of up to 256 KiB, is in the read of the version. */
export class SchemaVersionSummaryView {
  @Documented({ type: 'integer' }) readonly number: number
  @Documented({ type: 'boolean', description: 'It refuses what the version before allowed.' })
  readonly breaking: boolean
  @Documented(NULLABLE_TIME) readonly created_at: string | null
}

/** One version of a schema, with what it refuses that the one before allowed. */
export class SchemaVersionView {
  @Documented({ type: 'integer' }) readonly number: number
  @Documented({ type: 'object' }) readonly schema: object
  @Documented({ type: 'object', nullable: true }) readonly example: object | null
  @Documented({ type: 'array' }) readonly breaks: readonly SchemaBreakView[]
  @Documented(NULLABLE_TIME) readonly created_at: string | null
}

/** What a schema, or data, comes to. */
export class EventTypeCheckView {
  @Documented({ type: 'boolean', description: 'All that the present version allows is allowed.' })
  readonly compatible: boolean
  @Documented({ type: 'array', description: 'What publishers may send and is refused.' })
  readonly breaks: readonly SchemaBreakView[]
  @Documented({ type: 'array', description: 'What receivers may get that the present version does not allow.' })
  readonly news: readonly SchemaBreakView[]
  @Documented({ type: 'array', description: 'Keywords of the schema that have no meaning.' })
  readonly warnings: readonly { readonly pointer: string; readonly detail: string }[]
  @Documented({ type: 'array', description: 'Faults of the data.' })
  readonly faults: readonly { readonly pointer: string; readonly detail: string }[]
}

/** The answer to a new version. */
export class AddedVersionView extends SchemaVersionView {
  @Documented({ type: 'array', description: 'What receivers may get that the version before did not allow.' })
  readonly news: readonly SchemaBreakView[]
  @Documented({ type: 'array', description: 'Keywords of the schema that have no meaning.' })
  readonly warnings: readonly { readonly pointer: string; readonly detail: string }[]
}
