import { metricSpec, type AlertMetric, type AlertReading, type AlertRule } from '@posthorn/webhook'
import { signalStep } from './alert-signals.js'
import { TENANT_TOTAL } from './history-entries.js'
import type { SqlClient } from './history-pool.js'

/** What was found out elsewhere, by metric; a metric that is absent is not known just now. */
export type OutsideReadings = Readonly<Partial<Record<AlertMetric, readonly AlertReading[]>>>

const MINUTE_MS = 60_000
const DAY_MS = 24 * 3600_000

const ATTEMPTS = `select tenant, webhook, sum(count)::float8 as attempts,
    coalesce(sum(count) filter (where outcome = 'delivered'), 0)::float8 as delivered
  from history_counters
  where minute >= $1 and day >= ($1::timestamptz at time zone 'UTC')::date and outcome <> 'discarded'
  group by tenant, webhook`
const SIGNALS = `select signal, tenant, webhook, sum(count)::float8 as count from alert_signals where at >= $1 group by 1, 2, 3`
const FAILING = `select tenant, webhook, counted_ms::float8 as ms, failures from webhook_health where since is not null`
const CERTIFICATES = 'select tenant, webhook, expires_at from receiver_certificates where expires_at < $1'

interface AttemptCount {
  readonly tenant: string
  readonly webhook: string
  readonly attempts: number
  readonly delivered: number
}

/** Reads for rules what the database knows: what several rules look at is read once. */
export class AlertReadings {
  private readonly attempts = new Map<number, Promise<readonly AttemptCount[]>>()
  private readonly signals = new Map<number, Promise<readonly Record<string, unknown>[]>>()

  constructor(
    private readonly client: SqlClient,
    private readonly now: number,
    private readonly outside: OutsideReadings,
  ) {}

  /** Of everything that the rule is about; undefined: not known now. */
  async of(rule: AlertRule): Promise<readonly AlertReading[] | undefined> {
    const { tenant, webhook } = rule
    const all = await this.all(rule)
    return all?.filter(
      one => (tenant === null || one.tenant === tenant) && (webhook === null || one.webhook === webhook),
    )
  }

  private async all({
    metric,
    windowSeconds,
    clear,
    threshold,
  }: AlertRule): Promise<readonly AlertReading[] | undefined> {
    switch (metric) {
      case 'webhook_success_rate':
      case 'tenant_success_rate':
      case 'platform_success_rate':
        return ratesOf(metric, await this.attemptsWithin(windowSeconds))
      case 'dead_letters':
      case 'poison':
      case 'refused_addresses':
      case 'wrong_keys':
        return this.counts(metric, windowSeconds)
      case 'webhook_failing':
        return this.failing()
      case 'certificate_expiring':
        return this.certificates(Math.max(clear, threshold))
      case 'parked_half_used':
      case 'retries_overdue':
      case 'consumer_stuck':
      case 'under_replicated':
      case 'retention_half_used':
        return this.outside[metric]
    }
  }

  /** Minutes are counted: a window begins with one. */
  private attemptsWithin(seconds: number): Promise<readonly AttemptCount[]> {
    const from = Math.floor((this.now - seconds * 1000) / MINUTE_MS) * MINUTE_MS
    return once(this.attempts, from, () => this.rows<AttemptCount>(ATTEMPTS, new Date(from).toISOString()))
  }

  /** Steps are counted: a window begins with one. */
  private async counts(metric: AlertMetric, seconds: number): Promise<readonly AlertReading[]> {
    const rows = await once(this.signals, seconds, () => this.rows(SIGNALS, signalStep(this.now - seconds * 1000)))
    const some = rows.filter(({ signal }) => signal === metric)
    return some.map(({ tenant, webhook, count }) => ({
      ...subjectOf(tenant, webhook),
      value: Number(count),
      details: { count: Number(count) },
    }))
  }

  private async failing(): Promise<readonly AlertReading[]> {
    const rows = await this.rows(FAILING)
    return rows.map(({ tenant, webhook, ms, failures }) => ({
      ...subjectOf(tenant, webhook),
      value: Number(ms) / 1000,
      details: { failures: Number(failures), failed_seconds: Math.floor(Number(ms) / 1000) },
    }))
  }

  private async certificates(days: number): Promise<readonly AlertReading[]> {
    const rows = await this.rows(CERTIFICATES, new Date(this.now + days * DAY_MS).toISOString())
    return rows.map(({ tenant, webhook, expires_at: end }) => ({
      ...subjectOf(tenant, webhook),
      value: ((end as Date).getTime() - this.now) / DAY_MS,
      details: { expires_at: (end as Date).toISOString() },
    }))
  }

  private async rows<T = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<readonly T[]> {
    return (await this.client.query({ text, values })).rows as readonly T[]
  }
}

function once<T>(kept: Map<number, Promise<T>>, key: number, read: () => Promise<T>): Promise<T> {
  const known = kept.get(key) ?? read()
  kept.set(key, known)
  return known
}

function subjectOf(tenant: unknown, webhook: unknown) {
  const text = (value: unknown) => (value === '' ? null : (value as string))
  return { tenant: text(tenant), webhook: text(webhook), subject: '' }
}

function ratesOf(metric: AlertMetric, counts: readonly AttemptCount[]): readonly AlertReading[] {
  const ofTenants = counts.filter(({ webhook }) => webhook === TENANT_TOTAL)
  switch (metricSpec(metric).about) {
    case 'webhook':
      return counts.filter(({ webhook }) => webhook !== TENANT_TOTAL).map(rateOf)
    case 'tenant':
      return ofTenants.map(rateOf)
    case 'platform': {
      const sum = (name: 'attempts' | 'delivered') => ofTenants.reduce((total, one) => total + one[name], 0)
      return [rateOf({ tenant: '', webhook: '', attempts: sum('attempts'), delivered: sum('delivered') })]
    }
  }
}

function rateOf({ tenant, webhook, attempts, delivered }: AttemptCount): AlertReading {
  const value = attempts === 0 ? 1 : delivered / attempts
  return { ...subjectOf(tenant, webhook), value, of: attempts, details: { attempts, delivered } }
}
