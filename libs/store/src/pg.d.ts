/** The little of `pg` that is used here beside TypeORM; the package ships no types. */
declare module 'pg' {
  export class Client {
    constructor(options: {
      connectionString: string
      connectionTimeoutMillis?: number
      query_timeout?: number
      keepAlive?: boolean
      keepAliveInitialDelayMillis?: number
      application_name?: string
    })
    readonly connection: { readonly stream: { destroy(): void }; once(event: 'end', listener: () => void): void }
    connect(): Promise<void>
    query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[] }>
    end(done?: () => void): Promise<void>
    on(event: 'error', listener: (error: Error) => void): this
    on(event: 'end', listener: () => void): this
    on(event: 'notification', listener: () => void): this
  }
}
