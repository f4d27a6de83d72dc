import type { EntityManager } from 'typeorm'
import type { Database } from './data-source.js'
import { markChanged, type ClaimedRequest } from './idempotency.js'

/** Who did something, and from where. */
export interface AuditActor {
  /** Id of the key; `platform` for the key of the environment. */
  readonly key: string
  readonly address: string
  readonly requestId: string
}

/** One change: what was done to what, and how it stood before and after, without secrets. */
export interface AuditEntry extends AuditActor {
  /** Null for what belongs to the platform. */
  readonly tenant: string | null
  readonly action: string
  readonly subject: string
  readonly before: object | null
  readonly after: object | null
}

/** An entry of a change, and the request that it belongs to, if that has an Idempotency-Key. */
export interface AuditedChange extends AuditEntry {
  readonly request?: ClaimedRequest | undefined
}

/** Makes the entry of a change; undefined where there was, or is, nothing. */
export type Audited<T> = (before: T | undefined, after: T | undefined) => AuditedChange

export interface AuditRecord extends AuditEntry {
  /** Grows with every entry. */
  readonly seq: number
  readonly at: Date
}

export interface AuditFilter {
  /** Null: what belongs to the platform; undefined: all. */
  readonly tenant?: string | null
  readonly subject?: string
  readonly action?: string
  readonly key?: string
  readonly from?: Date
  readonly to?: Date
  readonly limit: number
  /** Entries before this one. */
  readonly before?: number
}

/**
 * Within the transaction of the change, so that there is neither one without the other. Throws ClaimTaken.
 */
export async function appendAudit(tx: EntityManager, { request, ...entry }: AuditedChange): Promise<void> {
  if (request) await markChanged(tx, request)
  const { tenant, key, address, requestId, action, subject, before, after } = entry
  await tx.query(
    `INSERT INTO audit (tenant, key, address, request_id, action, subject, before, after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [tenant, key, address, requestId, action, subject, json(before), json(after)],
  )
}

const json = (value: object | null) => (value === null ? null : JSON.stringify(value))

interface RawRecord extends Omit<AuditRecord, 'seq' | 'requestId'> {
  readonly seq: string
  readonly request_id: string
}

/** What was changed, newest first. */
export class Audit {
  constructor(private readonly database: Database) {}

  async list(filter: AuditFilter): Promise<{ rows: readonly AuditRecord[]; before?: number }> {
    const { where, values } = conditions(filter)
    const found = (await this.database.manager.query(
      `SELECT * FROM audit ${where} ORDER BY seq DESC LIMIT ${filter.limit + 1}`,
      values,
    )) as RawRecord[]
    const rows = found.slice(0, filter.limit).map(({ seq, request_id, ...row }) => ({
      ...row,
      seq: Number(seq),
      requestId: request_id,
    }))
    return found.length > filter.limit ? { rows, before: rows.at(-1)!.seq } : { rows }
  }

  /** For what changes nothing and is recorded all the same, such as showing a secret. */
  async append(entry: AuditEntry): Promise<void> {
    await appendAudit(this.database.manager, entry)
  }
}

function conditions(filter: AuditFilter): { where: string; values: unknown[] } {
  const values: unknown[] = []
  const tests: string[] = []
  const add = (test: string, value: unknown) => {
    if (value !== undefined) tests.push(`${test} $${values.push(value)}`)
  }
  if (filter.tenant === null) tests.push('tenant IS NULL')
  else add('tenant =', filter.tenant)
  add('subject =', filter.subject)
  add('action =', filter.action)
  add('key =', filter.key)
  add('at >=', filter.from)
  add('at <', filter.to)
  add('seq <', filter.before)
  return { where: tests.length === 0 ? '' : `WHERE ${tests.join(' AND ')}`, values }
}
