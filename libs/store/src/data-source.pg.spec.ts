import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, queryDatabase, type TestDatabase } from '@posthorn/testkit'
import { Database } from './data-source.js'
import { migrate } from './migrate.js'

const logger = createLogger('silent', 'test')
let created: TestDatabase

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
})
afterAll(() => created.drop())

async function openOnes(name: string): Promise<number> {
  const asked = 'SELECT count(*)::int AS open FROM pg_stat_activity WHERE application_name = $1'
  const [row] = (await queryDatabase(created.url, asked, [name])) as { open: number }[]
  return row!.open
}

test.each([
  ['a registry', 10, 4],
  ['a command', 1, 1],
])('%s has connections open when it is ready, and no more than it may have', async (_who, poolSize, open) => {
  const name = `pool-of-${poolSize}`
  const database = new Database({ url: created.url, poolSize, name, logger })
  try {
    await database.connect()
    expect(await openOnes(name)).toBe(open)
    await Promise.all(Array.from({ length: 20 }, () => database.manager.query('SELECT pg_sleep(0.05)')))
    expect(await openOnes(name)).toBe(poolSize)
  } finally {
    await database.close()
  }
})
