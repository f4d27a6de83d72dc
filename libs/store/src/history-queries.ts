import { DELIVERY_STATUSES, LIVE_RUN, type DeliveryStatus } from '@posthorn/webhook'
import {
  ATTEMPT_COLUMNS,
  DELIVERY_COLUMNS,
  deliveryOf,
  EVENT_COLUMNS,
  eventOf,
  rowsOf,
  type AttemptRecord,
  type DeliveryColumns,
  type DeliveryRecord,
  type EventColumns,
  type EventRecord,
  type SqlSource,
} from './history-records.js'
import { SOURCE_HASH } from './history-tables.js'

/** Reads of one thing in the history; lists are of HistoryLists. */
export class HistoryQueries {
  constructor(private readonly source: SqlSource) {}

  /** The event with its data; without a source the first accepted of that id. */
  async event(tenant: string, id: string, source?: string): Promise<EventRecord | undefined> {
    const bySource = source === undefined ? '' : ` and source_hash = ${SOURCE_HASH('$3::text')}`
    const rows = await rowsOf<EventColumns>(
      this.source,
      `select ${EVENT_COLUMNS}, data
         from history_events where tenant = $1 and id = $2${bySource} order by accepted_at limit 1`,
      source === undefined ? [tenant, id] : [tenant, id, source],
    )
    return rows[0] && eventOf(rows[0])
  }

  /** A delivery with the attempts of all its runs, in the order they were made. */
  async delivery(
    tenant: string,
    id: string,
  ): Promise<{ delivery: DeliveryRecord; attempts: readonly AttemptRecord[] } | undefined> {
    // By id alone: given the tenant too, Postgres without statistics of today may prefer an index of the tenant.
    // An event published again after midnight has a second row that nobody attempted.
    const found = await rowsOf<DeliveryColumns>(
      this.source,
      `with d as materialized (select * from history_deliveries where id = $1)
       select ${DELIVERY_COLUMNS} from d where tenant = $2 order by attempts > 0 desc, day desc limit 1`,
      [id, tenant],
    )
    if (!found[0]) return undefined
    const attempts = await rowsOf<AttemptRecord>(
      this.source,
      `with a as materialized (select * from history_attempts where delivery = $1)
       select ${ATTEMPT_COLUMNS} from a where tenant = $2 order by started_at, run, attempt`,
      [id, tenant],
    )
    return { delivery: deliveryOf(found[0]), attempts }
  }

  /**
   * The delivery that has to end before this one, of a webhook that keeps order: of its unfinished ones that came
   * earlier one that was attempted, or the first, of the same partitionkey if it orders by key.
   */
  async before(
    { tenant, webhook, id, event, acceptedAt }: DeliveryRecord,
    ordering: 'key' | 'webhook',
  ): Promise<string | undefined> {
    const identity = ordering === 'key' ? [event.id, event.source] : []
    const key = `(select attributes->>'partitionkey' from history_events
      where tenant = $1 and id = $5 and source_hash = ${SOURCE_HASH('$6::text')} order by accepted_at limit 1)`
    const sameKey = `exists (select 1 from history_events e where e.tenant = $1 and e.id = d.event_id
      and e.source_hash = ${SOURCE_HASH('d.event_source')} and e.attributes->>'partitionkey' = ${key})`
    const rows = await rowsOf<{ id: string }>(
      this.source,
      `select d.id from history_deliveries d
        where d.tenant = $1 and d.webhook = $2 and d.status in ('pending', 'retry') and d.run = '${LIVE_RUN}'
          and d.accepted_at < $3 and d.id <> $4 ${ordering === 'key' ? `and ${sameKey}` : ''}
        order by d.status = 'retry' desc, d.accepted_at limit 1`,
      [tenant, webhook, acceptedAt, id, ...identity],
    )
    return rows[0]?.id
  }

  /** How many deliveries of an event stand at each status. */
  async eventDeliveries(
    tenant: string,
    event: string,
    source: string,
  ): Promise<Readonly<Record<DeliveryStatus, number>>> {
    const rows = await rowsOf<{ status: DeliveryStatus; count: number }>(
      this.source,
      `select status, count(*)::int as count from history_deliveries
        where tenant = $1 and event_id = $2 and event_source = $3 group by status`,
      [tenant, event, source],
    )
    const counts = Object.fromEntries(DELIVERY_STATUSES.map(status => [status, 0])) as Record<DeliveryStatus, number>
    for (const { status, count } of rows) counts[status] = count
    return counts
  }
}
