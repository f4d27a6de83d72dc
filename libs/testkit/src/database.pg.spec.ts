import { expect, test } from '@jest/globals'
import pg from 'pg'
import { createTestDatabase } from './database.js'

test('a test database is empty, and goes even while something is connected', async () => {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.url })
  client.on('error', () => undefined)
  await client.connect()
  const { rows } = await client.query("SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'")
  expect(rows).toEqual([{ tables: 0 }])
  await database.drop()
  await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow('does not exist')
})
