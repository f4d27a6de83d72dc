/** The little of `pg` that the history uses; the package ships no types. */
declare module 'pg' {
  interface Result {
    rows: Record<string, unknown>[]
    rowCount: number | null
  }
  interface PoolClient {
    query(statement: string | { name?: string; text: string; values?: readonly unknown[] }): Promise<Result>
    release(destroy?: boolean): void
    on(event: 'error', listener: (error: Error) => void): this
  }
  export class Pool {
    constructor(options: {
      connectionString: string
      application_name?: string
      max?: number
      connectionTimeoutMillis?: number
      keepAlive?: boolean
      keepAliveInitialDelayMillis?: number
      Client?: typeof Client
      statement_timeout?: number
      query_timeout?: number
      idle_in_transaction_session_timeout?: number
    })
    /** Connections, those of them that nobody uses, and who waits for one. */
    readonly totalCount: number
    readonly idleCount: number
    readonly waitingCount: number
    connect(): Promise<PoolClient>
    query(text: string, values?: readonly unknown[]): Promise<Result>
    on(event: 'error', listener: (error: Error) => void): this
    on(event: 'connect', listener: (client: PoolClient) => void): this
    end(): Promise<void>
  }
}
