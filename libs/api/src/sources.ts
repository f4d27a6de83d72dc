import { IsOptional } from 'class-validator'
import { parseSource, type EventMapping, type Problem, type SourceDefinition, type ValueSpec } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { ApiError } from './errors.js'
import { Faults } from './http-validation.js'
import { IfPresent } from './webhooks.js'

const STATUSES = ['active', 'paused'] as const
type ListedStatus = (typeof STATUSES)[number]

const SCHEMA = {
  topic: { type: 'string', maxLength: 249, description: 'Name of the one topic to read; or give a pattern.' },
  pattern: { type: 'string', maxLength: 256, description: 'Regular expression that matches whole names of topics.' },
  value: { enum: ['json', 'bytes'], default: 'json', description: 'What the values of the records are.' },
  start: {
    type: 'string',
    default: 'latest',
    description: 'earliest, latest, or an RFC 3339 time: where a topic is read from that was never read before.',
  },
  event: {
    type: 'object',
    description:
      'Where tenant, type, id, source, subject, key, time and contenttype come from: a text, {"header": name}, ' +
      '{"pointer": "/a/b"} or {"record": "key" | "key_base64" | "topic"}. tenant and type must be given.',
  },
  status: { enum: [...STATUSES] },
  time: { type: 'string', format: 'date-time' },
} as const
const NULLABLE = { required: false, nullable: true } as const

const text = (value: unknown): Problem[] =>
  typeof value === 'string' ? [] : [{ pointer: '', message: 'must be a string' }]
const object = (value: unknown): Problem[] => {
  if (value === undefined) return [{ pointer: '', message: 'is required' }]
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? []
    : [{ pointer: '', message: 'must be an object' }]
}
const status = (value: unknown): Problem[] =>
  STATUSES.includes(value as ListedStatus) ? [] : [{ pointer: '', message: 'must be active or paused' }]

/** An attribute of an event as a body has it: a text is a constant. */
export type ValueSpecBody = string | ValueSpec

/** POST /v1/sources. What the fields hold is checked all together by sourceDefinition(). */
export class CreateSourceBody {
  static readonly example = {
    topic: 'orders',
    value: 'json',
    start: 'end',
    event: { tenant: 'acme', type: { pointer: '/kind' }, id: { pointer: '/order/id' } },
  }

  @IsOptional()
  @Faults(text, { ...SCHEMA.topic, ...NULLABLE })
  topic?: string | null

  @IsOptional()
  @Faults(text, { ...SCHEMA.pattern, ...NULLABLE })
  pattern?: string | null

  @IsOptional()
  @Faults(text, { ...SCHEMA.value, ...NULLABLE })
  value?: string | null

  @IsOptional()
  @Faults(text, { ...SCHEMA.start, ...NULLABLE })
  start?: string | null

  @Faults(object, SCHEMA.event)
  event: Record<string, ValueSpecBody | null>
}

/** PATCH /v1/sources/{id}, by merge-patch: what is absent stays, null goes back to the default. */
export class PatchSourceBody {
  static readonly example = { status: 'paused' }

  @IsOptional()
  @Faults(text, { ...SCHEMA.topic, ...NULLABLE })
  topic?: string | null

  @IsOptional()
  @Faults(text, { ...SCHEMA.pattern, ...NULLABLE })
  pattern?: string | null

  @IsOptional()
  @Faults(text, { ...SCHEMA.value, ...NULLABLE })
  value?: string | null

  @IsOptional()
  @Faults(text, { ...SCHEMA.start, ...NULLABLE })
  start?: string | null

  /** Merged by attribute, each of which is replaced whole; null removes one. */
  @IfPresent()
  @Faults(object, { ...SCHEMA.event, required: false })
  event?: Record<string, ValueSpecBody | null>

  @IfPresent()
  @Faults(status, { ...SCHEMA.status, required: false })
  status?: ListedStatus
}

/** The definition that a body comes to, over the one there was. Throws ApiError request_invalid with every fault. */
export function sourceDefinition(
  body: CreateSourceBody | PatchSourceBody,
  before: SourceDefinition | undefined,
): SourceDefinition {
  const { topic, pattern, value, start, event } = body
  const merged = {
    ...before,
    ...given({ topic, pattern, value, start }),
    event: withoutNulls({ ...before?.event, ...event }),
  }
  const parsed = parseSource(withoutNulls(merged))
  if (parsed.kind === 'source') return parsed.definition
  const [first, ...more] = parsed.problems
  const rest = more.length > 0 ? ` (and ${more.length} more)` : ''
  throw new ApiError('request_invalid', `${first!.pointer} ${first!.message}${rest}.`, parsed.problems)
}

function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

/** How far a topic of a source is read, over all partitions. */
export class SourceLagView {
  @Documented({ type: 'string' }) readonly topic: string
  @Documented({ type: 'integer', description: 'Records not yet accepted.' }) readonly lag: number
}

/** A source as every read of it answers. Times are RFC 3339 with milliseconds. */
export class SourceView {
  @Documented({ type: 'string' }) readonly id: string
  @Documented(SCHEMA.status) readonly status: ListedStatus
  @Documented({ ...SCHEMA.topic, nullable: true }) readonly topic: string | null
  @Documented({ ...SCHEMA.pattern, nullable: true }) readonly pattern: string | null
  @Documented(SCHEMA.value) readonly value: 'json' | 'bytes'
  @Documented(SCHEMA.start) readonly start: string
  @Documented({ type: 'object' }) readonly event: EventMapping
  @Documented(SCHEMA.time) readonly created_at: string
  @Documented(SCHEMA.time) readonly updated_at: string
  @Documented({ type: 'integer' }) readonly version: number
}

/** The read of one source. */
export class SourceDetailView extends SourceView {
  @Documented({ type: 'string', description: 'The consumer group that reads it.' }) readonly group: string
  @Documented({ type: 'integer', nullable: true, description: 'Processes that read it; null: Kafka did not answer.' })
  readonly readers: number | null
  @Documented({ type: 'array', nullable: true, description: 'Of topics read so far; null: Kafka did not answer.' })
  readonly lag: readonly SourceLagView[] | null
}
