import { IsBoolean, IsIn, IsOptional } from 'class-validator'
import {
  parseTypePattern,
  REPLAY_STATUSES,
  REPLAYABLE,
  UNDELIVERED,
  type Problem,
  type ReplayableStatus,
  type ReplaySelection,
  type ReplayStatus,
} from '@posthorn/webhook'
import { timeFaults } from './audit.js'
import { Documented } from './documented.js'
import { ApiError } from './errors.js'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'
import { IfPresent } from './webhooks.js'

const MAX_NAMED = 1000
const MAX_RATE = 10_000
const DEFAULT_RATE = 100
const SOURCES = ['history', 'log'] as const
const DELIVERY_ID = /^delivery_[0-9a-z]{26}$/
const WEBHOOK_ID = /^webhook_[0-9a-z]{26}$/

export const REPLAY_SCHEMA = {
  deliveries: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: MAX_NAMED,
    description: 'Ids of deliveries, whatever they came to. Nothing else is chosen then.',
  },
  source: {
    enum: [...SOURCES],
    default: 'history',
    description: 'history: deliveries there were; log: every event that the webhook takes as it is now.',
  },
  webhook: { type: 'string', description: 'Id of a webhook. The log is replayed to one webhook.' },
  eventType: { type: 'string', description: 'An event type, or a pattern such as agent.*.' },
  status: {
    type: 'array',
    items: { enum: [...REPLAYABLE] },
    minItems: 1,
    description: 'What the deliveries came to; unless given, everything that ended without success.',
  },
  from: { type: 'string', format: 'date-time', description: 'Events accepted at this time or later.' },
  to: { type: 'string', format: 'date-time', description: 'Events accepted before this time; unless given, now.' },
  dryRun: { type: 'boolean', default: false, description: 'Counts only: nothing is sent.' },
  rate: { type: 'integer', minimum: 1, maximum: MAX_RATE, default: DEFAULT_RATE, description: 'Deliveries a second.' },
  time: { type: 'string', format: 'date-time' },
  count: { type: 'integer' },
} as const

const OPTIONAL = { required: false } as const
const fault = (message: string): Problem[] => [{ pointer: '', message }]

export function deliveriesFaults(value: unknown): Problem[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_NAMED)
    return fault(`must be an array of 1 to ${MAX_NAMED} ids of deliveries`)
  return value.flatMap((id, i) =>
    typeof id === 'string' && DELIVERY_ID.test(id)
      ? []
      : [{ pointer: `/${i}`, message: 'must be the id of a delivery' }],
  )
}

function statusFaults(value: unknown): Problem[] {
  const allowed = REPLAYABLE.join(', ')
  if (!Array.isArray(value) || value.length === 0 || value.length > REPLAYABLE.length)
    return fault(`must be an array of one or more of ${allowed}`)
  return value.flatMap((status, i) =>
    REPLAYABLE.includes(status as ReplayableStatus) ? [] : [{ pointer: `/${i}`, message: `must be one of ${allowed}` }],
  )
}

export const webhookFaults = (value: unknown) =>
  typeof value === 'string' && WEBHOOK_ID.test(value) ? [] : fault('must be the id of a webhook')
export const typeFaults = (value: unknown) =>
  parseTypePattern(value) ? [] : fault('must be an event type, or a pattern such as agent.*')
const rateFaults = (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_RATE
    ? []
    : fault(`must be a whole number from 1 to ${MAX_RATE}`)

/** POST /v1/replays. Which fields go together is checked by replaySelection(). */
export class CreateReplayBody {
  static readonly example = {
    webhook: 'webhook_01k9x3c5q8r7s6t4v2w1y0zabc',
    status: ['exhausted', 'expired'],
    from: '2026-01-31T12:00:00Z',
    rate: 50,
  }

  @IfPresent()
  @Faults(deliveriesFaults, { ...REPLAY_SCHEMA.deliveries, ...OPTIONAL })
  deliveries?: string[]

  @Documented({ ...REPLAY_SCHEMA.source, ...OPTIONAL })
  @IfPresent()
  @IsIn(SOURCES, { message: `must be one of ${SOURCES.join(', ')}` })
  source?: (typeof SOURCES)[number]

  @IfPresent()
  @Faults(webhookFaults, { ...REPLAY_SCHEMA.webhook, ...OPTIONAL })
  webhook?: string

  @IfPresent()
  @Faults(typeFaults, { ...REPLAY_SCHEMA.eventType, ...OPTIONAL })
  event_type?: string

  @IfPresent()
  @Faults(statusFaults, { ...REPLAY_SCHEMA.status, ...OPTIONAL })
  status?: ReplayableStatus[]

  @IfPresent()
  @Faults(timeFaults, { ...REPLAY_SCHEMA.from, ...OPTIONAL })
  from?: string

  @IfPresent()
  @Faults(timeFaults, { ...REPLAY_SCHEMA.to, ...OPTIONAL })
  to?: string

  @Documented({ ...REPLAY_SCHEMA.dryRun, ...OPTIONAL })
  @IfPresent()
  @IsBoolean({ message: 'must be true or false' })
  dry_run = false

  @Faults(rateFaults, { ...REPLAY_SCHEMA.rate, ...OPTIONAL })
  rate = DEFAULT_RATE
}

/** PATCH /v1/replays/{id} */
export class PatchReplayBody {
  static readonly example = { rate: 200 }

  @IfPresent()
  @Faults(rateFaults, { ...REPLAY_SCHEMA.rate, ...OPTIONAL })
  rate?: number
}

/** GET /v1/replays */
export class ListReplaysQuery extends ListQuery {
  @Documented({ enum: [...REPLAY_STATUSES], ...OPTIONAL, description: 'Only replays of this status.' })
  @IsOptional()
  @IsIn(REPLAY_STATUSES, { message: `must be one of ${REPLAY_STATUSES.join(', ')}` })
  status?: ReplayStatus
}

/**
 * What a body chooses; `now` in ms is where it ends unless said. Throws ApiError request_invalid with
 * every field that does not go with the others.
 */
export function replaySelection(body: CreateReplayBody, now: number): ReplaySelection {
  refuse([...mismatches(body), ...timeMismatches(body, now)])
  const { deliveries, source, webhook, event_type: type, status = UNDELIVERED, from } = body
  if (deliveries) return { kind: 'deliveries', ids: [...new Set(deliveries)] }
  const to = body.to ?? new Date(now).toISOString()
  if (source === 'log') return { kind: 'log', webhook: webhook!, from: from!, to }
  return { kind: 'history', ...given({ webhook, type, from }), status: [...new Set(status)], to }
}

/** Throws ApiError request_invalid with all of them, if there are any. */
export function refuse(problems: readonly Problem[]): void {
  const [first, ...more] = problems
  if (!first) return
  const rest = more.length > 0 ? ` (and ${more.length} more)` : ''
  throw new ApiError('request_invalid', `${first.pointer || 'The body'} ${first.message}${rest}.`, problems)
}

function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

function mismatches(body: CreateReplayBody): Problem[] {
  const not = (names: readonly (keyof CreateReplayBody)[], message: string) =>
    names.filter(name => body[name] !== undefined).map(name => ({ pointer: `/${name}`, message }))
  if (body.deliveries)
    return not(['source', 'webhook', 'event_type', 'status', 'from', 'to'], 'must not be given beside deliveries')
  if (body.source === 'log') {
    const missing = (['webhook', 'from'] as const).filter(name => body[name] === undefined)
    const needed = missing.map(name => ({ pointer: `/${name}`, message: 'is required with the source log' }))
    return [...needed, ...not(['event_type', 'status'], 'must not be given with the source log')]
  }
  const { webhook, event_type: type, status, from } = body
  return webhook === undefined && type === undefined && status === undefined && from === undefined
    ? fault('must have deliveries, webhook, event_type, status or from')
    : []
}

export function timeMismatches({ from, to }: Pick<CreateReplayBody, 'from' | 'to'>, now: number): Problem[] {
  const end = to === undefined ? now : Date.parse(to)
  if (end > now + 60_000) return [{ pointer: '/to', message: 'must not be in the future' }]
  return from !== undefined && Date.parse(from) >= end
    ? [{ pointer: '/from', message: to === undefined ? 'must be in the past' : 'must be before to' }]
    : []
}

/** A replay as every read of it answers. Its id is the run of the deliveries that it sends. */
export class ReplayView {
  @Documented({ type: 'string' }) readonly id: string
  @Documented({ enum: [...REPLAY_STATUSES] }) readonly status: ReplayStatus
  @Documented({ ...REPLAY_SCHEMA.deliveries, nullable: true }) readonly deliveries: readonly string[] | null
  @Documented({ enum: [...SOURCES], nullable: true }) readonly source: (typeof SOURCES)[number] | null
  @Documented({ ...REPLAY_SCHEMA.webhook, nullable: true }) readonly webhook: string | null
  @Documented({ ...REPLAY_SCHEMA.eventType, nullable: true }) readonly event_type: string | null
  /** Of the deliveries that are chosen; the replay's own is `status`. */
  @Documented({ type: 'array', items: { enum: [...REPLAYABLE] }, nullable: true })
  readonly delivery_status: readonly ReplayableStatus[] | null
  @Documented({ ...REPLAY_SCHEMA.time, nullable: true }) readonly from: string | null
  @Documented({ ...REPLAY_SCHEMA.time, nullable: true }) readonly to: string | null
  @Documented({ type: 'boolean' }) readonly dry_run: boolean
  @Documented({ type: 'integer' }) readonly rate: number
  @Documented({ ...REPLAY_SCHEMA.count, nullable: true, description: 'Deliveries, or records of the log, to look at.' })
  readonly total: number | null
  @Documented({ ...REPLAY_SCHEMA.count, description: 'Of these, how many were looked at.' }) readonly examined: number
  @Documented({ ...REPLAY_SCHEMA.count, description: 'Of these, deliveries to be sent.' }) readonly matched: number
  @Documented({ ...REPLAY_SCHEMA.count, description: 'Sent to the queue of the webhook.' }) readonly sent: number
  @Documented({ ...REPLAY_SCHEMA.count, description: 'Delivered or under way, or its event or webhook is gone.' })
  readonly skipped: number
  @Documented({ type: 'string', nullable: true, description: 'Why it failed.' }) readonly failure: string | null
  @Documented(REPLAY_SCHEMA.time) readonly created_at: string
  @Documented(REPLAY_SCHEMA.time) readonly updated_at: string
  @Documented({ ...REPLAY_SCHEMA.time, nullable: true }) readonly finished_at: string | null
}
