import type { Database } from './data-source.js'

/** Where a request with an Idempotency-Key stands. */
export type IdempotencyClaim =
  /** It is the first one, or the first one died: to be run, and answered by keep or given back by release. */
  | { readonly kind: 'ours' }
  | { readonly kind: 'answered'; readonly sealedAnswer: string }
  | { readonly kind: 'running' }
  /** The key was used for another request. */
  | { readonly kind: 'other' }

/** A request that is not answered by then was killed: statements end after 5 s. */
const DEAD_AFTER = "interval '60 seconds'"
const KEPT = "interval '24 hours'"

const SWEPT_AT_ONCE = 10_000

/** The answers to requests that carry an Idempotency-Key, for a day. `scope` keeps keys of different callers apart. */
export class Idempotency {
  constructor(private readonly database: Database) {}

  async claim(scope: string, key: string, fingerprint: string): Promise<IdempotencyClaim> {
    const { manager } = this.database
    const claimed = (await manager.query(
      `INSERT INTO idempotency AS i (scope, key, fingerprint, started_at) VALUES ($1, $2, $3, now())
       ON CONFLICT (scope, key) DO UPDATE SET fingerprint = $3, sealed_answer = NULL, started_at = now()
         WHERE i.started_at < now() - ${KEPT}
            OR (i.sealed_answer IS NULL AND i.fingerprint = $3 AND i.started_at < now() - ${DEAD_AFTER})
       RETURNING 1`,
      [scope, key, fingerprint],
    )) as unknown[]
    if (claimed.length > 0) return { kind: 'ours' }
    const [row] = (await manager.query(
      'SELECT fingerprint, sealed_answer FROM idempotency WHERE scope = $1 AND key = $2',
      [scope, key],
    )) as { fingerprint: string; sealed_answer: string | null }[]
    // Released between the two statements: whoever asks again will get it.
    if (!row) return { kind: 'running' }
    if (row.fingerprint !== fingerprint) return { kind: 'other' }
    return row.sealed_answer === null ? { kind: 'running' } : { kind: 'answered', sealedAnswer: row.sealed_answer }
  }

  async keep(scope: string, key: string, sealedAnswer: string): Promise<void> {
    await this.database.manager.query('UPDATE idempotency SET sealed_answer = $3 WHERE scope = $1 AND key = $2', [
      scope,
      key,
      sealedAnswer,
    ])
  }

  /** Nothing was done: the key may be used again at once. */
  async release(scope: string, key: string): Promise<void> {
    await this.database.manager.query(
      'DELETE FROM idempotency WHERE scope = $1 AND key = $2 AND sealed_answer IS NULL',
      [scope, key],
    )
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
