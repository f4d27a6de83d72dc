import {
  LEAST_ATTEMPTS,
  nextPhase,
  type AlertEnd,
  type AlertMetric,
  type AlertPhase,
  type AlertReading,
  type AlertRule,
  type AlertSubject,
} from '@posthorn/webhook'
import {
  notifyFiring,
  notifyResolved,
  readAudience,
  type AlertAudience,
  type NotifiedAlert,
} from './alert-notifications.js'
import { AlertReadings, type OutsideReadings } from './alert-readings.js'
import { readAlertSettings, rulesInForce } from './alert-settings.js'
import { raiseAlertEvent } from './alert-events.js'
import { inTransaction } from './history-partitions.js'
import type { SqlClient, SqlPool } from './history-pool.js'

export interface AlertOptions {
  readonly builtIn: readonly AlertRule[]
  /** Whose are the events about the platform. */
  readonly platformTenant: string
  readonly keptDays: number
}

/** An alert that has just fired or ended. */
export interface AlertChange extends NotifiedAlert {
  /** Undefined: it fires. */
  readonly ended: AlertEnd | undefined
}

type FiringAlert = NotifiedAlert & { readonly seq: string }

/** Ids of those that are there. */
interface Active {
  /** That take events. */
  readonly webhooks: ReadonlySet<string>
  readonly paused: ReadonlySet<string>
  readonly tenants: ReadonlySet<string>
}

/** What one look has read before it judges. */
interface Look {
  readonly client: SqlClient
  readonly now: number
  readonly readings: AlertReadings
  readonly audience: AlertAudience
  readonly firing: readonly FiringAlert[]
  /** Since when, ms, by name. */
  readonly pending: ReadonlyMap<string, number>
}

interface Judged {
  readonly rule: AlertRule
  readonly begins: readonly AlertReading[]
  readonly ends: readonly { readonly alert: FiringAlert; readonly reading: AlertReading | undefined }[]
  readonly pending: readonly { readonly name: string; readonly since: number }[]
}

/** Any fixed number: whoever looks holds it, and the others leave it to him. */
const ALERT_LOCK = 7_261_004
const DAY_MS = 24 * 3600_000
/** The longest window, and a little. */
const SIGNALS_KEPT_MS = DAY_MS + 3600_000

const FIRING = `select seq, 'alert_' || seq as id, rule, metric, severity, tenant, webhook, subject, value, threshold,
    window_seconds as "windowSeconds", details, fired_at as "firedAt", resolved_at as "resolvedAt"
  from alerts where resolved_at is null order by seq`
const WEBHOOKS = `select id from webhooks where id = any($1) and status = $2 and deleted_at is null`
const TENANTS = `select id from tenants where id = any($1) and status = $2`
const TENANT_OF = 'select id, tenant from webhooks where id = any($1)'
/** Attempts that delivered something else than an event of our own; more than enough of them are not counted. */
const FOREIGN = `select count(*)::int as attempts from (
    select from history_attempts a join history_deliveries d on d.id = a.delivery and d.tenant = a.tenant
    where a.tenant = $1 and a.webhook = $2 and a.started_at >= $3 and d.event_type not like 'posthorn.%'
    limit ${LEAST_ATTEMPTS}) as enough`
const FIRE = `insert into alerts
    (rule, metric, severity, tenant, webhook, subject, value, threshold, window_seconds, details, fired_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning seq`
const SILENCES_OVER = `delete from alert_settings where kind = 'silence' and (definition ->> 'endsAt')::timestamptz < $1`
const RESOLVE = 'update alerts set resolved_at = $2, resolved_by = $3 where seq = $1'

/**
 * Looks at what rules are about, and has alerts fire and end. An alert, the event that tells of it and the notifications
 * that do are one transaction: killed at any moment, none is there without the others.
 */
export class AlertKeeper {
  constructor(
    private readonly pool: SqlPool,
    private readonly options: AlertOptions,
  ) {}

  /** What has changed; nothing while another process looks. */
  look(now: number, outside: OutsideReadings = {}): Promise<readonly AlertChange[]> {
    return inTransaction(this.pool, async client => {
      const { rows } = await client.query(`select pg_try_advisory_xact_lock(${ALERT_LOCK}) as held`)
      if (rows[0]?.held !== true) return []
      await this.forget(client, now)
      return this.judge(await begin(client, now, await withTenants(client, outside)))
    })
  }

  /** How many fire, by rule. */
  async firing(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.pool.query(
      'select metric, count(*)::int as n from alerts where resolved_at is null group by metric',
    )
    return new Map(rows.map(({ metric, n }) => [String(metric), Number(n)]))
  }

  private async forget(client: SqlClient, now: number): Promise<void> {
    const before = (ms: number) => [new Date(now - ms).toISOString()]
    await client.query({
      text: 'delete from alerts where resolved_at < $1',
      values: before(this.options.keptDays * DAY_MS),
    })
    await client.query({ text: 'delete from alert_signals where at < $1', values: before(SIGNALS_KEPT_MS) })
    await client.query({ text: SILENCES_OVER, values: before(DAY_MS) })
  }

  private async judge(look: Look): Promise<AlertChange[]> {
    const rules = rulesInForce(this.options.builtIn, await readAlertSettings(look.client, 'rule')).filter(
      ({ enabled }) => enabled,
    )
    const judged: Judged[] = []
    for (const rule of rules) {
      const readings = await look.readings.of(rule)
      if (readings) judged.push(judgeRule(rule, readings, look))
    }
    const active = await activeOf(look.client, [...look.firing, ...judged.flatMap(({ begins }) => begins)])
    const changes: AlertChange[] = []
    const inForce = new Set(rules.map(({ id }) => id))
    for (const alert of look.firing)
      if (!inForce.has(alert.rule) || !isWatched(alert.metric, alert, active))
        changes.push(await this.resolve(look, alert, undefined, 'inactive', active))
    const over = new Set(changes.map(({ id }) => id))
    for (const { rule, begins, ends } of judged) {
      for (const { alert, reading } of ends)
        if (!over.has(alert.id)) changes.push(await this.resolve(look, alert, reading, 'recovered', active))
      for (const reading of begins)
        if (isWatched(rule.metric, reading, active) && (await isForeign(look, rule, reading)))
          changes.push(await this.fire(look, rule, reading))
    }
    await keepPending(look, rules, judged)
    return changes
  }

  private async fire(look: Look, rule: AlertRule, reading: AlertReading): Promise<AlertChange> {
    const { client, now, audience } = look
    const { tenant, webhook, subject, value, details } = reading
    const { id, metric, severity, threshold, windowSeconds } = rule
    const what = [id, metric, severity, tenant, webhook, subject, value, threshold, windowSeconds]
    const at = new Date(now)
    const { rows } = await client.query({ text: FIRE, values: [...what, JSON.stringify(details), at.toISOString()] })
    const seq = String(rows[0]!.seq)
    const alert: NotifiedAlert = {
      ...{ id: alertId(seq), rule: id, metric, severity, tenant, webhook, subject, value, threshold, windowSeconds },
      ...{ details, firedAt: at, resolvedAt: null },
    }
    await raiseAlertEvent(client, this.options.platformTenant, audience, alert, undefined, now)
    await notifyFiring(client, audience, seq, alert, now)
    return { ...alert, ended: undefined }
  }

  private async resolve(
    look: Look,
    firing: FiringAlert,
    reading: AlertReading | undefined,
    ended: AlertEnd,
    active: Active,
  ): Promise<AlertChange> {
    const { client, now, audience } = look
    const { seq, ...kept } = firing
    const at = new Date(now)
    await client.query({ text: RESOLVE, values: [seq, at.toISOString(), ended] })
    const latest = reading ? { value: reading.value, details: reading.details } : {}
    const alert: NotifiedAlert = { ...kept, ...latest, resolvedAt: at }
    // Of a tenant that is no more there is nobody to be told.
    if (isTenant(alert, active)) await raiseAlertEvent(client, this.options.platformTenant, audience, alert, ended, now)
    await notifyResolved(client, audience, seq, now)
    return { ...alert, ended }
  }
}

export function alertId(seq: string): string {
  return `alert_${seq}`
}

async function begin(client: SqlClient, now: number, outside: OutsideReadings): Promise<Look> {
  const firing = (await client.query(FIRING)).rows as unknown as readonly FiringAlert[]
  const pending = (await client.query('select name, since from alert_pending')).rows
  return {
    client,
    now,
    readings: new AlertReadings(client, now, outside),
    audience: await readAudience(client),
    firing,
    pending: new Map(pending.map(({ name, since }) => [String(name), (since as Date).getTime()])),
  }
}

/** Everything that the rule has a reading of, or that fires or is about to. */
function judgeRule(rule: AlertRule, readings: readonly AlertReading[], { firing, pending, now }: Look): Judged {
  const byName = new Map(readings.map(reading => [nameOf(rule.id, reading), reading]))
  const mine = new Map(firing.filter(alert => alert.rule === rule.id).map(alert => [nameOf(rule.id, alert), alert]))
  const begins: AlertReading[] = []
  const ends: Judged['ends'][number][] = []
  const waiting: Judged['pending'][number][] = []
  for (const name of new Set([...byName.keys(), ...mine.keys()])) {
    const [reading, alert, since] = [byName.get(name), mine.get(name), pending.get(name)]
    const before: AlertPhase = alert
      ? { kind: 'firing' }
      : since === undefined
        ? { kind: 'calm' }
        : { kind: 'pending', since }
    const phase = nextPhase(rule, before, reading, now)
    if (phase.kind === 'pending') waiting.push({ name, since: phase.since })
    if (phase.kind === 'firing' && !alert) begins.push(reading!)
    if (phase.kind === 'calm' && alert) ends.push({ alert, reading })
  }
  return { rule, begins, ends, pending: waiting }
}

/** What could not be read now is left as it was. */
async function keepPending({ client, pending, now }: Look, rules: readonly AlertRule[], judged: readonly Judged[]) {
  const next = new Map(judged.flatMap(one => one.pending.map(({ name, since }) => [name, since] as const)))
  const read = new Set(judged.map(({ rule }) => rule.id))
  const unread = new Set(rules.filter(({ id }) => !read.has(id)).map(({ id }) => id))
  const gone = [...pending.keys()].filter(name => !next.has(name) && !unread.has(ruleOf(name)))
  const added = [...next].filter(([name]) => !pending.has(name))
  if (gone.length > 0) await client.query({ text: 'delete from alert_pending where name = any($1)', values: [gone] })
  if (added.length === 0) return
  await client.query({
    text: 'insert into alert_pending (name, since) select unnest($1::text[]), $2 on conflict do nothing',
    values: [added.map(([name]) => name), new Date(now).toISOString()],
  })
}

function nameOf(rule: string, { tenant, webhook, subject }: AlertSubject): string {
  return JSON.stringify([rule, tenant, webhook, subject])
}

function ruleOf(name: string): string {
  return (JSON.parse(name) as [string])[0]
}

/** Kafka knows webhooks by their ids alone. */
async function withTenants(client: SqlClient, outside: OutsideReadings): Promise<OutsideReadings> {
  const parked = outside.parked_half_used
  if (!parked || parked.length === 0) return outside
  const { rows } = await client.query({ text: TENANT_OF, values: [parked.map(({ webhook }) => webhook)] })
  const tenants = new Map(rows.map(({ id, tenant }) => [id as string, tenant as string]))
  const known = parked.flatMap(one => {
    const tenant = tenants.get(one.webhook!)
    return tenant === undefined ? [] : [{ ...one, tenant }]
  })
  return { ...outside, parked_half_used: known }
}

/** What a webhook or tenant that takes no events any more did until just now is nobody's concern. */
function isWatched(metric: AlertMetric, one: AlertSubject, active: Active): boolean {
  if (!isTenant(one, active)) return false
  if (one.webhook === null || active.webhooks.has(one.webhook)) return true
  // What waits for a paused webhook is lost all the same.
  return metric === 'parked_half_used' && active.paused.has(one.webhook)
}

function isTenant({ tenant }: AlertSubject, { tenants }: Active): boolean {
  return tenant === null || tenants.has(tenant)
}

async function activeOf(client: SqlClient, some: readonly AlertSubject[]): Promise<Active> {
  const idsOf = async (text: string, ids: readonly (string | null)[], status: string) => {
    const asked = [...new Set(ids)].filter(id => id !== null)
    if (asked.length === 0) return new Set<string>()
    return new Set((await client.query({ text, values: [asked, status] })).rows.map(({ id }) => id as string))
  }
  const webhooks = some.map(({ webhook }) => webhook)
  const tenants = some.map(({ tenant }) => tenant)
  return {
    webhooks: await idsOf(WEBHOOKS, webhooks, 'active'),
    paused: await idsOf(WEBHOOKS, webhooks, 'paused'),
    tenants: await idsOf(TENANTS, tenants, 'active'),
  }
}

/** An alert of a webhook is never raised about the delivery of events of our own. */
async function isForeign({ client, now }: Look, rule: AlertRule, { tenant, webhook }: AlertSubject): Promise<boolean> {
  if (rule.metric !== 'webhook_success_rate') return true
  const from = new Date(now - rule.windowSeconds * 1000 - 60_000).toISOString()
  const { rows } = await client.query({ text: FOREIGN, values: [tenant, webhook, from] })
  return Number(rows[0]!.attempts) >= LEAST_ATTEMPTS
}
