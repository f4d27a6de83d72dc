import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import { Client } from 'pg'
import { Database } from './data-source.js'
import { migrate, MIGRATIONS, pendingMigrations } from './migrate.js'

const logger = createLogger('silent', 'test')
let database: TestDatabase

beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

async function query(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

describe('migrate', () => {
  test('may run several times at once, and again: each migration is done once', async () => {
    expect(await pendingMigrations(database.url)).toHaveLength(MIGRATIONS.length)
    await Promise.all([1, 2, 3].map(() => migrate(database.url, logger)))
    await migrate(database.url, logger)
    expect(await pendingMigrations(database.url)).toEqual([])
    const names = (await query('SELECT name FROM migrations ORDER BY id')).map(row => row.name)
    expect(names).toEqual(MIGRATIONS.map(migration => new migration().name))
  })

  test('makes the tenant default and enqueues its document', async () => {
    await migrate(database.url, logger)
    expect(await query('SELECT id, version, status FROM tenants')).toEqual([
      { id: 'default', version: 1, status: 'active' },
    ])
    expect(await query('SELECT kind, subject FROM outbox')).toEqual([{ kind: 'tenant', subject: 'default' }])
  })

  test('a service waits in place until the database is migrated', async () => {
    const waiting = new Database({ url: database.url, poolSize: 2, name: 'test', logger })
    const connected = waiting.connect()
    expect(() => waiting.manager).toThrow('not reached')
    await migrate(database.url, logger)
    await connected
    expect(waiting.reached).toBe(true)
    await waiting.close()
  })

  test('a service that waits for a database that never comes can be closed', async () => {
    const waiting = new Database({ url: 'postgres://x:y@127.0.0.1:1/z', poolSize: 2, name: 'test', logger })
    const connected = waiting.connect()
    await waiting.close()
    await connected
    expect(waiting.reached).toBe(false)
  })
})
