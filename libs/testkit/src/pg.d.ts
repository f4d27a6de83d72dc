/** The little of `pg` that is used here; the package ships no types. */
declare module 'pg' {
  export class Client {
    constructor(options: { connectionString: string; connectionTimeoutMillis?: number })
    connect(): Promise<void>
    query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[] }>
    end(): Promise<void>
    on(event: 'error', listener: (error: Error) => void): this
  }
}
