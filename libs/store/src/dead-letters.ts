import type { DeliveryStatus } from '@posthorn/webhook'
import { appendAudit, type AuditedChange } from './audit.js'
import type { Database } from './data-source.js'

/** Which of the open dead letters of a tenant. Times are RFC 3339, of acceptance. */
export interface DeadLetterSelection {
  readonly ids?: readonly string[]
  readonly webhook?: string
  /** Exact, or the words before `.*`. */
  readonly type?: { readonly exact: string } | { readonly prefix: string }
  readonly status?: readonly DeliveryStatus[]
  readonly from?: string
  readonly to: string
}

export interface Discarded {
  readonly discarded: number
  /** There are more than one transaction takes. */
  readonly more: boolean
}

/** Of one transaction: half a second of work, far below the time-out of a statement. */
export const DISCARDED_AT_ONCE = 10_000
const DEADLOCK = '40P01'
const TRIES = 3

/** Dead letters as they are given up for good. The entry on dead-letters.v1 stays: only retention removes it. */
export class DeadLetters {
  constructor(private readonly database: Database) {}

  async count(tenant: string, selection: DeadLetterSelection): Promise<number> {
    const { where, values } = conditions(tenant, selection)
    const [row] = (await this.database.manager.query(
      `select count(*) as count from history_deliveries where ${where}`,
      values,
    )) as [{ count: string }]
    return Number(row.count)
  }

  /**
   * Marks the oldest of them that are open, DISCARDED_AT_ONCE at most, and says so in the audit, in one
   * transaction. Of two at once each dead letter is one's. Throws ClaimTaken.
   */
  async discard(
    tenant: string,
    selection: DeadLetterSelection,
    by: string,
    audited: (discarded: number) => AuditedChange,
  ): Promise<Discarded> {
    for (let tries = 1; ; tries++)
      try {
        return await this.mark(tenant, selection, by, audited)
      } catch (error) {
        // The monitor writes the same rows, in the order of its log.
        if ((error as { code?: unknown }).code !== DEADLOCK || tries === TRIES) throw error
      }
  }

  private mark(
    tenant: string,
    selection: DeadLetterSelection,
    by: string,
    audited: (discarded: number) => AuditedChange,
  ): Promise<Discarded> {
    const { where, values } = conditions(tenant, selection)
    const most = `$${values.push(DISCARDED_AT_ONCE)}`
    const key = `$${values.push(by)}`
    return this.database.manager.transaction(async tx => {
      const [row] = (await tx.query(
        `with found as (
           select id, day from history_deliveries where ${where} order by day, accepted_at, id limit ${most} for update),
         marked as (
           update history_deliveries d set discarded_at = now(), discarded_by = ${key}
             from found f where d.id = f.id and d.day = f.day returning 1)
         select (select count(*) from found) as found, (select count(*) from marked) as marked`,
        values,
      )) as [{ found: string; marked: string }]
      const discarded = Number(row.marked)
      if (discarded > 0) await appendAudit(tx, audited(discarded))
      return { discarded, more: Number(row.found) === DISCARDED_AT_ONCE }
    })
  }
}

const DEAD = ['exhausted', 'expired', 'gone'] as const

/** The statuses stand in the text: only then does Postgres see that the partial indexes fit. */
function conditions(tenant: string, { ids, webhook, type, status, from, to }: DeadLetterSelection) {
  const values: unknown[] = [tenant]
  const bind = (value: unknown) => `$${values.push(value)}`
  const where = ['tenant = $1', `status in (${DEAD.map(one => `'${one}'`).join(', ')})`, 'discarded_at is null']
  if (status) where.push(`status = any(${bind(status)})`)
  if (ids) where.push(`id = any(${bind(ids)})`)
  if (webhook !== undefined) where.push(`webhook = ${bind(webhook)}`)
  if (type && 'exact' in type) where.push(`event_type = ${bind(type.exact)}`)
  if (type && 'prefix' in type) where.push(`starts_with(event_type, ${bind(`${type.prefix}.`)})`)
  if (from !== undefined) where.push(`day >= ${bind(utcDay(from))}::date and accepted_at >= ${bind(from)}::timestamptz`)
  where.push(`day <= ${bind(utcDay(to))}::date and accepted_at < ${bind(to)}::timestamptz`)
  return { where: where.join(' and '), values }
}

const utcDay = (time: string): string => new Date(time).toISOString().slice(0, 10)
