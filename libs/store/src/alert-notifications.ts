import { alertMatches, type AlertMetric, type AlertSeverity, type MatchedAlert } from '@posthorn/webhook'
import type { AlertSetting } from './alert-settings.js'
import { readAlertSettings } from './alert-settings.js'
import { inTransaction } from './history-partitions.js'
import type { SqlClient, SqlPool } from './history-pool.js'

export type NotificationKind = 'firing' | 'repeat' | 'resolved' | 'test'

/** What one alert says in a notification; of a test there is no alert. */
export interface NotifiedAlert extends MatchedAlert {
  readonly id: string
  readonly metric: AlertMetric
  readonly severity: AlertSeverity
  readonly subject: string
  readonly value: number
  readonly threshold: number
  readonly windowSeconds: number
  readonly details: Readonly<Record<string, string | number>>
  readonly firedAt: Date
  readonly resolvedAt: Date | null
}

/** All that waits for one channel, to be told at once. */
export interface Notification {
  readonly channel: AlertSetting<'channel'>
  readonly seqs: readonly string[]
  readonly tries: number
  /** When the first of it was written. */
  readonly since: number
  readonly entries: readonly { readonly what: NotificationKind; readonly alert: NotifiedAlert | undefined }[]
}

export type Told =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly error: string; readonly due: number }
  | { readonly kind: 'failed'; readonly error: string }

/** Of one channel at most so many wait, the newest; of those so many are told at once. */
const MOST_WAITING = 1000
const MOST_AT_ONCE = 200
/** Longer than any way of telling may take: then whoever claimed it is dead. */
const CLAIM_MS = 120_000
/** A silenced one is looked at again so soon. */
const SILENCED_MS = 10_000

/** Channels and silences as they are, for a look. */
export interface AlertAudience {
  readonly channels: readonly AlertSetting<'channel'>[]
  readonly silences: readonly AlertSetting<'silence'>[]
}

export async function readAudience(client: Pick<SqlClient, 'query'>): Promise<AlertAudience> {
  return { channels: await readAlertSettings(client, 'channel'), silences: await readAlertSettings(client, 'silence') }
}

/** Whether nothing of an alert is told to what belongs to `owner` now: a tenant silences what is told itself alone. */
export function isSilenced(audience: AlertAudience, owner: string | null, alert: MatchedAlert, now: number): boolean {
  return audience.silences.some(
    ({ tenant, definition }) =>
      (tenant === null || tenant === owner) &&
      Date.parse(definition.startsAt) <= now &&
      now < Date.parse(definition.endsAt) &&
      alertMatches(definition, tenant, alert),
  )
}

const ADD = `insert into alert_notifications (alert, channel, what, status, due_at, created_at)
  values ($1, $2, $3, 'waiting', $4, $5)`
const TOLD = `select distinct channel from alert_notifications where alert = $1 and what = 'firing' and status <> 'failed'`

/** In the transaction in which an alert fires: whoever is to be told of it. */
export async function notifyFiring(
  client: SqlClient,
  { channels }: AlertAudience,
  seq: string,
  alert: MatchedAlert,
  now: number,
): Promise<void> {
  for (const { id, tenant, definition } of channels)
    if (definition.enabled && alertMatches(definition, tenant, alert))
      await add(client, seq, id, 'firing', now, definition.groupSeconds)
}

/** In the transaction in which it ends: whoever was told, or is to be told, that it fires. */
export async function notifyResolved(
  client: SqlClient,
  audience: AlertAudience,
  seq: string,
  now: number,
): Promise<void> {
  const { rows } = await client.query({ text: TOLD, values: [seq] })
  for (const { channel: told } of rows) {
    const channel = audience.channels.find(({ id }) => id === told)
    if (channel?.definition.sendResolved && channel.definition.enabled)
      await add(client, seq, channel.id, 'resolved', now, channel.definition.groupSeconds)
  }
}

async function add(
  client: SqlClient,
  alert: string | null,
  channel: string,
  what: NotificationKind,
  now: number,
  waitSeconds: number,
): Promise<void> {
  const [due, at] = [now + waitSeconds * 1000, now].map(ms => new Date(ms).toISOString())
  await client.query({ text: ADD, values: [alert, channel, what, due, at] })
}

const REPEATED = `insert into alert_notifications (alert, channel, what, status, due_at, created_at)
  select n.alert, n.channel, 'repeat', 'waiting', $3, $3
  from alert_notifications n join alerts a on a.seq = n.alert
  where n.channel = $1 and a.resolved_at is null
  group by n.alert, n.channel
  having max(n.ended_at) filter (where n.status = 'sent') <= $2
    and count(*) filter (where n.status = 'waiting') = 0`
const TOO_MANY = `update alert_notifications set status = 'failed', ended_at = $2,
    error = 'more than ${MOST_WAITING} notifications waited for this channel'
  where seq in (select seq from alert_notifications where channel = $1 and status = 'waiting'
    order by seq desc offset ${MOST_WAITING})`
const DUE = `select channel from alert_notifications
  where status = 'waiting' and due_at <= $1 and coalesce(claimed_until, due_at) <= $1
  group by channel order by min(due_at) limit 50`
// Not the end of what somebody tells the beginning of just now, or did when it was killed.
const WAITING = `select n.seq, n.what, n.tries, n.claimed_until as "claimedUntil", n.created_at as "createdAt", n.alert, a.rule, a.metric, a.severity, a.tenant,
    a.webhook, a.subject, a.value, a.threshold, a.window_seconds as "windowSeconds", a.details,
    a.fired_at as "firedAt", a.resolved_at as "resolvedAt"
  from alert_notifications n left join alerts a on a.seq = n.alert
  where n.channel = $1 and n.status = 'waiting' and coalesce(n.claimed_until, $2) <= $2
    and not exists (select from alert_notifications first where first.channel = n.channel and first.alert = n.alert
      and first.status = 'waiting' and first.claimed_until > $2)
  order by n.claimed_until nulls last, n.seq limit ${MOST_AT_ONCE} for update of n skip locked`
const CLAIM = 'update alert_notifications set claimed_until = $2, tries = tries + 1 where seq = any($1)'
const LATER = 'update alert_notifications set due_at = $2 where seq = any($1)'
const END = `update alert_notifications set status = $2, ended_at = $3, error = $4, claimed_until = null where seq = any($1)`
// A test is answered as it went.
const AGAIN = `update alert_notifications set due_at = $2, error = $3, claimed_until = null,
    status = case what when 'test' then 'failed' else status end, ended_at = case what when 'test' then now() end
  where seq = any($1)`

interface WaitingRow extends Omit<NotifiedAlert, 'id'> {
  readonly seq: string
  readonly what: NotificationKind
  readonly tries: number
  readonly claimedUntil: Date | null
  readonly createdAt: Date
  readonly alert: string | null
}

/**
 * Notifications from when they are written, with the alert, until they are told. Killed in between, they are told once
 * more: a claim ends by itself.
 */
export class AlertNotifications {
  constructor(private readonly pool: SqlPool) {}

  /** What is to be told now, a notification a channel; each is this process's for two minutes. */
  claim(now: number): Promise<readonly Notification[]> {
    return inTransaction(this.pool, async client => {
      const audience = await readAudience(client)
      for (const channel of audience.channels) await this.prepare(client, channel, now)
      const { rows } = await client.query({ text: DUE, values: [iso(now)] })
      const claimed: Notification[] = []
      for (const { channel: id } of rows) {
        const channel = audience.channels.find(one => one.id === id)
        const notification = channel && (await this.claimOf(client, channel, audience, now))
        if (notification) claimed.push(notification)
      }
      return claimed
    })
  }

  async ended({ seqs }: Pick<Notification, 'seqs'>, told: Told, now: number): Promise<void> {
    switch (told.kind) {
      case 'sent':
        return void (await this.pool.query(END, [seqs, 'sent', iso(now), null]))
      case 'failed':
        return void (await this.pool.query(END, [seqs, 'failed', iso(now), told.error]))
      case 'retry':
        return void (await this.pool.query(AGAIN, [seqs, iso(told.due), told.error]))
    }
  }

  /** How many wait. */
  async waiting(): Promise<number> {
    const { rows } = await this.pool.query(
      `select count(*)::int as n from alert_notifications where status = 'waiting'`,
    )
    return Number(rows[0]!.n)
  }

  private async prepare(client: SqlClient, { id, definition }: AlertSetting<'channel'>, now: number): Promise<void> {
    const { repeatSeconds, enabled } = definition
    if (repeatSeconds !== null && enabled)
      await client.query({ text: REPEATED, values: [id, iso(now - repeatSeconds * 1000), iso(now)] })
    await client.query({ text: TOO_MANY, values: [id, iso(now)] })
  }

  /** Also what is not due yet: it is told with the rest. */
  private async claimOf(
    client: SqlClient,
    channel: AlertSetting<'channel'>,
    audience: AlertAudience,
    now: number,
  ): Promise<Notification | undefined> {
    const { rows } = await client.query({ text: WAITING, values: [channel.id, iso(now)] })
    const waiting = together(rows as unknown as readonly WaitingRow[])
    const quiet = waiting.filter(row => row.alert !== null && isSilenced(audience, channel.tenant, row, now))
    const fate = quietFates(quiet, waiting)
    await this.end(client, END, fate.dropped, 'silenced', iso(now), null)
    await this.end(client, LATER, fate.later, iso(now + SILENCED_MS))
    const told = waiting.filter(({ seq }) => !fate.dropped.includes(seq) && !fate.later.includes(seq))
    if (told.length === 0) return undefined
    const seqs = told.map(({ seq }) => seq)
    await this.end(client, CLAIM, seqs, iso(now + CLAIM_MS))
    return {
      channel,
      seqs,
      tries: Math.max(...told.map(({ tries }) => tries)) + 1,
      since: Math.min(...told.map(({ createdAt }) => createdAt.getTime())),
      entries: told.map(({ what, alert, seq: _seq, tries: _tries, createdAt: _at, claimedUntil: _until, ...rest }) => ({
        what,
        alert: alert === null ? undefined : { id: `alert_${alert}`, ...rest },
      })),
    }
  }

  private async end(client: SqlClient, text: string, seqs: readonly string[], ...values: unknown[]): Promise<void> {
    if (seqs.length > 0) await client.query({ text, values: [seqs, ...values] })
  }
}

/** What one claim had is told again as it was, and alone: whoever has it already knows it by its Message-ID. */
function together(waiting: readonly WaitingRow[]): readonly WaitingRow[] {
  const until = waiting[0]?.claimedUntil?.getTime()
  return waiting.filter(({ claimedUntil }) => claimedUntil?.getTime() === until)
}

/**
 * Of what is silenced: an alert that still fires waits, to be told if it fires when the silence ends. One that has
 * ended untold is never told, nor is a repeat. That one ended of which somebody was told is told all the same.
 */
function quietFates(quiet: readonly WaitingRow[], waiting: readonly WaitingRow[]) {
  const untold = new Set(waiting.filter(({ what }) => what === 'firing').map(({ alert }) => alert))
  const isDropped = ({ what, alert, resolvedAt }: WaitingRow) =>
    what === 'repeat' || (resolvedAt !== null && untold.has(alert))
  const dropped = quiet.filter(isDropped)
  const later = quiet.filter(row => row.what === 'firing' && !isDropped(row))
  return { dropped: dropped.map(({ seq }) => seq), later: later.map(({ seq }) => seq) }
}

const iso = (ms: number): string => new Date(ms).toISOString()
