import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import type { Attempt } from '@posthorn/topics'
import type { WebhookEvent } from '@posthorn/webhook'
import type { HistoryEntry } from './history-entries.js'
import { LOOKED_THROUGH, type Page } from './history-keyset.js'
import { HistoryLists } from './history-lists.js'
import { HistoryPartitions } from './history-partitions.js'
import { openHistoryPool, type SqlPool } from './history-pool.js'
import { HistoryWriter } from './history-writer.js'
import { HISTORY_UP } from './migrations/2-history.js'
import { WIRE_UP } from './migrations/17-egress.js'
import { READING_UP } from './migrations/9-reading.js'
import { POISON_UP } from './migrations/13-poison.js'
import { DEAD_LETTERS_UP } from './migrations/46-dead-letters.js'

const NOW = Date.parse('2026-11-24T00:00:30Z')
const OUTCOMES = ['delivered', 'retry', 'exhausted', 'expired', 'gone', 'discarded'] as const
const TYPES = ['a.one', 'a.two', 'b.three', 'b.four']
const COUNT = 240
/** Six of one moment each, four seconds between them, over midnight. */
const timeOf = (n: number) => NOW - Math.floor(n / 6) * 4000
const outcomeOf = (n: number) => OUTCOMES[n % 6]!
const typeOf = (n: number) => TYPES[Math.floor(n / 2) % 4]!
const webhookOf = (n: number) => `webhook_${Math.floor(n / 6) % 2}`
const idOf = (n: number) => `d${String(n).padStart(3, '0')}`

let database: TestDatabase
let pool: SqlPool
let lists: HistoryLists
let written = 0

beforeAll(async () => {
  database = await createTestDatabase()
  pool = openHistoryPool(database.url, { max: 2, name: 'test', onError: () => undefined })
  for (const statement of [...HISTORY_UP, ...READING_UP, ...POISON_UP, WIRE_UP, ...DEAD_LETTERS_UP])
    await pool.query(statement)
  lists = new HistoryLists(pool)
  const numbers = Array.from({ length: COUNT }, (_, n) => n)
  await write(numbers.flatMap(n => [eventEntry(n, 'acme'), attempted(n, 'acme', 'd'), poisonEntry(n)]))
  await write(numbers.slice(0, 9).flatMap(n => [eventEntry(n, 'other'), attempted(n, 'other', 'x')]))
})

afterAll(async () => {
  await pool.end()
  await database.drop()
})

async function write(entries: HistoryEntry[]): Promise<void> {
  await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'g').write(
    entries.map(entry => ({ topic: 't', partition: 0, offset: written++, timestamp: NOW, entry })),
    NOW,
  )
}

/** Twins share an id and a moment, and differ by their source. */
function eventOf(n: number, tenant: string): WebhookEvent {
  const time = new Date(timeOf(n)).toISOString()
  const id = `e${String(Math.floor(n / 2)).padStart(3, '0')}`
  return { tenant, id, source: n % 2 ? '/b' : '/a', type: typeOf(n), time, contenttype: 'application/json' }
}

function eventEntry(n: number, tenant: string): HistoryEntry {
  return { kind: 'event', event: eventOf(n, tenant), data: Buffer.from('{}'), acceptedAt: timeOf(n) }
}

function attempted(n: number, tenant: string, prefix: string): HistoryEntry {
  const at = new Date(timeOf(n)).toISOString()
  const attempt: Attempt = {
    delivery: idOf(n).replace('d', prefix),
    run: '0',
    attempt: 1,
    webhook: webhookOf(n),
    webhook_version: 1,
    tenant,
    event: eventOf(n, tenant),
    accepted_at: at,
    outcome: outcomeOf(n),
    due_at: at,
    started_at: at,
    finished_at: at,
    duration_ms: n,
  }
  return { kind: 'attempt', attempt }
}

function poisonEntry(n: number): HistoryEntry {
  const head = {
    topic: n % 2 ? 'events.v1' : 'attempts.v1',
    partition: n % 3,
    offset: n,
    timestamp: timeOf(n),
    reason: n % 4 ? ('undecodable' as const) : ('invalid_event' as const),
    detail: 'd',
    size: 1,
  }
  return { kind: 'poison', head, value: Buffer.from('x') }
}

type Ask<Row> = (page: { limit: number; after?: never }) => Promise<Page<Row, unknown>>

/** Every row of a list, as a client reads it page by page. */
async function read<Row>(ask: Ask<Row>, limit: number): Promise<Row[]> {
  const rows: Row[] = []
  let after: unknown
  do {
    const page = await ask({ limit, ...(after === undefined ? {} : { after: after as never }) })
    expect(page.rows.length).toBeLessThanOrEqual(limit)
    rows.push(...page.rows)
    // As it comes back from an opaque cursor.
    after = page.after === undefined ? undefined : JSON.parse(JSON.stringify(page.after))
  } while (after !== undefined)
  return rows
}

/** Numbers of the rows that fit, newest first, and of one moment the greater first. */
function wanted(fits: (n: number) => boolean): number[] {
  return Array.from({ length: COUNT }, (_, n) => n)
    .filter(fits)
    .sort((a, b) => timeOf(b) - timeOf(a) || b - a)
}

const from = timeOf(150)
const to = timeOf(30)
const within = (n: number) => timeOf(n) >= from && timeOf(n) < to
const dead = (n: number) => ['exhausted', 'expired', 'gone'].includes(outcomeOf(n))

describe('lists of the history give each row that fits once, through ties and midnight', () => {
  it.each<[string, object, (n: number) => boolean]>([
    ['all', {}, () => true],
    ['of a webhook', { webhook: 'webhook_1' }, n => webhookOf(n) === 'webhook_1'],
    ['of a type', { type: 'b.four' }, n => typeOf(n) === 'b.four'],
    ['within a time', { from, to }, within],
    [
      'delivered of a type',
      { status: 'delivered', type: 'a.one' },
      n => outcomeOf(n) === 'delivered' && typeOf(n) === 'a.one',
    ],
    ['a status and a time', { status: 'gone', from, to }, n => outcomeOf(n) === 'gone' && within(n)],
    [
      'all filters at once',
      { webhook: 'webhook_0', status: 'discarded', type: 'b.three', from, to },
      n => webhookOf(n) === 'webhook_0' && outcomeOf(n) === 'discarded' && typeOf(n) === 'b.three' && within(n),
    ],
    ['of an event within a time', { event: 'e020', from, to }, n => Math.floor(n / 2) === 20 && within(n)],
    ['nothing', { webhook: 'webhook_9', type: 'b.four' }, () => false],
    ['nothing, of a range that is empty', { from: to, to: from }, () => false],
  ])('deliveries: %s', async (_, filter, fits) => {
    for (const limit of [1, 7, 240]) {
      const rows = await read(page => lists.deliveries('acme', { ...filter, ...page }), limit)
      expect(rows.map(row => row.id)).toEqual(wanted(fits).map(idOf))
    }
  })

  it.each<[string, object, (n: number) => boolean]>([
    ['all', {}, dead],
    ['of a webhook', { webhook: 'webhook_1' }, n => dead(n) && webhookOf(n) === 'webhook_1'],
    ['of a type within a time', { type: 'a.two', from, to }, n => dead(n) && typeOf(n) === 'a.two' && within(n)],
    ['at a status', { status: 'expired' }, n => outcomeOf(n) === 'expired'],
    ['of an event', { event: 'e001' }, n => dead(n) && Math.floor(n / 2) === 1],
  ])('dead letters: %s', async (_, filter, fits) => {
    const rows = await read(page => lists.deadLetters('acme', { ...filter, ...page }), 7)
    expect(rows.map(row => row.id)).toEqual(wanted(fits).map(idOf))
  })

  it.each<[string, object, (n: number) => boolean]>([
    ['all', {}, () => true],
    ['of a webhook', { webhook: 'webhook_0' }, n => webhookOf(n) === 'webhook_0'],
    ['with an outcome', { outcome: 'retry' }, n => outcomeOf(n) === 'retry'],
    [
      'delivered of a webhook',
      { webhook: 'webhook_0', outcome: 'delivered' },
      n => webhookOf(n) === 'webhook_0' && outcomeOf(n) === 'delivered',
    ],
    ['of a type within a time', { type: 'b.four', from, to }, n => typeOf(n) === 'b.four' && within(n)],
    [
      'all filters at once',
      { webhook: 'webhook_0', outcome: 'gone', type: 'b.three', from, to },
      n => webhookOf(n) === 'webhook_0' && outcomeOf(n) === 'gone' && typeOf(n) === 'b.three' && within(n),
    ],
    ['of a delivery', { delivery: 'd017' }, n => n === 17],
    ['of the delivery of another tenant', { delivery: 'x001' }, () => false],
  ])('attempts: %s', async (_, filter, fits) => {
    for (const limit of [1, 7]) {
      const rows = await read(page => lists.attempts('acme', { ...filter, ...page }), limit)
      expect(rows.map(row => row.delivery)).toEqual(wanted(fits).map(idOf))
    }
  })

  it.each<[string, object, (n: number) => boolean]>([
    ['all', {}, () => true],
    ['of a type', { type: 'a.two' }, n => typeOf(n) === 'a.two'],
    ['of a source', { source: '/b' }, n => n % 2 === 1],
    [
      'of a type and a source within a time',
      { type: 'b.four', source: '/a', from, to },
      n => typeOf(n) === 'b.four' && n % 2 === 0 && within(n),
    ],
  ])('events: %s', async (_, filter, fits) => {
    for (const limit of [1, 7]) {
      const rows = await read(page => lists.events('acme', { ...filter, ...page }), limit)
      const numbers = rows.map(({ event }) => Number(event.id.slice(1)) * 2 + (event.source === '/b' ? 1 : 0))
      // Twins of one id and moment have the order of their sources' hashes.
      expect([...numbers].sort((a, b) => a - b)).toEqual(wanted(fits).sort((a, b) => a - b))
      expect(numbers.map(n => Math.floor(n / 2))).toEqual(wanted(fits).map(n => Math.floor(n / 2)))
    }
  })

  it.each<[string, object, (n: number) => boolean]>([
    ['all', {}, () => true],
    ['of a topic', { topic: 'events.v1' }, n => n % 2 === 1],
    ['of a reason within a time', { reason: 'invalid_event', from, to }, n => n % 4 === 0 && within(n)],
  ])('poison: %s', async (_, filter, fits) => {
    const rows = await read(page => lists.poison({ ...filter, ...page }), 7)
    expect(rows.map(row => row.offset).sort((a, b) => a - b)).toEqual(wanted(fits).sort((a, b) => a - b))
  })
})

describe('a list of the history', () => {
  it('shows a tenant nothing of another', async () => {
    expect(await read(page => lists.deliveries('other', page), 4)).toHaveLength(9)
    expect(await read(page => lists.attempts('other', page), 4)).toHaveLength(9)
    expect(await read(page => lists.events('other', page), 4)).toHaveLength(9)
    expect(await read(page => lists.deadLetters('other', page), 4)).toHaveLength(4)
    for (const list of [lists.deliveries('nobody', { limit: 1 }), lists.attempts('nobody', { limit: 1 })])
      expect(await list).toEqual({ rows: [], after: undefined })
  })

  it('puts an attempt where it began, not on the day of its event', async () => {
    const late = attempted(0, 'acme', 'late') as Extract<HistoryEntry, { kind: 'attempt' }>
    const accepted_at = new Date(NOW - 5 * 24 * 3600_000).toISOString()
    await write([{ ...late, attempt: { ...late.attempt, tenant: 'retries', accepted_at } }])
    await write([attempted(1, 'retries', 'new'), attempted(20, 'retries', 'old')])
    const ids = (await read(page => lists.attempts('retries', page), 1)).map(row => row.delivery)
    expect(ids).toEqual(['new001', 'late000', 'old020'])
  })

  it('looks through a part of what an index gives: a page may be short, and the next one goes on', async () => {
    await pool.query(`insert into history_deliveries select '2026-11-24', 'm' || lpad(n::text, 6, '0'), 'many', 'w', '0',
      'e', '/s', case when n in (1, 3, 15000) then 'rare' else 'common' end, 'delivered', 1, null,
      '2026-11-24T00:00:00Z'::timestamptz + (n / 10) * interval '1 ms', '2026-11-24T00:00:00Z', null, null
      from generate_series(1, 25000) n`)
    const filter = { webhook: 'w', type: 'rare' }
    const first = await lists.deliveries('many', { ...filter, limit: 2 })
    expect(first.rows).toEqual([])
    expect(first.after).toMatchObject({ id: `m${String(25_001 - LOOKED_THROUGH).padStart(6, '0')}` })
    for (const limit of [1, 2, 50]) {
      const rows = await read(page => lists.deliveries('many', { ...filter, ...page }), limit)
      expect(rows.map(row => row.id)).toEqual(['m015000', 'm000003', 'm000001'])
    }
  })

  it('starts a deep page where the one before ended, not at the end of its day', async () => {
    const pages: number[] = []
    const explained = new HistoryLists({
      query: async (text, values) => {
        const plan = await pool.query(`explain (analyze, buffers, format json) ${text}`, values)
        const [{ Plan }] = plan.rows[0]!['QUERY PLAN'] as [{ Plan: Record<string, number> }]
        pages.push(Plan['Shared Hit Blocks']! + Plan['Shared Read Blocks']!)
        return pool.query(text, values)
      },
    })
    await pool.query('analyze history_deliveries')
    const deep = { acceptedAt: Date.parse('2026-11-24T00:00:00.005Z'), id: 'm' }
    const { rows } = await explained.deliveries('many', { webhook: 'w', limit: 10, after: deep })
    expect(rows).toHaveLength(10)
    // The 24,950 rows of the day that are newer lie on more than 200 pages of the index.
    expect(pages).toEqual([expect.any(Number)])
    expect(pages[0]).toBeLessThan(40)
  })
})
