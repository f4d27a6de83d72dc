import { DELIVERY_STATUSES, LIVE_RUN, type DeliveryStatus, type OutcomeKind } from '@posthorn/webhook'
import { equals, keysetPage, type Condition, type KeysetFilter, type KeysetList, type Page } from './history-keyset.js'
import {
  ATTEMPT_COLUMNS,
  DELIVERY_COLUMNS,
  deliveryOf,
  EVENT_COLUMNS,
  eventHeadOf,
  type AttemptRecord,
  type DeliveryColumns,
  type DeliveryRecord,
  type EventColumns,
  type EventHead,
  type PoisonRecord,
  type SqlSource,
} from './history-records.js'

/** Where a page ended; plain JSON, handed back unchanged for the next page. Times are ms since the epoch. */
export interface EventsAfter {
  readonly acceptedAt: number
  readonly id: string
  /** Hash of the source, in hex. */
  readonly source: string
}
export interface DeliveriesAfter {
  readonly acceptedAt: number
  readonly id: string
}
export interface AttemptsAfter {
  readonly startedAt: number
  readonly delivery: string
  readonly run: string
  readonly attempt: number
}
export interface PoisonAfter {
  readonly at: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What every list takes: rows from a time on and before another, in ms since the epoch. */
interface Paged<After> {
  readonly from?: number
  readonly to?: number
  readonly limit: number
  readonly after?: After
}
export interface EventsFilter extends Paged<EventsAfter> {
  readonly type?: string
  readonly source?: string
}
export interface DeliveriesFilter extends Paged<DeliveriesAfter> {
  readonly webhook?: string
  readonly status?: DeliveryStatus
  /** The event's type. */
  readonly type?: string
  /** An event's id, of whatever source. */
  readonly event?: string
  /** Of the last run of the delivery. */
  readonly run?: string
}
export interface DeadLettersFilter extends Omit<DeliveriesFilter, 'run'> {
  /** Unless set: open. */
  readonly state?: 'open' | 'discarded'
}
export interface AttemptsFilter extends Paged<AttemptsAfter> {
  readonly webhook?: string
  readonly outcome?: OutcomeKind
  readonly type?: string
  readonly delivery?: string
  readonly run?: string
}
export interface PoisonFilter extends Paged<PoisonAfter> {
  readonly topic?: string
  readonly reason?: string
  /** Null: of no tenant that is known; undefined: all. */
  readonly tenant?: string | null
  readonly redriven?: boolean
}

/** The lists of the history, newest first. */
export class HistoryLists {
  constructor(private readonly source: SqlSource) {}

  events(tenant: string, { type, source, ...page }: EventsFilter): Promise<Page<EventHead, EventsAfter>> {
    const sought = [equals('tenant', tenant), ...given('type', type)]
    return keysetPage(this.source, EVENTS, { ...page, sought, sifted: given('source', source) })
  }

  deliveries(tenant: string, filter: DeliveriesFilter): Promise<Page<DeliveryRecord, DeliveriesAfter>> {
    const { webhook, status, type, event, run, ...page } = filter
    const sought = seekDeliveries(tenant, { webhook, status, type, event, run })
    return keysetPage(this.source, DELIVERIES, { ...page, ...sought })
  }

  /** Deliveries that ended without success. */
  deadLetters(tenant: string, filter: DeadLettersFilter): Promise<Page<DeliveryRecord, DeliveriesAfter>> {
    const { webhook, status, type, event, state, ...page } = filter
    const few = event === undefined ? {} : { few: true }
    const discarded = state === 'discarded'
    const ended = discarded ? [() => DEAD, () => 'h.discarded_at is not null'] : [() => OPEN]
    const which = discarded ? { sought: [], sifted: ended } : { sought: ended, sifted: [] }
    const own = [equals('tenant', tenant), ...given('event_id', event), ...given('webhook', webhook)]
    return keysetPage(this.source, DELIVERIES, {
      ...page,
      ...few,
      sought: [...own, ...which.sought],
      sifted: [...which.sifted, ...literal('status', status), ...given('event_type', type)],
    })
  }

  attempts(tenant: string, filter: AttemptsFilter): Promise<Page<AttemptRecord, AttemptsAfter>> {
    const { webhook, outcome, type, delivery, run, ...page } = filter
    const sought = seekAttempts(tenant, { webhook, outcome, type, delivery, run })
    return keysetPage(this.source, ATTEMPTS, { ...page, ...sought })
  }

  poison({ topic, reason, tenant, redriven, ...page }: PoisonFilter): Promise<Page<PoisonRecord, PoisonAfter>> {
    const marked = redriven === undefined ? [] : [() => `(h.redriven_at is not null) = ${redriven}`]
    const sifted = [...given('topic', topic), ...given('reason', reason), ...marked]
    const sought = tenant === null ? [() => 'h.tenant is null'] : given('tenant', tenant)
    return keysetPage(this.source, POISON, { ...page, sought, sifted })
  }
}

type Sought = Pick<KeysetFilter<unknown>, 'sought' | 'sifted' | 'few'>
type Unpaged<F> = Omit<F, keyof Paged<unknown>>

/**
 * Statuses stand in the text: only then does Postgres see that the partial indexes fit. What nearly
 * all rows are (delivered) has none. Whatever the index has no column for is sifted.
 */
function seekDeliveries(tenant: string, filter: Unpaged<DeliveriesFilter>): Sought {
  const status = literal('status', filter.status)
  const type = given('event_type', filter.type)
  const webhook = given('webhook', filter.webhook)
  const run = given('run', filter.run)
  const own = equals('tenant', tenant)
  if (filter.event !== undefined) {
    const sought = [own, equals('event_id', filter.event)]
    return { few: true, sought, sifted: [...webhook, ...status, ...type, ...run] }
  }
  if (isReplay(filter.run)) return { sought: [own, ...run, REPLAYED], sifted: [...webhook, ...status, ...type] }
  const rare = filter.status !== undefined && filter.status !== 'delivered'
  if (webhook.length > 0 || rare)
    return { sought: [own, ...webhook, ...(rare ? status : [])], sifted: [...(rare ? [] : status), ...type, ...run] }
  return { sought: [own, ...type], sifted: [...status, ...run] }
}

function seekAttempts(tenant: string, filter: Unpaged<AttemptsFilter>): Sought {
  const outcome = literal('outcome', filter.outcome)
  const webhook = given('webhook', filter.webhook)
  const type = filter.type === undefined ? [] : [ofType(filter.type)]
  const run = given('run', filter.run)
  const own = equals('tenant', tenant)
  // By the delivery alone, for the reason that HistoryQueries.delivery has.
  if (filter.delivery !== undefined) {
    const sought = [equals('delivery', filter.delivery)]
    return { few: true, sought, sifted: [own, ...webhook, ...outcome, ...type, ...run] }
  }
  if (isReplay(filter.run)) return { sought: [own, ...run, REPLAYED], sifted: [...webhook, ...outcome, ...type] }
  const rare = filter.outcome !== undefined && filter.outcome !== 'delivered'
  const sought = [own, ...webhook, ...(rare ? outcome : [])]
  return { sought, sifted: [...(rare ? [] : outcome), ...type, ...run] }
}

/** Replays have indexes; live traffic is nearly all there is. */
const isReplay = (run: string | undefined): boolean => run !== undefined && run !== LIVE_RUN
const REPLAYED: Condition = () => `h.run <> '${LIVE_RUN}'`

/** Found by the key, row by row: an `exists` could become a join with all deliveries. */
function ofType(type: string): Condition {
  return bind =>
    `(select d.event_type from history_deliveries d where d.id = h.delivery and d.day = h.day) = ${bind(type)}`
}

function given(column: string, value: string | undefined): Condition[] {
  return value === undefined ? [] : [equals(column, value)]
}

/** Only words of the catalogue reach the text. */
function literal(column: string, status: DeliveryStatus | undefined): Condition[] {
  const known = DELIVERY_STATUSES.find(each => each === status)
  return known === undefined ? [] : [() => `h.${column} = '${known}'`]
}

/** What isDeadLetter says; the partial indexes have the same words. */
const DEAD = `h.status in ('exhausted', 'expired', 'gone')`
const OPEN = `${DEAD} and h.discarded_at is null`
const iso = (ms: number): string => new Date(ms).toISOString()
const day = (ms: number): string => iso(ms).slice(0, 10)
const timestamp = (column: string) => ({ column, type: 'timestamptz' })
const text = (column: string) => ({ column, type: 'text' })

/** Of tables whose days are those of the order itself. */
const byDay = {
  timed: (time: number) => [day(time), iso(time)],
  // The comparison of the order does not spare partitions, only a plain one of the day does.
  prune: (from: number): Condition[] => [bind => `h.day >= ${bind(day(from))}::date`],
}

type EventPage = EventColumns & { readonly source_hash: string }
const EVENTS: KeysetList<EventPage, EventHead, EventsAfter> = {
  ...byDay,
  table: 'history_events',
  columns: `${EVENT_COLUMNS}, encode(source_hash, 'hex') as source_hash`,
  key: `accepted_at, id, encode(source_hash, 'hex') as source_hash`,
  order: [
    { column: 'day', type: 'date', of: ({ acceptedAt }) => day(acceptedAt) },
    { ...timestamp('accepted_at'), of: ({ acceptedAt }) => iso(acceptedAt) },
    { ...text('id'), of: ({ id }) => id },
    { column: 'source_hash', type: 'bytea', of: ({ source }) => Buffer.from(source, 'hex') },
  ],
  timeOf: ({ acceptedAt }) => acceptedAt,
  rowOf: eventHeadOf,
  placeOf: row => ({ acceptedAt: row.accepted_at.getTime(), id: row.id, source: row.source_hash }),
}

const DELIVERIES: KeysetList<DeliveryColumns, DeliveryRecord, DeliveriesAfter> = {
  ...byDay,
  table: 'history_deliveries',
  columns: DELIVERY_COLUMNS,
  key: 'accepted_at as "acceptedAt", id',
  order: [
    { column: 'day', type: 'date', of: ({ acceptedAt }) => day(acceptedAt) },
    { ...timestamp('accepted_at'), of: ({ acceptedAt }) => iso(acceptedAt) },
    { ...text('id'), of: ({ id }) => id },
  ],
  timeOf: ({ acceptedAt }) => acceptedAt,
  rowOf: deliveryOf,
  placeOf: ({ acceptedAt, id }) => ({ acceptedAt: acceptedAt.getTime(), id }),
}

/**
 * An attempt lies with the day on which its event was accepted, which may be long before: the newest of
 * each day are merged.
 */
const ATTEMPTS: KeysetList<AttemptRecord, AttemptRecord, AttemptsAfter> = {
  table: 'history_attempts',
  columns: ATTEMPT_COLUMNS,
  key: 'started_at as "startedAt", delivery, run, attempt',
  order: [
    { ...timestamp('started_at'), of: ({ startedAt }) => iso(startedAt) },
    { ...text('delivery'), of: ({ delivery }) => delivery },
    { ...text('run'), of: ({ run }) => run },
    { column: 'attempt', type: 'int', of: ({ attempt }) => attempt },
  ],
  timed: time => [iso(time)],
  prune: () => [],
  timeOf: ({ startedAt }) => startedAt,
  rowOf: row => row,
  placeOf: ({ startedAt, delivery, run, attempt }) => ({ startedAt: startedAt.getTime(), delivery, run, attempt }),
}

/** Of a record without its value. */
export const POISON_COLUMNS = `topic, partition, "offset"::float8 as "offset", at, reason, detail, pointers, key, headers,
    size::float8 as size, octet_length(value) as kept, partial, tenant, source, reader, webhook, count, previous,
    redriven_at as "redrivenAt", redriven_by as "redrivenBy"`

const POISON: KeysetList<PoisonRecord, PoisonRecord, PoisonAfter> = {
  ...byDay,
  table: 'history_poison',
  columns: `${POISON_COLUMNS}, substring(value from 1 for 4096) as value`,
  key: 'topic, partition, "offset"::float8 as "offset", at',
  order: [
    { column: 'day', type: 'date', of: ({ at }) => day(at) },
    { ...timestamp('at'), of: ({ at }) => iso(at) },
    { ...text('topic'), of: ({ topic }) => topic },
    { column: 'partition', type: 'int', of: ({ partition }) => partition },
    { column: '"offset"', type: 'bigint', of: ({ offset }) => offset },
  ],
  timeOf: ({ at }) => at,
  rowOf: row => row,
  placeOf: ({ at, topic, partition, offset }) => ({ at: at.getTime(), topic, partition, offset }),
}
