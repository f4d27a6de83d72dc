import {
  parseTypePattern,
  REPLAYABLE,
  type ReplayableStatus,
  type ReplaySelection,
  type WebhookEvent,
} from '@posthorn/webhook'
import { SOURCE_HASH } from './history-tables.js'

type HistorySelection = Extract<ReplaySelection, { kind: 'history' }>

/** A delivery of the history, as a replay needs it. */
export interface ReplayCandidate {
  readonly id: string
  readonly webhook: string
  readonly acceptedAt: Date
  /** Undefined when the history has only the delivery left. */
  readonly event: WebhookEvent | undefined
  readonly data: Buffer
}

export interface ReplayPlace {
  /** ms since the epoch. */
  readonly acceptedAt: number
  readonly id: string
}

/** A `pg` pool or a TypeORM DataSource. */
interface Source {
  query(text: string, values?: unknown[]): Promise<unknown>
}

/** A delivery, and its event as far as the history has it. */
interface CandidateColumns {
  readonly delivery: string
  readonly webhook: string
  readonly delivery_at: Date
  readonly tenant: string
  readonly id: string | null
  readonly source: string
  readonly type: string
  readonly contenttype: string
  readonly attributes: Partial<WebhookEvent>
  readonly time: Date
  readonly data: Buffer
}

/** Reads of the history for replays: in the order of acceptance, oldest first. */
export class ReplayQueries {
  constructor(private readonly source: Source) {}

  /** Which of these ids the history does not have. */
  async unknown(tenant: string, ids: readonly string[]): Promise<string[]> {
    const found = await this.rows<{ id: string }>(
      'select distinct id from history_deliveries where id = any($1) and tenant = $2',
      [ids, tenant],
    )
    const known = new Set(found.map(row => row.id))
    return ids.filter(id => !known.has(id))
  }

  /** Those of these ids whose dead letter was discarded. */
  async discarded(tenant: string, ids: readonly string[]): Promise<string[]> {
    const found = await this.rows<{ id: string }>(
      'select distinct id from history_deliveries where id = any($1) and tenant = $2 and discarded_at is not null',
      [ids, tenant],
    )
    return found.map(({ id }) => id)
  }

  /** But those that were discarded. */
  named(tenant: string, ids: readonly string[]): Promise<ReplayCandidate[]> {
    // An event published again after midnight has a second row: the first has the event's own time.
    const found = `select distinct on (id) * from history_deliveries
      where id = any($2) and tenant = $1 order by id, day`
    const open = `select * from (${found}) named where not exists (
      select 1 from history_deliveries g where g.id = named.id and g.tenant = $1 and g.discarded_at is not null)`
    return this.candidates(open, [tenant, ids])
  }

  /** Those that fit and were not sent by this run, nor a later one. */
  page(
    tenant: string,
    run: string,
    selection: HistorySelection,
    after: ReplayPlace | undefined,
    limit: number,
  ): Promise<ReplayCandidate[]> {
    const values: unknown[] = [tenant]
    const value = (given: unknown) => `$${values.push(given)}`
    const where = conditions(run, selection, value)
    if (after) {
      const at = new Date(after.acceptedAt).toISOString()
      where.push(`day >= ${value(at.slice(0, 10))}::date`)
      where.push(
        `(day, accepted_at, id) > (${value(at.slice(0, 10))}::date, ${value(at)}::timestamptz, ${value(after.id)})`,
      )
    }
    const found = `select * from history_deliveries where ${where.join(' and ')}
      order by day, accepted_at, id limit ${value(limit)}`
    return this.candidates(found, values)
  }

  async count(tenant: string, run: string, selection: HistorySelection): Promise<number> {
    const values: unknown[] = [tenant]
    const where = conditions(run, selection, given => `$${values.push(given)}`)
    const [row] = await this.rows<{ count: string }>(
      `select count(*) as count from history_deliveries where ${where.join(' and ')}`,
      values,
    )
    return Number(row!.count)
  }

  /** Which of these deliveries need no replay from the log: they were delivered or discarded, or are under way. */
  async settled(tenant: string, ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.rows<{ id: string }>(
      `select id from history_deliveries
        where id = any($1) and tenant = $2 and (status in ('delivered', 'pending', 'retry') or discarded_at is not null)`,
      [ids, tenant],
    )
    return new Set(rows.map(row => row.id))
  }

  /** Offsets of a partition, appended between two times (ms), that became poison for all webhooks. */
  async refused(topic: string, partition: number, from: number, to: number): Promise<Set<number>> {
    const rows = await this.rows<{ offset: number }>(
      `select "offset"::float8 as "offset" from history_poison
        where topic = $1 and partition = $2 and reason <> 'subscription_unreadable'
          and day >= $3::timestamptz::date - 1 and day <= $4::timestamptz::date + 1 and at >= $3 and at <= $4`,
      [topic, partition, new Date(from).toISOString(), new Date(to).toISOString()],
    )
    return new Set(rows.map(row => row.offset))
  }

  private async candidates(found: string, values: unknown[]): Promise<ReplayCandidate[]> {
    const rows = await this.rows<CandidateColumns>(
      `with d as materialized (${found})
       select d.id as delivery, d.webhook, d.accepted_at as delivery_at, e.*
         from d left join lateral (
           select tenant, id, source, type, contenttype, attributes, time, data, accepted_at
             from history_events e
            where e.tenant = d.tenant and e.id = d.event_id and e.source_hash = ${SOURCE_HASH('d.event_source')}
            order by accepted_at limit 1) e on true
        order by d.day, d.accepted_at, d.id`,
      values,
    )
    return rows.map(candidateOf)
  }

  private async rows<Row>(text: string, values: unknown[]): Promise<Row[]> {
    const result = await this.source.query(text, values)
    return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as Row[]
  }
}

function candidateOf({ delivery, webhook, delivery_at, time, data, ...row }: CandidateColumns): ReplayCandidate {
  const found = { id: delivery, webhook, acceptedAt: delivery_at }
  const { tenant, id, source, type, contenttype, attributes } = row
  if (id === null) return { ...found, event: undefined, data: Buffer.alloc(0) }
  return { ...found, event: { time: time.toISOString(), ...attributes, tenant, id, source, type, contenttype }, data }
}

/** The statuses stand in the text: only then does Postgres see that the partial indexes fit. */
function conditions(
  run: string,
  { webhook, type, status, from, to }: HistorySelection,
  value: (value: unknown) => string,
): string[] {
  const where = [
    'tenant = $1',
    'discarded_at is null',
    `run < ${value(run)}`,
    `status in (${REPLAYABLE.filter(one => status.includes(one))
      .map(quoted)
      .join()})`,
  ]
  if (webhook !== undefined) where.push(`webhook = ${value(webhook)}`)
  const pattern = type === undefined ? undefined : parseTypePattern(type)
  if (pattern?.kind === 'exact') where.push(`event_type = ${value(pattern.type)}`)
  if (pattern?.kind === 'prefix') where.push(`starts_with(event_type, ${value(`${pattern.prefix}.`)})`)
  if (from !== undefined)
    where.push(`day >= ${value(utcDay(from))}::date and accepted_at >= ${value(from)}::timestamptz`)
  where.push(`day <= ${value(utcDay(to))}::date and accepted_at < ${value(to)}::timestamptz`)
  return where
}

const quoted = (status: ReplayableStatus): string => `'${status}'`
const utcDay = (time: string): string => new Date(time).toISOString().slice(0, 10)
