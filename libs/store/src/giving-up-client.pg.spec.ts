import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, openWire, queryDatabase, until, type TestDatabase, type Wire } from '@posthorn/testkit'
import { isDatabaseAway } from './away.js'
import { Database } from './data-source.js'
import { GivingUpClient } from './giving-up-client.js'
import { openHistoryPool } from './history-pool.js'
import { inTransaction } from './history-partitions.js'
import { migrate, unready } from './migrate.js'
import { RelayLock } from './relay-lock.js'

const logger = createLogger('silent', 'test')
const HALF_OPEN = { kind: 'half_open', ending: 'late' } as const
let created: TestDatabase
let wire: Wire
/** By the wire. */
let url: string

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  await queryDatabase(created.url, 'CREATE TABLE written (what text)')
  const direct = new URL(created.url)
  wire = await openWire(Number(direct.port))
  direct.port = String(wire.port)
  url = direct.href
})
afterAll(async () => {
  await wire.close()
  await created.drop()
})

async function isWritten(what: string): Promise<boolean> {
  return (await queryDatabase(created.url, 'SELECT what FROM written WHERE what = $1', [what])).length > 0
}

describe('a half-open connection to Postgres', () => {
  it('is given up with its first query, and what is written once it has come to life is committed', async () => {
    const database = new Database({ url, poolSize: 1, name: 'test', logger })
    await database.connect()
    const { manager } = database
    const broken = manager.transaction(async tx => {
      await tx.query("INSERT INTO written VALUES ('before')")
      wire.disturb(() => HALF_OPEN)
      await tx.query("INSERT INTO written VALUES ('lost')")
    })
    expect(await broken.then(undefined, isDatabaseAway)).toBe(true)
    // New connections are held up, too, until here.
    wire.mend()
    await until(
      () =>
        manager.query("INSERT INTO written VALUES ('after')").then(
          () => true,
          () => false,
        ),
      10_000,
    )
    expect([await isWritten('after'), await isWritten('lost'), await isWritten('before')]).toEqual([true, false, false])
    await database.close()
  }, 60_000)

  it('is no reason for the next query to wait, where new ones are well', async () => {
    const database = new Database({ url, poolSize: 4, name: 'test', logger })
    await database.connect()
    let isOld = true
    wire.disturb(() => (isOld ? HALF_OPEN : { kind: 'slow', ms: 0 }))
    isOld = false
    const ask = () => database.manager.query('SELECT 1').then(() => 'answered', isDatabaseAway)
    // Each of the four that were open.
    expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual([true, true, true, true])
    expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual(Array.from({ length: 4 }, () => 'answered'))
    wire.mend()
    await database.close()
  }, 60_000)

  it('does not keep a starting service from asking again', async () => {
    const silent = new GivingUpClient({ connectionString: created.url })
    await silent.connect()
    // A server that does not answer the second question.
    await silent.query('BEGIN; LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE')
    await expect(unready(created.url, undefined)).rejects.toThrow('Query read timeout')
    await silent.query('ROLLBACK')
    expect(await unready(created.url, undefined)).toBeUndefined()
    await silent.end()
  }, 60_000)

  it('does not keep a client from ending', async () => {
    const client = new GivingUpClient({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    wire.disturb(() => HALF_OPEN)
    await client.end()
    wire.mend()
  }, 20_000)

  it('of the history ends with its transaction', async () => {
    const pool = openHistoryPool(url, { max: 2, name: 'test', onError: () => undefined })
    const work = inTransaction(pool, async client => {
      wire.disturb(() => ({ kind: 'half_open', ending: 'reset' }))
      setTimeout(() => wire.mend(), 500)
      await client.query("INSERT INTO written VALUES ('history')")
    })
    await expect(work).rejects.toThrow()
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await pool.end()
  }, 60_000)

  it('holds the right to relay no longer than it is heard of', async () => {
    const lock = await RelayLock.acquire(url, () => undefined, 4000)
    wire.disturb(() => HALF_OPEN)
    expect(await RelayLock.acquire(created.url, () => undefined)).toBeUndefined()
    let next: RelayLock | undefined
    await until(async () => (next ??= await RelayLock.acquire(created.url, () => undefined)) !== undefined, 20_000)
    await next!.release()
    wire.mend()
    await expect(lock!.check()).rejects.toThrow()
    await lock!.release()
  }, 60_000)
})
