import { DELIVERY_STATUSES, type DeliveryStatus, type WebhookEvent } from '@posthorn/webhook'
import { SOURCE_HASH } from './history-tables.js'

/** A `pg` pool or a TypeORM DataSource: both take text and values, and answer rows or a result with rows. */
export interface SqlSource {
  query(text: string, values?: unknown[]): Promise<unknown>
}

export interface EventRecord {
  readonly event: WebhookEvent
  readonly data: Buffer
  readonly acceptedAt: Date
}

export interface DeliveryRecord {
  readonly id: string
  readonly tenant: string
  readonly webhook: string
  readonly event: { readonly id: string; readonly source: string; readonly type: string }
  /** The run that the state below belongs to: the latest. */
  readonly run: string
  readonly status: DeliveryStatus
  /** Attempts made in that run. */
  readonly attempts: number
  readonly nextAttemptAt: Date | null
  readonly acceptedAt: Date
  readonly updatedAt: Date
  readonly lastErrorClass: string | null
  readonly lastStatusCode: number | null
}

export interface AttemptRecord {
  readonly run: string
  readonly attempt: number
  readonly webhookVersion: number
  readonly outcome: string
  readonly discardReason: string | null
  readonly dueAt: Date
  readonly startedAt: Date
  readonly finishedAt: Date
  readonly durationMs: number
  readonly url: string | null
  readonly statusCode: number | null
  readonly errorClass: string | null
  readonly error: string | null
  readonly advice: string | null
  readonly responseBody: string | null
  readonly nextAttemptAt: Date | null
  readonly next: string | null
  readonly traceId: string | null
  readonly spanId: string | null
}

export interface PoisonRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** When the log took the record. */
  readonly at: Date
  readonly reason: string
  readonly detail: string
  readonly pointers: readonly string[]
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of the whole value. */
  readonly size: number
  /** Its first 4,096 bytes. */
  readonly value: Buffer
}

/** Where a page ended; plain JSON, handed back unchanged for the next page. */
export interface DeliveriesAfter {
  /** ms since the epoch. */
  readonly acceptedAt: number
  readonly id: string
}

export interface PoisonAfter {
  readonly at: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface Page<T, After> {
  readonly rows: readonly T[]
  /** Undefined on the last page. */
  readonly after: After | undefined
}

export interface DeliveriesFilter {
  readonly webhook?: string
  readonly status?: DeliveryStatus
  /** An event's id, of whatever source. */
  readonly event?: string
  readonly limit: number
  readonly after?: DeliveriesAfter
}

/** Reads of the history. Every list is newest first. */
export class HistoryQueries {
  constructor(private readonly source: SqlSource) {}

  /** The event with its data; without a source the first accepted of that id. */
  async event(tenant: string, id: string, source?: string): Promise<EventRecord | undefined> {
    const bySource = source === undefined ? '' : ` and source_hash = ${SOURCE_HASH('$3::text')}`
    const rows = await this.rows<EventColumns>(
      `select tenant, id, source, type, contenttype, attributes, time, data, accepted_at
         from history_events where tenant = $1 and id = $2${bySource} order by accepted_at limit 1`,
      source === undefined ? [tenant, id] : [tenant, id, source],
    )
    return rows[0] && eventOf(rows[0])
  }

  async deliveries(tenant: string, filter: DeliveriesFilter): Promise<Page<DeliveryRecord, DeliveriesAfter>> {
    const values: unknown[] = [tenant]
    const rows = await this.rows<DeliveryRecord & { event_id: string; event_source: string; event_type: string }>(
      deliveriesSql(filter, value => `$${values.push(value)}`),
      values,
    )
    return pageOf(rows.map(deliveryOf), filter.limit, ({ acceptedAt, id }) => ({
      acceptedAt: acceptedAt.getTime(),
      id,
    }))
  }

  /** A delivery with the attempts of all its runs, in the order they were made. */
  async delivery(
    tenant: string,
    id: string,
  ): Promise<{ delivery: DeliveryRecord; attempts: readonly AttemptRecord[] } | undefined> {
    // By id alone: given the tenant too, Postgres without statistics of today may prefer an index of the tenant.
    // An event published again after midnight has a second row that nobody attempted.
    const found = await this.rows<DeliveryColumns>(
      `with d as materialized (select * from history_deliveries where id = $1)
       select ${DELIVERY_COLUMNS} from d where tenant = $2 order by attempts > 0 desc, day desc limit 1`,
      [id, tenant],
    )
    if (!found[0]) return undefined
    const attempts = await this.rows<AttemptRecord>(
      `select ${ATTEMPT_COLUMNS} from history_attempts
        where delivery = $1 and tenant = $2 order by started_at, run, attempt`,
      [id, tenant],
    )
    return { delivery: deliveryOf(found[0]), attempts }
  }

  /** How many deliveries of an event stand at each status. */
  async eventDeliveries(
    tenant: string,
    event: string,
    source: string,
  ): Promise<Readonly<Record<DeliveryStatus, number>>> {
    const rows = await this.rows<{ status: DeliveryStatus; count: number }>(
      `select status, count(*)::int as count from history_deliveries
        where tenant = $1 and event_id = $2 and event_source = $3 group by status`,
      [tenant, event, source],
    )
    const counts = Object.fromEntries(DELIVERY_STATUSES.map(status => [status, 0])) as Record<DeliveryStatus, number>
    for (const { status, count } of rows) counts[status] = count
    return counts
  }

  async poison(filter: {
    readonly limit: number
    readonly after?: PoisonAfter
  }): Promise<Page<PoisonRecord, PoisonAfter>> {
    const { after } = filter
    const where = after
      ? `where day <= $2 and (day, at, topic, partition, "offset") < ($2::date, $3::timestamptz, $4, $5::int, $6::bigint)`
      : ''
    const values = after ? [day(after.at), iso(after.at), after.topic, after.partition, after.offset] : []
    const rows = await this.rows<PoisonRecord>(
      `select topic, partition, "offset"::float8 as "offset", at, reason, detail, pointers, key, headers,
              size::float8 as size, substring(value from 1 for 4096) as value
         from history_poison p ${where}
        order by p.day desc, p.at desc, p.topic desc, p.partition desc, p."offset" desc limit $1`,
      [filter.limit + 1, ...values],
    )
    return pageOf(rows, filter.limit, ({ at, topic, partition, offset }) => ({
      at: at.getTime(),
      topic,
      partition,
      offset,
    }))
  }

  private async rows<Row>(text: string, values: unknown[]): Promise<Row[]> {
    const result = await this.source.query(text, values)
    return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as Row[]
  }
}

interface EventColumns {
  readonly tenant: string
  readonly id: string
  readonly source: string
  readonly type: string
  readonly contenttype: string
  readonly attributes: Partial<WebhookEvent>
  readonly time: Date
  readonly data: Buffer
  readonly accepted_at: Date
}

type DeliveryColumns = Omit<DeliveryRecord, 'event'> & {
  readonly event_id: string
  readonly event_source: string
  readonly event_type: string
}

const DELIVERY_COLUMNS = `id, tenant, webhook, event_id, event_source, event_type, run, status, attempts,
  next_attempt_at as "nextAttemptAt", accepted_at as "acceptedAt", updated_at as "updatedAt",
  last_error_class as "lastErrorClass", last_status_code as "lastStatusCode"`

const ATTEMPT_COLUMNS = `run, attempt, webhook_version as "webhookVersion", outcome,
  discard_reason as "discardReason", due_at as "dueAt", started_at as "startedAt", finished_at as "finishedAt",
  duration_ms as "durationMs", url, status_code as "statusCode", error_class as "errorClass", error, advice,
  response_body as "responseBody", next_attempt_at as "nextAttemptAt", next, trace_id as "traceId", span_id as "spanId"`

/**
 * The status stands in the text: only then does Postgres see that the partial indexes fit. The
 * event's deliveries are few and are found first: left to itself, Postgres without statistics of
 * today's partition may walk the whole order to find them.
 */
function deliveriesSql(filter: DeliveriesFilter, value: (value: unknown) => string): string {
  const where = ['tenant = $1']
  if (filter.webhook !== undefined) where.push(`webhook = ${value(filter.webhook)}`)
  if (filter.status !== undefined) where.push(`status = '${DELIVERY_STATUSES.find(known => known === filter.status)}'`)
  if (filter.event !== undefined) where.push(`event_id = ${value(filter.event)}`)
  if (filter.after) {
    const after = value(day(filter.after.acceptedAt))
    // Only the plain comparison of the day spares partitions.
    where.push(`day <= ${after}::date`)
    where.push(
      `(day, accepted_at, id) < (${after}::date, ${value(iso(filter.after.acceptedAt))}::timestamptz, ${value(filter.after.id)})`,
    )
  }
  const found = `select * from history_deliveries where ${where.join(' and ')}`
  const from = filter.event === undefined ? `(${found}) d` : 'd'
  return `${filter.event === undefined ? '' : `with d as materialized (${found}) `}select ${DELIVERY_COLUMNS} from ${from}
    order by day desc, accepted_at desc, id desc limit ${value(filter.limit + 1)}`
}

function eventOf(row: EventColumns): EventRecord {
  const { tenant, id, source, type, contenttype, attributes } = row
  return {
    event: { time: row.time.toISOString(), ...attributes, tenant, id, source, type, contenttype },
    data: row.data,
    acceptedAt: row.accepted_at,
  }
}

function deliveryOf({ event_id, event_source, event_type, ...row }: DeliveryColumns): DeliveryRecord {
  return { ...row, event: { id: event_id, source: event_source, type: event_type } }
}

/** One row more than the page was asked for tells whether there is another page. */
function pageOf<T, After>(rows: readonly T[], limit: number, after: (last: T) => After): Page<T, After> {
  const page = rows.slice(0, limit)
  return { rows: page, after: rows.length > limit ? after(page[page.length - 1]!) : undefined }
}

const iso = (ms: number): string => new Date(ms).toISOString()
const day = (ms: number): string => iso(ms).slice(0, 10)
