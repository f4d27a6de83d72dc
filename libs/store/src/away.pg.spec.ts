import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, queryDatabase, type TestDatabase } from '@posthorn/testkit'
import { isDatabaseAway } from './away.js'
import { Database } from './data-source.js'
import { migrate } from './migrate.js'

const logger = createLogger('silent', 'test')
let created: TestDatabase
let database: Database

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 2, name: 'test', logger })
  await database.connect()
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

test('a transaction whose connection breaks between two queries failed because Postgres was away', async () => {
  const broken = database.manager.transaction(async tx => {
    const [backend] = (await tx.query('SELECT pg_backend_pid() AS pid')) as { pid: number }[]
    await queryDatabase(created.url, 'SELECT pg_terminate_backend($1)', [backend!.pid])
    await sleep(200)
    await tx.query('SELECT 1')
  })
  expect(await broken.then(undefined, isDatabaseAway)).toBe(true)
  expect(await database.manager.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test('a query that is wrong failed by itself', async () => {
  expect(await database.manager.query('SELECT nothing').then(undefined, isDatabaseAway)).toBe(false)
})
