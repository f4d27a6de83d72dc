import {
  MAX_BUCKETS,
  OUTCOMES,
  type Caller,
  type StatsBucketView,
  type StatsQuery,
  type StatsStep,
  type StatsView,
} from '@posthorn/api'
import type { HistoryStats, StatsCount } from '@posthorn/store'
import type { OutcomeKind } from '@posthorn/webhook'
import type { TenantCases } from './tenants.js'
import { invalidRange, rangeOf } from './time-range.js'

const STEP_MS: Readonly<Record<StatsStep, number>> = { minute: 60_000, hour: 3600_000, day: 24 * 3600_000 }
/** Buckets unless a beginning is named. */
const USUAL: Readonly<Record<StatsStep, number>> = { minute: 60, hour: 24, day: 14 }

/** How deliveries went over time, from counters that the monitor keeps by the minute. */
export class StatsCases {
  constructor(
    private readonly history: HistoryStats,
    private readonly tenants: Pick<TenantCases, 'require'>,
  ) {}

  /** Every bucket of the range, in order of time, those without an attempt too. */
  async stats({ tenant }: Caller, query: StatsQuery, now = Date.now()): Promise<StatsView> {
    await this.tenants.require(tenant)
    const { webhook, step = 'hour' } = query
    const { from, to } = wholeRange(query, step, now)
    const counts = await this.history.counts(tenant, {
      ...(webhook ? { webhook } : {}),
      from,
      to,
      stepMs: STEP_MS[step],
    })
    return {
      webhook: webhook ?? null,
      step,
      from: iso(from),
      to: iso(to),
      data: buckets(counts, from, to, STEP_MS[step]),
    }
  }
}

/** The range in ms, widened to whole steps. Throws ApiError request_invalid where it has too many of them. */
function wholeRange(query: StatsQuery, step: StatsStep, now: number): { from: number; to: number } {
  const length = STEP_MS[step]
  const named = rangeOf(query.from, query.to)
  const to = Math.ceil((named.to ?? now) / length) * length
  const from = named.from === undefined ? to - USUAL[step] * length : Math.floor(named.from / length) * length
  if (from >= to) throw invalidRange('/from', 'must be before to, which is now unless given')
  if ((to - from) / length > MAX_BUCKETS)
    throw invalidRange('/from', `must be at most ${MAX_BUCKETS} steps of a ${step} before to`)
  return { from, to }
}

function buckets(counts: readonly StatsCount[], from: number, to: number, length: number): StatsBucketView[] {
  const byStart = new Map<number, StatsCount[]>()
  for (const count of counts) byStart.set(count.start.getTime(), [...(byStart.get(count.start.getTime()) ?? []), count])
  return Array.from({ length: (to - from) / length }, (_, n) => {
    const start = from + n * length
    return bucketView(start, byStart.get(start) ?? [])
  })
}

function bucketView(start: number, counts: readonly StatsCount[]): StatsBucketView {
  const outcomes = Object.fromEntries(OUTCOMES.map(outcome => [outcome, 0])) as Record<OutcomeKind, number>
  for (const { outcome, count } of counts) outcomes[outcome] = count
  const sent = counts.filter(({ outcome }) => outcome !== 'discarded')
  const attempts = sent.reduce((sum, { count }) => sum + count, 0)
  const spent = sent.reduce((sum, { durationMs }) => sum + durationMs, 0)
  return {
    start: iso(start),
    attempts,
    outcomes,
    success_rate: attempts === 0 ? null : outcomes.delivered / attempts,
    mean_duration_ms: attempts === 0 ? null : spent / attempts,
    max_duration_ms: attempts === 0 ? null : Math.max(...sent.map(({ longestMs }) => longestMs)),
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
