import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@posthorn/telemetry'
import { DataSource, type EntityManager, type MixedList } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js'
import { AlertSettingRow } from './alert-settings.js'
import { DatabaseAway } from './away.js'
import { GivingUpClient, KEEP_ALIVE } from './giving-up-client.js'
import { KeyRow, OutboxRow, TenantRow, WebhookRow } from './entities.js'
import { ReplayRow } from './replay-row.js'
import { SourceRow } from './source-row.js'
import { EventTypeRow, EventTypeVersionRow } from './event-type-row.js'
import { MIGRATIONS, unready } from './migrate.js'
import { watchPool } from './pool-metrics.js'
import { QuerySpans } from './query-spans.js'
import type { ServiceRights } from './service-rights.js'

export interface DatabaseOptions {
  readonly url: string
  /** Connections this process may hold. */
  readonly poolSize: number
  /** Shown in pg_stat_activity: posthorn-<target>. */
  readonly name: string
  readonly logger: Logger
  /** Looked for at the start; absent: whoever it is has all. */
  readonly rights?: ServiceRights
}

/** A request waits no longer than this for a connection, and a statement no longer than the other for its end. */
const CONNECT_TIMEOUT_MS = 3000
const STATEMENT_TIMEOUT_MS = 5000
const RETRY_MS = 1000
/**
 * Opened before a process says that it is ready, and kept: a busy Postgres takes long for a new connection, and the
 * first requests to a new pod, or those after a quiet time, would wait for one each.
 */
const KEPT_OPEN = 4
const IDLE_MS = 60_000

/**
 * Postgres as one process sees it. Being away is normal: `connect` waits for it in place, later
 * queries fail with an error that isDatabaseAway() knows, and the pool opens new connections by
 * itself once it is back.
 */
export class Database {
  private readonly source: DataSource
  private readonly closing = new AbortController()
  private readonly unwatch: () => void

  constructor(readonly options: DatabaseOptions) {
    this.source = new DataSource({
      type: 'postgres',
      url: options.url,
      poolSize: options.poolSize,
      applicationName: options.name,
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      entities: [
        TenantRow,
        WebhookRow,
        KeyRow,
        SourceRow,
        EventTypeRow,
        EventTypeVersionRow,
        OutboxRow,
        ReplayRow,
        AlertSettingRow,
      ] satisfies MixedList<unknown>,
      subscribers: [QuerySpans],
      migrations: MIGRATIONS,
      migrationsTableName: 'migrations',
      poolErrorHandler: error => options.logger.warn({ err: error }, 'a connection to Postgres broke'),
      extra: {
        statement_timeout: STATEMENT_TIMEOUT_MS,
        // Ends the wait of a client whose server no longer answers at all.
        query_timeout: STATEMENT_TIMEOUT_MS + 1000,
        idle_in_transaction_session_timeout: 30_000,
        ...KEEP_ALIVE,
        Client: GivingUpClient,
        min: this.keptOpen,
        idleTimeoutMillis: IDLE_MS,
      },
    })
    this.unwatch = watchPool(options.name, options.poolSize, () =>
      this.source.isInitialized ? (this.source.driver as PostgresDriver).master : undefined,
    )
  }

  private get keptOpen(): number {
    return Math.min(KEPT_OPEN, this.options.poolSize)
  }

  /** Whether Postgres was reached, with all migrations in it, at least once. */
  get reached(): boolean {
    return this.source.isInitialized
  }

  /** For queries. Throws DatabaseAway until Postgres was reached for the first time. */
  get manager(): EntityManager {
    if (!this.source.isInitialized) throw new DatabaseAway('Postgres was not reached yet')
    return this.source.manager
  }

  /** Resolves when Postgres is reached and migrated; tries for ever, until close. */
  async connect(): Promise<void> {
    let said = ''
    while (!this.closing.signal.aborted) {
      const reason = await this.tryConnect()
      if (reason === undefined) return
      if (reason !== said) this.options.logger.warn({ reason }, 'waiting for Postgres')
      said = reason
      await sleep(RETRY_MS, undefined, { signal: this.closing.signal }).catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    this.closing.abort()
    this.unwatch()
    if (this.source.isInitialized) await this.source.destroy()
  }

  /** All at once, so that each takes a connection of its own. */
  private async openKept(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.keptOpen }, () => this.source.query('SELECT 1')))
    } catch (error) {
      await this.source.destroy()
      throw error
    }
  }

  private async tryConnect(): Promise<string | undefined> {
    try {
      const reason = await unready(this.options.url, this.options.rights)
      if (reason !== undefined) return reason
      await this.source.initialize()
      await this.openKept()
      return undefined
    } catch (error) {
      return error instanceof AggregateError ? error.errors.map(String).join('; ') : String(error)
    }
  }
}
