import type { AlertRule, AlertSeverity, AlertState } from '@posthorn/webhook'
import { alertId } from './alert-keeper.js'
import type { Database } from './data-source.js'

export interface AlertRecord {
  readonly id: string
  readonly rule: AlertRule
  readonly severity: AlertSeverity
  /** Null: of the platform. */
  readonly tenant: string | null
  readonly webhook: string | null
  readonly attempts: number
  readonly delivered: number
  readonly successRate: number
  readonly windowSeconds: number
  readonly state: AlertState
}

export interface AlertFilter {
  /** Null: what concerns the platform; undefined: all. */
  readonly tenant: string | null | undefined
  readonly firing: boolean | undefined
  readonly webhook: string | undefined
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

const LIST = `select seq, rule, severity, tenant, webhook, attempts::float8, delivered::float8,
    success_rate as "successRate", window_seconds as "windowSeconds", fired_at as "firedAt",
    resolved_at as "resolvedAt", resolved_by as "resolvedBy"
  from alerts
  where ($1::boolean or tenant is not distinct from $2) and ($3::boolean is null or (resolved_at is null) = $3)
    and ($4::text is null or webhook = $4) and ($5::bigint is null or seq < $5)
  order by seq desc limit $6`

/** Alerts that fire, and those that did. */
export class Alerts {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  async list(filter: AlertFilter): Promise<{ rows: readonly AlertRecord[]; before?: number }> {
    const { tenant, firing, webhook, limit, before } = filter
    const found = (await this.database.manager.query(LIST, [
      tenant === undefined,
      tenant ?? null,
      firing ?? null,
      webhook ?? null,
      before ?? null,
      limit + 1,
    ])) as RawAlert[]
    const rows = found.slice(0, limit)
    return { rows: rows.map(recordOf), ...(found.length > limit ? { before: Number(rows.at(-1)!.seq) } : {}) }
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
