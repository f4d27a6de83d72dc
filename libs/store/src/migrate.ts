import type { Logger } from '@posthorn/telemetry'
import type { Client } from 'pg'
import { DataSource, type MigrationInterface } from 'typeorm'
import { GivingUpClient, KEEP_ALIVE } from './giving-up-client.js'
import { missingRights, type ServiceRights } from './service-rights.js'
import { RegistryMigration } from './migrations/1-registry.js'
import { HistoryMigration } from './migrations/2-history.js'
import { SourcesMigration } from './migrations/3-sources.js'
import { AdminMigration } from './migrations/4-admin.js'
import { EventTypesMigration } from './migrations/6-event-types.js'
import { WebhookLimitsMigration } from './migrations/8-webhook-limits.js'
import { ReadingMigration } from './migrations/9-reading.js'
import { ReplaysMigration } from './migrations/10-replays.js'
import { IdempotencyMigration } from './migrations/11-idempotency.js'
import { UnknownEventTypesMigration } from './migrations/12-unknown-event-types.js'
import { PoisonMigration } from './migrations/13-poison.js'
import { EgressMigration } from './migrations/17-egress.js'
import { WebhookHealthMigration } from './migrations/21-webhook-health.js'
import { OrderingMigration } from './migrations/30-ordering.js'
import { EncryptionMigration } from './migrations/40-encryption.js'
import { SigningKeysMigration } from './migrations/44-signing-keys.js'
import { DeadLettersMigration } from './migrations/46-dead-letters.js'
import { AuthenticationMigration } from './migrations/47-authentication.js'
import { ReceiverTlsMigration } from './migrations/48-receiver-tls.js'
import { AlertsMigration } from './migrations/60-alerts.js'
import { OwnershipMigration } from './migrations/61-ownership.js'
import { AlertRulesMigration } from './migrations/62-alert-rules.js'
import { SendTraceparentMigration } from './migrations/63-send-traceparent.js'
import { SigningMigration } from './migrations/64-signing.js'
import { BoundSecretsMigration } from './migrations/65-bound-secrets.js'

/** Every migration, in order; named one by one because a glob would depend on where the code was built to. */
export const MIGRATIONS: (new () => MigrationInterface)[] = [
  RegistryMigration,
  HistoryMigration,
  SourcesMigration,
  AdminMigration,
  EventTypesMigration,
  WebhookLimitsMigration,
  ReadingMigration,
  ReplaysMigration,
  IdempotencyMigration,
  UnknownEventTypesMigration,
  PoisonMigration,
  EgressMigration,
  WebhookHealthMigration,
  OrderingMigration,
  EncryptionMigration,
  SigningKeysMigration,
  DeadLettersMigration,
  AuthenticationMigration,
  ReceiverTlsMigration,
  AlertsMigration,
  OwnershipMigration,
  AlertRulesMigration,
  SendTraceparentMigration,
  SigningMigration,
  BoundSecretsMigration,
]

const TABLE = 'migrations'
/** Any fixed number: who migrates this database holds the advisory lock of it. */
const MIGRATION_LOCK = 7_261_001
const CONNECT_TIMEOUT_MS = 10_000
/** To look at what is there; a migration takes as long as it takes. */
const LOOK_TIMEOUT_MS = 10_000

/**
 * Brings the database to this version's schema. Safe to run twice at once: TypeORM takes no lock,
 * so an advisory lock lets the second one wait and then find nothing to do. Rejects when Postgres
 * cannot be reached, or when a migration fails (that migration is then rolled back whole).
 */
export async function migrate(databaseUrl: string, logger: Logger): Promise<void> {
  await withClient(databaseUrl, async client => {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
    const source = new DataSource({
      type: 'postgres',
      url: databaseUrl,
      poolSize: 1,
      applicationName: 'posthorn-migrate',
      migrations: MIGRATIONS,
      migrationsTableName: TABLE,
    })
    await source.initialize()
    try {
      const done = await source.runMigrations({ transaction: 'each' })
      for (const { name } of done) logger.info({ migration: name }, 'migrated')
    } finally {
      await source.destroy()
    }
  })
}

/** Names of the migrations that the database lacks. Rejects when Postgres cannot be reached. */
export async function pendingMigrations(databaseUrl: string): Promise<string[]> {
  return withClient(databaseUrl, pendingIn, LOOK_TIMEOUT_MS)
}

/** Why a service cannot work with the database yet: what it lacks in migrations, then in rights. Rejects when Postgres cannot be reached. */
export async function unready(databaseUrl: string, rights: ServiceRights | undefined): Promise<string | undefined> {
  const look = async (client: Client) => {
    const forbidden = rights && (await missingRights(client, rights))
    if (forbidden !== undefined) return forbidden
    const missing = await pendingIn(client)
    if (missing.length > 0) return `the database lacks the migrations ${missing.join(', ')}: run posthorn migrate`
    return undefined
  }
  return withClient(databaseUrl, look, LOOK_TIMEOUT_MS)
}

async function pendingIn(client: Client): Promise<string[]> {
  const wanted = MIGRATIONS.map(migration => new migration().name!)
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [TABLE])
  if (rows[0]?.there !== true) return wanted
  const done = await client.query(`SELECT name FROM ${TABLE}`)
  const names = new Set(done.rows.map(row => row.name))
  return wanted.filter(name => !names.has(name))
}

/** A connection of its own; ending it frees the advisory locks taken on it. */
async function withClient<T>(url: string, use: (client: Client) => Promise<T>, timeoutMs?: number): Promise<T> {
  const client = new GivingUpClient({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...KEEP_ALIVE,
    ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
