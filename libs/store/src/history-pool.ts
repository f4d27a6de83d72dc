import { Pool } from 'pg'
import { GivingUpClient, KEEP_ALIVE } from './giving-up-client.js'
import { watchPool } from './pool-metrics.js'
import { traced } from './query-spans.js'

export interface SqlResult {
  readonly rows: readonly Record<string, unknown>[]
  /** Rows inserted, updated or deleted. */
  readonly rowCount: number | null
}

export interface SqlStatement {
  /** Given a name, the statement is parsed once per connection. */
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

export interface SqlClient {
  query(statement: string | SqlStatement): Promise<SqlResult>
  /** Back to the pool; true closes the connection instead. */
  release(destroy?: boolean): void
}

/** What the writer needs of a `pg` pool. */
export interface SqlPool {
  connect(): Promise<SqlClient>
  query(text: string, values?: readonly unknown[]): Promise<SqlResult>
  end(): Promise<void>
}

/** A full batch takes well under a second; this is for a disk in trouble. */
const STATEMENT_TIMEOUT_MS = 60_000

/**
 * A pool for the history writer: it needs two connections at once, the open transaction's and one
 * that makes partitions. A connection that dies while idle is reported and replaced, not thrown.
 */
export function openHistoryPool(
  url: string,
  options: { readonly max: number; readonly name: string; readonly onError: (error: Error) => void },
): SqlPool {
  const max = Math.max(2, options.max)
  const pool = new Pool({
    connectionString: url,
    application_name: options.name,
    max,
    connectionTimeoutMillis: 5_000,
    ...KEEP_ALIVE,
    Client: GivingUpClient,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // Ends the wait for a server that no longer answers at all.
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    // A writer that froze in mid-transaction would hold its offsets against the next owner.
    idle_in_transaction_session_timeout: 30_000,
  })
  pool.on('error', options.onError)
  // Without a listener, a connection that is cut while in use ends the process; its query rejects anyway.
  pool.on('connect', client => client.on('error', () => undefined))
  const unwatch = watchPool(options.name, max, () => pool)
  return traced({
    connect: () => pool.connect(),
    query: (text, values) => pool.query(text, values),
    end: () => {
      unwatch()
      return pool.end()
    },
  })
}
