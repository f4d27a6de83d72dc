import type { EntityManager } from 'typeorm'
import type { Database } from './data-source.js'

/** A request that this process runs. Its start tells it from a later one with the same key, when it was taken for dead. */
export interface ClaimedRequest {
  readonly scope: string
  readonly key: string
  readonly startedAt: Date
}

/** Where a request with an Idempotency-Key stands. */
export type IdempotencyClaim =
  /** It is the first one, or the first one died: to be run, and answered by keep or given back by release. */
  | { readonly kind: 'ours'; readonly request: ClaimedRequest }
  | { readonly kind: 'answered'; readonly sealedAnswer: string }
  | { readonly kind: 'running' }
  /** What it changed is committed, and its answer is lost. */
  | { readonly kind: 'lost' }
  /** The key was used for another request. */
  | { readonly kind: 'other' }

/** The request was taken for dead, and another one with its key runs: this one may change nothing any more. */
export class ClaimTaken extends Error {
  override readonly name = 'ClaimTaken'
}

/** A request that is not answered by then was killed: statements end after 5 s. */
const DEAD_AFTER = "interval '60 seconds'"
const KEPT = "interval '24 hours'"

const SWEPT_AT_ONCE = 10_000

interface ClaimedRow {
  readonly fingerprint: string
  readonly sealed_answer: string | null
  readonly progress: 'begun' | 'changed' | 'lost'
  readonly dead: boolean
}

/** What a sealed answer is bound to: copied to another request it does not open. */
export const idempotencyContext = (scope: string, key: string) => `idempotency ${scope} ${key}`

/** The answers to requests that carry an Idempotency-Key, for a day. `scope` keeps keys of different callers apart. */
export class Idempotency {
  constructor(private readonly database: Database) {}

  async claim(scope: string, key: string, fingerprint: string): Promise<IdempotencyClaim> {
    const { manager } = this.database
    const [claimed] = (await manager.query(
      `INSERT INTO idempotency AS i (scope, key, fingerprint, started_at) VALUES ($1, $2, $3, now())
       ON CONFLICT (scope, key) DO UPDATE
         SET fingerprint = $3, sealed_answer = NULL, progress = 'begun', started_at = now()
         WHERE i.started_at < now() - ${KEPT}
            OR (i.sealed_answer IS NULL AND i.progress = 'begun' AND i.fingerprint = $3
                AND i.started_at < now() - ${DEAD_AFTER})
       RETURNING started_at AS "startedAt"`,
      [scope, key, fingerprint],
    )) as { startedAt: Date }[]
    if (claimed) return { kind: 'ours', request: { scope, key, ...claimed } }
    const [row] = (await manager.query(
      `SELECT fingerprint, sealed_answer, progress, started_at < now() - ${DEAD_AFTER} AS dead
       FROM idempotency WHERE scope = $1 AND key = $2`,
      [scope, key],
    )) as ClaimedRow[]
    // Released between the two statements: whoever asks again will get it.
    return row ? standing(row, fingerprint) : { kind: 'running' }
  }

  async keep({ scope, key, startedAt }: ClaimedRequest, sealedAnswer: string): Promise<void> {
    await this.database.manager.query(
      'UPDATE idempotency SET sealed_answer = $4 WHERE scope = $1 AND key = $2 AND started_at = $3',
      [scope, key, startedAt, sealedAnswer],
    )
  }

  /** It failed: if it has changed nothing, the key may be used again at once. */
  async release({ scope, key, startedAt }: ClaimedRequest): Promise<void> {
    const { manager } = this.database
    const values = [scope, key, startedAt]
    const its = 'scope = $1 AND key = $2 AND started_at = $3 AND sealed_answer IS NULL'
    // Waits for a commit whose answer did not come: that one has marked the row.
    await manager.query(`DELETE FROM idempotency WHERE ${its} AND progress = 'begun'`, values)
    await manager.query(`UPDATE idempotency SET progress = 'lost' WHERE ${its} AND progress = 'changed'`, values)
  }

  /** Forgets a part of what is older than a day: all at once could take longer than a statement may, for ever. */
  async sweep(): Promise<void> {
    const old = `started_at < now() - ${KEPT}`
    // Once more outside: a row that is claimed anew meanwhile stays.
    await this.database.manager.query(
      `DELETE FROM idempotency WHERE ${old} AND ctid = ANY (ARRAY(
         SELECT ctid FROM idempotency WHERE ${old} LIMIT ${SWEPT_AT_ONCE}))`,
    )
  }
}

/** Within the transaction of the request's change, so that it cannot be run twice. Throws ClaimTaken. */
export async function markChanged(tx: EntityManager, { scope, key, startedAt }: ClaimedRequest): Promise<void> {
  const marked = (await tx.query(
    `WITH marked AS (
       UPDATE idempotency SET progress = 'changed' WHERE scope = $1 AND key = $2 AND started_at = $3 RETURNING 1)
     SELECT * FROM marked`,
    [scope, key, startedAt],
  )) as unknown[]
  if (marked.length === 0) throw new ClaimTaken('another request with the same Idempotency-Key runs instead')
}

function standing(row: ClaimedRow, fingerprint: string): IdempotencyClaim {
  if (row.fingerprint !== fingerprint) return { kind: 'other' }
  if (row.sealed_answer !== null) return { kind: 'answered', sealedAnswer: row.sealed_answer }
  const lost = row.progress === 'lost' || (row.progress === 'changed' && row.dead)
  return { kind: lost ? 'lost' : 'running' }
}
