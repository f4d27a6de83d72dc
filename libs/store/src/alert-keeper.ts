import {
  ALERT_SEVERITY,
  isFiring,
  LEAST_ATTEMPTS,
  type AlertEnd,
  type AlertRule,
  type SuccessCount,
} from '@posthorn/webhook'
import { TENANT_TOTAL } from './history-entries.js'
import { inTransaction } from './history-partitions.js'
import type { SqlClient, SqlPool } from './history-pool.js'
import { raiseOwnEvent } from './own-events.js'

export interface AlertOptions {
  /** Alerts fire below it; 0: never. */
  readonly successRate: number
  /** Whole minutes are counted. */
  readonly windowSeconds: number
  /** Whose are the events about the platform. */
  readonly platformTenant: string
  readonly keptDays: number
}

/** An alert that has just fired or ended. */
export interface AlertChange {
  readonly alert: string
  readonly rule: AlertRule
  readonly tenant: string | null
  readonly webhook: string | null
  readonly count: SuccessCount
  /** Undefined: it fires. */
  readonly ended: AlertEnd | undefined
}

interface Watched {
  readonly rule: AlertRule
  readonly tenant: string | null
  readonly webhook: string | null
}
interface Counted extends Watched, SuccessCount {}
interface Firing extends Watched {
  readonly seq: string
  readonly fired_at: Date
}

/** Ids of those that take events. */
interface Active {
  readonly webhooks: ReadonlySet<string>
  readonly tenants: ReadonlySet<string>
}

/** Any fixed number: whoever looks holds it, and the others leave it to him. */
const ALERT_LOCK = 7_261_004
const MINUTE_MS = 60_000
const DAY_MS = 24 * 3600_000

const COUNTS = `select tenant, webhook, sum(count)::float8 as attempts,
    coalesce(sum(count) filter (where outcome = 'delivered'), 0)::float8 as delivered
  from history_counters
  where minute >= $1 and day >= ($1::timestamptz at time zone 'UTC')::date and outcome <> 'discarded'
  group by tenant, webhook`
const FIRING = `select seq, rule, tenant, webhook, fired_at from alerts where resolved_at is null`
const ACTIVE = `select id from webhooks where id = any($1) and status = 'active' and deleted_at is null`
const TENANTS = `select id from tenants where id = any($1) and status = 'active'`
/** Attempts that delivered something else than an event of our own; more than enough of them are not counted. */
const FOREIGN = `select count(*)::int as attempts from (
    select from history_attempts a join history_deliveries d on d.id = a.delivery and d.tenant = a.tenant
    where a.tenant = $1 and a.webhook = $2 and a.started_at >= $3 and d.event_type not like 'posthorn.%'
    limit ${LEAST_ATTEMPTS}) as enough`
const FIRE = `insert into alerts
    (rule, severity, tenant, webhook, attempts, delivered, success_rate, window_seconds, fired_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning seq`
const RESOLVE = 'update alerts set resolved_at = $2, resolved_by = $3 where seq = $1'
const FORGET = 'delete from alerts where resolved_at < $1'

/**
 * Looks at the counters of the last minutes, and has alerts fire and end. An alert and the event that tells of it
 * are one transaction: killed at any moment, neither is there without the other.
 */
export class AlertKeeper {
  constructor(
    private readonly pool: SqlPool,
    private readonly options: AlertOptions,
  ) {}

  /** What has changed; nothing while another process looks. */
  look(now: number): Promise<readonly AlertChange[]> {
    return inTransaction(this.pool, async client => {
      const { rows } = await client.query(`select pg_try_advisory_xact_lock(${ALERT_LOCK}) as held`)
      if (rows[0]?.held !== true) return []
      const forgotten = new Date(now - this.options.keptDays * DAY_MS).toISOString()
      await client.query({ text: FORGET, values: [forgotten] })
      return this.judge(client, now)
    })
  }

  /** How many fire, by rule. */
  async firing(): Promise<ReadonlyMap<AlertRule, number>> {
    const { rows } = await this.pool.query(
      'select rule, count(*)::int as n from alerts where resolved_at is null group by rule',
    )
    return new Map(rows.map(({ rule, n }) => [rule as AlertRule, Number(n)]))
  }

  private async judge(client: SqlClient, now: number): Promise<AlertChange[]> {
    const from = new Date(Math.floor((now - this.options.windowSeconds * 1000) / MINUTE_MS) * MINUTE_MS).toISOString()
    const counts = await this.counted(client, from)
    const firing = (await client.query(FIRING)).rows as unknown as Firing[]
    const known = new Map(firing.map(one => [nameOf(one), one]))
    const active = await activeOf(client, [...counts.values(), ...firing])
    const changes: AlertChange[] = []
    for (const one of firing) {
      const count = counts.get(nameOf(one)) ?? { attempts: 0, delivered: 0 }
      const ended = this.endOf(one, count, active)
      if (ended) changes.push(await this.resolve(client, one, count, ended, now, active))
    }
    for (const [name, count] of counts)
      if (!known.has(name) && isWatched(count, active) && isFiring(false, count, this.options.successRate))
        if (await isForeign(client, count, from)) changes.push(await this.fire(client, count, now))
    return changes
  }

  private endOf(one: Firing, count: SuccessCount, active: Active): AlertEnd | undefined {
    if (!isWatched(one, active)) return 'inactive'
    return isFiring(true, count, this.options.successRate) ? undefined : 'recovered'
  }

  /** Of each webhook, each tenant, and all together. */
  private async counted(client: SqlClient, from: string): Promise<Map<string, Counted>> {
    const { rows } = await client.query({ text: COUNTS, values: [from] })
    const counted = (rows as unknown as ({ tenant: string; webhook: string } & SuccessCount)[]).map(
      ({ tenant, webhook, attempts, delivered }): Counted =>
        webhook === TENANT_TOTAL
          ? { rule: 'tenant_success_rate', tenant, webhook: null, attempts, delivered }
          : { rule: 'webhook_success_rate', tenant, webhook, attempts, delivered },
    )
    const totals = counted.filter(({ rule }) => rule === 'tenant_success_rate')
    const all = {
      rule: 'platform_success_rate' as const,
      tenant: null,
      webhook: null,
      attempts: totals.reduce((sum, { attempts }) => sum + attempts, 0),
      delivered: totals.reduce((sum, { delivered }) => sum + delivered, 0),
    }
    return new Map([...counted, all].map(one => [nameOf(one), one]))
  }

  private async fire(client: SqlClient, one: Counted, now: number): Promise<AlertChange> {
    const { rule, tenant, webhook, attempts, delivered } = one
    const { successRate, windowSeconds } = this.options
    const at = new Date(now).toISOString()
    const what = [rule, ALERT_SEVERITY[rule], tenant, webhook, attempts, delivered, successRate, windowSeconds, at]
    const { rows } = await client.query({ text: FIRE, values: what })
    const seq = String(rows[0]!.seq)
    await this.tell(client, 'firing', seq, one, one, { fired_at: at }, at)
    return { alert: alertId(seq), rule, tenant, webhook, count: one, ended: undefined }
  }

  private async resolve(
    client: SqlClient,
    one: Firing,
    count: SuccessCount,
    ended: AlertEnd,
    now: number,
    active: Active,
  ): Promise<AlertChange> {
    const at = new Date(now).toISOString()
    await client.query({ text: RESOLVE, values: [one.seq, at, ended] })
    const times = { fired_at: one.fired_at.toISOString(), resolved_at: at, by: ended }
    // Of a tenant that is no more there is nobody to be told.
    if (isTenant(one, active)) await this.tell(client, 'resolved', one.seq, one, count, times, at)
    const { rule, tenant, webhook } = one
    return { alert: alertId(one.seq), rule, tenant, webhook, count, ended }
  }

  private async tell(
    client: SqlClient,
    what: 'firing' | 'resolved',
    seq: string,
    { rule, tenant, webhook }: Watched,
    { attempts, delivered }: SuccessCount,
    times: object,
    time: string,
  ): Promise<void> {
    const { successRate, windowSeconds, platformTenant } = this.options
    const about = { ...(tenant === null ? {} : { tenant }), ...(webhook === null ? {} : { webhook }) }
    const counted = { attempts, delivered, success_rate: successRate, window_seconds: windowSeconds }
    await raiseOwnEvent((text, values) => client.query({ text, values }), {
      id: `${alertId(seq)}.${what}`,
      tenant: tenant ?? platformTenant,
      type: `posthorn.alert.${what}`,
      subject: webhook ?? tenant ?? 'platform',
      time,
      data: { alert: alertId(seq), rule, severity: ALERT_SEVERITY[rule], ...about, ...counted, ...times },
    })
  }
}

export function alertId(seq: string): string {
  return `alert_${seq}`
}

function nameOf({ rule, tenant, webhook }: Watched): string {
  return `${rule} ${tenant ?? ''} ${webhook ?? ''}`
}

/** What a webhook or tenant that takes no events any more did until just now is nobody's concern. */
function isWatched(one: Watched, active: Active): boolean {
  return isTenant(one, active) && (one.webhook === null || active.webhooks.has(one.webhook))
}

function isTenant({ tenant }: Watched, { tenants }: Active): boolean {
  return tenant === null || tenants.has(tenant)
}

async function activeOf(client: SqlClient, some: readonly Watched[]): Promise<Active> {
  const idsOf = async (text: string, ids: readonly string[]) =>
    new Set((await client.query({ text, values: [[...new Set(ids)]] })).rows.map(({ id }) => id as string))
  const webhooks = await idsOf(
    ACTIVE,
    some.flatMap(({ webhook }) => webhook ?? []),
  )
  const tenants = await idsOf(
    TENANTS,
    some.flatMap(({ tenant }) => tenant ?? []),
  )
  return { webhooks, tenants }
}

/** An alert of a webhook is never raised about the delivery of events of our own. */
async function isForeign(client: SqlClient, { tenant, webhook }: Watched, from: string): Promise<boolean> {
  if (webhook === null) return true
  const { rows } = await client.query({ text: FOREIGN, values: [tenant, webhook, from] })
  return Number(rows[0]!.attempts) >= LEAST_ATTEMPTS
}
