import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import type { Attempt } from '@posthorn/topics'
import { DataSource } from 'typeorm'
import type { HistoryEntry } from './history-entries.js'
import { HistoryPartitions } from './history-partitions.js'
import { openHistoryPool, type SqlPool } from './history-pool.js'
import { HistoryLists, type DeliveriesAfter, type DeliveriesFilter } from './history-lists.js'
import { HistoryQueries } from './history-queries.js'
import { HistoryWriter } from './history-writer.js'
import { HISTORY_UP } from './migrations/2-history.js'
import { WIRE_UP } from './migrations/17-egress.js'
import { READING_UP } from './migrations/9-reading.js'
import { POISON_UP } from './migrations/13-poison.js'
import { DEAD_LETTERS_UP } from './migrations/46-dead-letters.js'

const NOW = Date.parse('2026-11-24T00:00:30Z')
const STATUSES = ['delivered', 'retry', 'exhausted'] as const

let database: TestDatabase
let pool: SqlPool
let source: DataSource
let queries: HistoryQueries
let lists: HistoryLists

/** 30 deliveries of acme, a second apart by pairs, over midnight; and one of another tenant. */
beforeAll(async () => {
  database = await createTestDatabase()
  pool = openHistoryPool(database.url, { max: 2, name: 'test', onError: () => undefined })
  for (const statement of [...HISTORY_UP, ...READING_UP, ...POISON_UP, WIRE_UP, ...DEAD_LETTERS_UP])
    await pool.query(statement)
  source = await new DataSource({ type: 'postgres', url: database.url, poolSize: 2 }).initialize()
  queries = new HistoryQueries(source)
  lists = new HistoryLists(source)
  const entries = Array.from({ length: 30 }, (_, n) => attempted(n, 'acme', 'd'))
  entries.push(attempted(0, 'other', 'x'))
  await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'g').write(
    entries.map((entry, offset) => ({ topic: 't', partition: 0, offset, timestamp: NOW, entry })),
    NOW,
  )
})

afterAll(async () => {
  await source.destroy()
  await pool.end()
  await database.drop()
})

function attempted(n: number, tenant: string, prefix: string): HistoryEntry {
  const at = new Date(NOW - Math.floor(n / 2) * 4000).toISOString()
  const attempt: Attempt = {
    delivery: `${prefix}${String(n).padStart(2, '0')}`,
    run: '0',
    attempt: 1,
    webhook: `webhook_${n % 2}`,
    webhook_version: 1,
    tenant,
    event: { id: `e${n % 5}`, source: n < 15 ? '/a' : '/b', type: 'a.b', time: at },
    accepted_at: at,
    outcome: STATUSES[n % 3]!,
    due_at: at,
    started_at: at,
    finished_at: at,
    duration_ms: 1,
  }
  return { kind: 'attempt', attempt }
}

/** An event with its key, and its delivery to a webhook, which is to be attempted again. */
function retried(n: number, partitionkey: string): HistoryEntry[] {
  const acceptedAt = NOW - 10_000 + n * 1000
  const time = new Date(acceptedAt).toISOString()
  const event = { id: `key-${n}`, source: '/keyed', type: 'a.b', time }
  const { attempt } = attempted(0, 'keyed', 'k') as Extract<HistoryEntry, { kind: 'attempt' }>
  return [
    {
      ...{ kind: 'event', acceptedAt, data: Buffer.from('1') },
      event: { ...event, tenant: 'keyed', partitionkey, contenttype: 'application/json' },
    },
    { kind: 'attempt', attempt: { ...attempt, delivery: `k${n}`, event, accepted_at: time, outcome: 'retry' } },
  ]
}

async function pages(filter: Omit<DeliveriesFilter, 'after'>): Promise<string[][]> {
  const found: string[][] = []
  let after: DeliveriesAfter | undefined
  do {
    const page = await lists.deliveries('acme', { ...filter, ...(after ? { after } : {}) })
    found.push(page.rows.map(row => row.id))
    // As it comes back from an opaque cursor.
    after = page.after && (JSON.parse(JSON.stringify(page.after)) as DeliveriesAfter)
  } while (after)
  return found
}

/** Ids newest first: by time, and of one time the greater id first. */
function expected(wanted: (n: number) => boolean): string[] {
  return Array.from({ length: 30 }, (_, n) => n)
    .filter(wanted)
    .sort((a, b) => Math.floor(a / 2) - Math.floor(b / 2) || b - a)
    .map(n => `d${String(n).padStart(2, '0')}`)
}

describe('history queries', () => {
  it.each<[string, Omit<DeliveriesFilter, 'limit'>, (n: number) => boolean]>([
    ['all', {}, () => true],
    ['of a webhook', { webhook: 'webhook_1' }, n => n % 2 === 1],
    ['at a status', { status: 'exhausted' }, n => n % 3 === 2],
    ['that were delivered', { status: 'delivered' }, n => n % 3 === 0],
    ['of a webhook at a status', { webhook: 'webhook_0', status: 'retry' }, n => n % 2 === 0 && n % 3 === 1],
    ['of an event', { event: 'e3' }, n => n % 5 === 3],
    ['of an event for a webhook', { event: 'e3', webhook: 'webhook_1' }, n => n % 5 === 3 && n % 2 === 1],
    ['pending, of which there are none', { status: 'pending' }, () => false],
  ])('lists deliveries %s, newest first, page by page', async (_, filter, wanted) => {
    const all = expected(wanted)
    for (const limit of [1, 4, 30]) {
      const found = await pages({ ...filter, limit })
      expect(found.flat()).toEqual(all)
      expect(found).toHaveLength(Math.max(1, Math.ceil(all.length / limit)))
    }
  })

  it('gives times as dates, counts as numbers, and what is not there as null', async () => {
    const { rows } = await lists.deliveries('acme', { limit: 1, status: 'delivered' })
    expect(rows).toEqual([
      {
        id: 'd00',
        tenant: 'acme',
        webhook: 'webhook_0',
        event: { id: 'e0', source: '/a', type: 'a.b' },
        run: '0',
        status: 'delivered',
        attempts: 1,
        nextAttemptAt: null,
        acceptedAt: new Date(NOW),
        updatedAt: new Date(NOW),
        lastErrorClass: null,
        lastStatusCode: null,
        discardedAt: null,
        discardedBy: null,
      },
    ])
  })

  it('shows a tenant nothing of another', async () => {
    expect(await queries.delivery('acme', 'x00')).toBeUndefined()
    expect((await queries.delivery('other', 'x00'))?.attempts).toHaveLength(1)
    expect((await lists.deliveries('other', { limit: 100 })).rows.map(row => row.id)).toEqual(['x00'])
  })

  it('finds what has to end before a delivery of an ordered webhook: of its key, or of all', async () => {
    const entries = ['a', 'b', 'a', 'b'].flatMap((partitionkey, n) => retried(n, partitionkey))
    await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'keyed').write(
      entries.map((entry, offset) => ({ topic: 't', partition: 0, offset, timestamp: NOW, entry })),
      NOW,
    )
    const before = async (n: number, ordering: 'key' | 'webhook') =>
      queries.before((await queries.delivery('keyed', `k${n}`))!.delivery, ordering)
    expect(await Promise.all([0, 1, 2, 3].map(n => before(n, 'key')))).toEqual([undefined, undefined, 'k0', 'k1'])
    expect(await Promise.all([0, 1, 3].map(n => before(n, 'webhook')))).toEqual([undefined, 'k0', 'k0'])
  })

  it('counts the deliveries of an event by status', async () => {
    expect(await queries.eventDeliveries('acme', 'e0', '/a')).toEqual({
      pending: 0,
      retry: 1,
      delivered: 1,
      exhausted: 1,
      expired: 0,
      gone: 0,
      discarded: 0,
    })
  })

  it('reads over a pg pool as over a TypeORM data source', async () => {
    const overPool = new HistoryLists(pool)
    expect(await overPool.deliveries('acme', { limit: 5 })).toEqual(await lists.deliveries('acme', { limit: 5 }))
  })
})
