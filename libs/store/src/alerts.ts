import type { AlertMetric, AlertSeverity, AlertState } from '@posthorn/webhook'
import { alertId } from './alert-keeper.js'
import type { NotificationKind } from './alert-notifications.js'
import type { Database } from './data-source.js'

export interface AlertRecord {
  readonly id: string
  /** Id of the rule: of a built-in one the name of its metric. */
  readonly rule: string
  readonly metric: AlertMetric
  readonly severity: AlertSeverity
  /** Null: of the platform. */
  readonly tenant: string | null
  readonly webhook: string | null
  readonly subject: string
  readonly value: number
  readonly threshold: number
  readonly windowSeconds: number
  readonly details: Readonly<Record<string, string | number>>
  readonly state: AlertState
}

/** How one channel was told of an alert. */
export interface NotificationRecord {
  readonly channel: string
  readonly what: NotificationKind
  readonly status: 'waiting' | 'sent' | 'failed' | 'silenced'
  readonly tries: number
  readonly error: string | null
  readonly createdAt: Date
  readonly endedAt: Date | null
}

export interface AlertFilter {
  /** Null: what concerns the platform; undefined: all. */
  readonly tenant: string | null | undefined
  readonly firing: boolean | undefined
  readonly webhook: string | undefined
  readonly rule: string | undefined
  readonly limit: number
  /** Alerts before this one. */
  readonly before: number | undefined
}

interface RawAlert extends Omit<AlertRecord, 'id' | 'state'> {
  readonly seq: string
  readonly firedAt: Date
  readonly resolvedAt: Date | null
  readonly resolvedBy: Extract<AlertState, { kind: 'resolved' }>['by']
}

const FIELDS = `seq, rule, metric, severity, tenant, webhook, subject, value, threshold,
  window_seconds as "windowSeconds", details, fired_at as "firedAt", resolved_at as "resolvedAt",
  resolved_by as "resolvedBy"`
const LIST = `select ${FIELDS} from alerts
  where ($1::boolean or tenant is not distinct from $2) and ($3::boolean is null or (resolved_at is null) = $3)
    and ($4::text is null or webhook = $4) and ($5::bigint is null or seq < $5)
    and ($7::text is null or rule = $7 or metric = $7)
  order by seq desc limit $6`
const GET = `select ${FIELDS} from alerts where seq = $1 and ($2::boolean or tenant is not distinct from $3)`
/** To a tenant those of its own channels alone. */
const NOTIFICATIONS = `select n.channel, n.what, n.status, n.tries, n.error, n.created_at as "createdAt",
    n.ended_at as "endedAt"
  from alert_notifications n join alert_settings c on c.id = n.channel
  where n.alert = $1 and ($2::boolean or c.tenant is not distinct from $3) order by n.seq desc limit 200`
const TEST = `insert into alert_notifications (alert, channel, what, status, due_at, created_at)
  values (null, $1, 'test', 'waiting', now(), now()) returning seq`
const TESTED = 'select status, tries, error from alert_notifications where seq = $1'

/** Alerts that fire, and those that did. */
export class Alerts {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  async list(filter: AlertFilter): Promise<{ rows: readonly AlertRecord[]; before?: number }> {
    const { tenant, firing, webhook, rule, limit, before } = filter
    const found = (await this.database.manager.query(LIST, [
      tenant === undefined,
      tenant ?? null,
      firing ?? null,
      webhook ?? null,
      before ?? null,
      limit + 1,
      rule ?? null,
    ])) as RawAlert[]
    const rows = found.slice(0, limit)
    return { rows: rows.map(recordOf), ...(found.length > limit ? { before: Number(rows.at(-1)!.seq) } : {}) }
  }

  /** `owner`: as in the filter. The latest notifications come first. */
  async get(
    owner: string | null | undefined,
    seq: number,
  ): Promise<{ alert: AlertRecord; notifications: readonly NotificationRecord[] } | undefined> {
    const values = [seq, owner === undefined, owner ?? null]
    const [found] = (await this.database.manager.query(GET, values)) as RawAlert[]
    if (!found) return undefined
    return { alert: recordOf(found), notifications: await this.database.manager.query(NOTIFICATIONS, values) }
  }

  /** Has a channel told of nothing but that it works; what became of it is for `tested`. */
  async test(channel: string): Promise<string> {
    const [row] = (await this.database.manager.query(TEST, [channel])) as { seq: string }[]
    return row!.seq
  }

  async tested(seq: string): Promise<Pick<NotificationRecord, 'status' | 'tries' | 'error'>> {
    const [row] = (await this.database.manager.query(TESTED, [seq])) as Pick<
      NotificationRecord,
      'status' | 'tries' | 'error'
    >[]
    return row ?? { status: 'failed', tries: 0, error: 'the channel was deleted meanwhile' }
  }
}

function recordOf({ seq, firedAt, resolvedAt, resolvedBy, ...rest }: RawAlert): AlertRecord {
  const since = firedAt.getTime()
  const state: AlertState =
    resolvedAt === null
      ? { kind: 'firing', since }
      : { kind: 'resolved', since, until: resolvedAt.getTime(), by: resolvedBy }
  return { id: alertId(seq), ...rest, state }
}
