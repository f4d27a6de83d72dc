import type { OutcomeKind } from '@posthorn/webhook'
import { TENANT_TOTAL } from './history-entries.js'
import { rowsOf, type SqlSource } from './history-records.js'

export interface StatsRange {
  /** Undefined for all webhooks of the tenant. */
  readonly webhook?: string
  /** ms since the epoch: whole minutes. */
  readonly from: number
  readonly to: number
  /** Length of a bucket; buckets begin at its multiples since the epoch. */
  readonly stepMs: number
}

/** What ended with one outcome within one bucket. */
export interface StatsCount {
  readonly start: Date
  readonly outcome: OutcomeKind
  readonly count: number
  /** Of all of them together, and of the longest one. */
  readonly durationMs: number
  readonly longestMs: number
}

/** Counts of attempts by the minute in which they ended, which the writer keeps beside them. */
export class HistoryStats {
  constructor(private readonly source: SqlSource) {}

  /** Buckets without an attempt are not there. */
  async counts(tenant: string, { webhook = TENANT_TOTAL, from, to, stepMs }: StatsRange): Promise<StatsCount[]> {
    const times = [new Date(from), new Date(to)].map(time => time.toISOString())
    return rowsOf<StatsCount>(
      this.source,
      `select date_bin($5::interval, minute, '1970-01-01T00:00Z') as start, outcome, sum(count)::float8 as count,
              sum(duration_ms) as "durationMs", max(longest_ms) as "longestMs"
         from history_counters
        where tenant = $1 and webhook = $2 and minute >= $3::timestamptz and minute < $4::timestamptz
          and day >= ($3::timestamptz at time zone 'UTC')::date and day <= ($4::timestamptz at time zone 'UTC')::date
        group by 1, 2 order by 1, 2`,
      [tenant, webhook, ...times, `${stepMs / 1000} seconds`],
    )
  }
}
