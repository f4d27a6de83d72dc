// Longer than files are here: one writer, and all of its rules against the same database and model.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTestDatabase, until, type TestDatabase } from '@posthorn/testkit'
import type { Attempt, PoisonHead } from '@posthorn/topics'
import type { Delivery, WebhookEvent } from '@posthorn/webhook'
import fc from 'fast-check'
import type { HistoryEntry, PositionedEntry } from './history-entries.js'
import { HistoryPartitions, utcDay } from './history-partitions.js'
import { openHistoryPool, type SqlPool } from './history-pool.js'
import { HistoryLists } from './history-lists.js'
import { HistoryQueries } from './history-queries.js'
import { HistoryRefused, HistoryWriter } from './history-writer.js'
import { HISTORY_UP } from './migrations/2-history.js'
import { WIRE_UP } from './migrations/17-egress.js'
import { READING_UP } from './migrations/9-reading.js'
import { POISON_UP } from './migrations/13-poison.js'
import { DEAD_LETTERS_UP } from './migrations/46-dead-letters.js'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const DAY = 24 * 3600_000

let database: TestDatabase
let pool: SqlPool
let queries: HistoryQueries

beforeAll(async () => {
  database = await createTestDatabase()
  pool = openHistoryPool(database.url, { max: 4, name: 'test', onError: () => undefined })
  for (const statement of [...HISTORY_UP, ...READING_UP, ...POISON_UP, WIRE_UP, ...DEAD_LETTERS_UP])
    await pool.query(statement)
  queries = new HistoryQueries(pool)
})

afterAll(async () => {
  await pool.end()
  await database.drop()
})

let groups = 0
/** A writer with offsets of its own. */
function newWriter(retentionDays = 14, group = `g${groups++}`) {
  const partitions = new HistoryPartitions(pool, retentionDays)
  return { partitions, writer: new HistoryWriter(pool, partitions, group), group }
}

/** Entries as if read from one partition, from an offset on. */
function positioned(entries: readonly HistoryEntry[], from = 0, timestamp = NOW): PositionedEntry[] {
  return entries.map((entry, index) => ({ topic: 't', partition: 0, offset: from + index, timestamp, entry }))
}

function anEvent(change: Partial<WebhookEvent> = {}): WebhookEvent {
  return {
    tenant: 'acme',
    id: 'e1',
    source: '/s',
    type: 'a.b',
    time: '2026-11-24T11:59:00.000Z',
    contenttype: 'application/json',
    ...change,
  }
}

function aDelivery(id: string, change: Partial<Delivery> = {}): Delivery {
  return {
    id,
    webhook: 'webhook_1',
    webhookVersion: 1,
    tenant: 'acme',
    run: '0',
    attempt: 1,
    due: 0,
    acceptedAt: NOW,
    origin: { partition: 0, offset: 0 },
    spills: 0,
    event: anEvent(),
    ...change,
  }
}

function anAttempt(
  delivery: string,
  attempt: number,
  outcome: Attempt['outcome'],
  change: Partial<Attempt> = {},
): Attempt {
  const at = new Date(NOW + attempt * 1000).toISOString()
  return {
    delivery,
    run: '0',
    attempt,
    webhook: 'webhook_1',
    webhook_version: 1,
    tenant: 'acme',
    event: { id: 'e1', source: '/s', type: 'a.b', time: '2026-11-24T11:59:00Z' },
    accepted_at: new Date(NOW).toISOString(),
    outcome,
    due_at: at,
    started_at: at,
    finished_at: at,
    duration_ms: 12.5,
    ...change,
  }
}

const attempted = (attempt: Attempt): HistoryEntry => ({ kind: 'attempt', attempt })

async function rowsOf(table: string, where = 'true'): Promise<readonly Record<string, unknown>[]> {
  return (await pool.query(`select * from ${table} where ${where} order by 1, 2, 3, 4`)).rows
}

/** Sessions of this database that wait for a lock. */
async function waiting(): Promise<number> {
  const { rows } = await pool.query(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return Number(rows[0]?.n)
}

describe('history writer', () => {
  it('makes the same rows whatever comes first, and however often', async () => {
    await fc.assert(
      fc.asyncProperty(scenario(), async ({ ids, told, again }) => {
        await pool.query('truncate history_deliveries, history_attempts')
        await newWriter().writer.write(positioned(told), NOW)
        const expected = { deliveries: ids.map(id => expectedState(id, told)).filter(state => state !== undefined) }
        await pool.query('truncate history_deliveries, history_attempts')
        // Twice, in another order, cut into small batches.
        const { writer } = newWriter()
        for (const part of chunks(again)) await writer.write(positioned(part.entries, part.from), NOW)
        const found = (await rowsOf('history_deliveries')).map(row => ({
          id: row.id,
          run: row.run,
          status: row.status,
          attempts: row.attempts,
          updatedAt: (row.updated_at as Date).toISOString(),
        }))
        expect(found).toEqual(expected.deliveries)
        const attempts = new Set(told.flatMap(entry => (entry.kind === 'attempt' ? [attemptKey(entry.attempt)] : [])))
        expect(await rowsOf('history_attempts')).toHaveLength(attempts.size)
      }),
      { numRuns: 40 },
    )
  })

  it('lets the later attempt stand when attempts arrive out of order', async () => {
    const { writer } = newWriter()
    const due = new Date(NOW + 60_000).toISOString()
    await writer.write(positioned([attempted(anAttempt('d_order', 3, 'delivered', { status_code: 204 }))]), NOW)
    await writer.write(
      positioned(
        [
          attempted(anAttempt('d_order', 2, 'retry', { next_attempt_at: due, status_code: 500 })),
          { kind: 'delivery', delivery: aDelivery('d_order') },
          attempted(anAttempt('d_order', 1, 'retry', { next_attempt_at: due })),
        ],
        1,
      ),
      NOW,
    )
    const found = await queries.delivery('acme', 'd_order')
    expect(found?.delivery).toMatchObject({
      status: 'delivered',
      attempts: 3,
      nextAttemptAt: null,
      lastStatusCode: 204,
    })
    expect(found?.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'retry'],
      [2, 'retry'],
      [3, 'delivered'],
    ])
  })

  it('S9 counts every attempt once, although its record is read twice', async () => {
    const { writer } = newWriter()
    const entries = [
      attempted(anAttempt('d_count', 1, 'retry', { webhook: 'webhook_count' })),
      attempted(anAttempt('d_count', 2, 'delivered', { webhook: 'webhook_count' })),
      attempted(anAttempt('d_count2', 1, 'delivered', { webhook: 'webhook_count' })),
    ]
    await writer.write(positioned(entries.slice(0, 2)), NOW)
    await writer.write(positioned(entries), NOW)
    await writer.write(positioned(entries), NOW)
    // A dead letter repeats its last attempt and is no attempt more.
    await writer.write(
      [
        {
          topic: 'dead',
          partition: 0,
          offset: 0,
          timestamp: NOW,
          entry: { kind: 'dead-letter', attempt: anAttempt('d_count', 2, 'delivered') },
        },
      ],
      NOW,
    )
    const counters = await rowsOf('history_counters', `webhook = 'webhook_count'`)
    expect(counters.map(row => [row.outcome, Number(row.count), row.duration_ms]).sort()).toEqual([
      ['delivered', 2, 25],
      ['retry', 1, 12.5],
    ])
  })

  it('keeps rows by the UTC day of acceptance and makes days that are missing', async () => {
    const { writer } = newWriter()
    const days = [NOW - 3 * DAY, NOW, NOW + DAY]
    await writer.write(
      positioned(days.map((acceptedAt, n) => ({ kind: 'delivery', delivery: aDelivery(`d_day${n}`, { acceptedAt }) }))),
      NOW,
    )
    const { rows } = await pool.query(
      `select id, tableoid::regclass::text as part from history_deliveries where id like 'd_day%' order by id`,
    )
    expect(rows.map(row => row.part)).toEqual(days.map(ms => `history_deliveries_${utcDay(ms).replaceAll('-', '')}`))
  })

  it('two processes may make the same days at once', async () => {
    const days = [1, 2].map(n => utcDay(NOW - (8 + n) * DAY))
    await Promise.all([1, 2, 3].map(() => new HistoryPartitions(pool, 14).ensure(days)))
    const { rows } = await pool.query(`select to_regclass('history_events_${days[0]!.replaceAll('-', '')}') as made`)
    expect(rows[0]?.made).not.toBeNull()
  })

  it('drops days after the retention, and takes no rows for them any more', async () => {
    const old = NOW - 12 * DAY
    const entries = positioned([{ kind: 'delivery', delivery: aDelivery('d_old', { acceptedAt: old }) }])
    await newWriter().writer.write(entries, NOW)
    const { partitions, writer } = newWriter(11)
    expect(await partitions.maintain(NOW)).toContain(`history_deliveries_${utcDay(old).replaceAll('-', '')}`)
    await writer.write(entries, NOW)
    expect(await queries.delivery('acme', 'd_old')).toBeUndefined()
    expect(await partitions.maintain(NOW)).toEqual([])
  })

  it('writes on while a day is dropped that a reader still holds', async () => {
    const { partitions, writer } = newWriter()
    await partitions.ensure([utcDay(NOW - 20 * DAY)])
    const reader = await pool.connect()
    await reader.query('begin')
    await reader.query('select count(*) from history_deliveries')
    let dropped = false
    const dropping = partitions.maintain(NOW).then(() => (dropped = true))
    await until(async () => (await waiting()) > 0, 5000)
    await writer.write(positioned([{ kind: 'delivery', delivery: aDelivery('d_meanwhile') }]), NOW)
    expect(dropped).toBe(false)
    await reader.query('commit')
    reader.release()
    await dropping
    expect(await queries.delivery('acme', 'd_meanwhile')).toBeDefined()
  })

  it('finishes a drop that was cut off', async () => {
    const old = utcDay(NOW - 30 * DAY)
    const { partitions } = newWriter()
    await partitions.ensure([old])
    const name = `history_attempts_${old.replaceAll('-', '')}`
    await pool.query(`alter table history_attempts detach partition ${name} concurrently`)
    expect(await partitions.maintain(NOW)).toContain(name)
  })

  it('makes a day again that another process dropped behind its back', async () => {
    const { partitions, writer } = newWriter()
    await partitions.ensure([utcDay(NOW - 5 * DAY)])
    await pool.query(`drop table history_deliveries_${utcDay(NOW - 5 * DAY).replaceAll('-', '')}`)
    const entries = positioned([{ kind: 'delivery', delivery: aDelivery('d_again', { acceptedAt: NOW - 5 * DAY }) }])
    await expect(writer.write(entries, NOW)).rejects.not.toBeInstanceOf(HistoryRefused)
    await writer.write(entries, NOW)
    expect(await queries.delivery('acme', 'd_again')).toBeDefined()
  })

  it('keeps how a request went over the network, and nothing where there is nothing to say', async () => {
    const wire = { remote_address: '192.0.2.1', tls_version: 'TLSv1.3', phases: { connect_ms: 1.5, wait_ms: 20 } }
    const entries = [attempted(anAttempt('d_wire', 1, 'retry', wire)), attempted(anAttempt('d_wire', 2, 'expired'))]
    await newWriter().writer.write(positioned(entries), NOW)
    const found = await queries.delivery('acme', 'd_wire')
    expect(found?.attempts.map(one => one.wire)).toEqual([wire, null])
  })

  it('stores NUL bytes and broken surrogates as U+FFFD', async () => {
    const { writer } = newWriter()
    await writer.write(
      positioned([
        {
          kind: 'event',
          event: anEvent({ id: 'nul', subject: 'a\0b', extensions: { x: 'c\ud800' } }),
          data: Buffer.from('\0x'),
          acceptedAt: NOW,
        },
        attempted(anAttempt('d_nul', 1, 'retry', { response_body: 'no\0t', error: '\udc00' })),
      ]),
      NOW,
    )
    const event = await queries.event('acme', 'nul')
    expect(event?.event).toMatchObject({ subject: 'a\ufffdb', extensions: { x: 'c\ufffd' } })
    expect(event?.data).toEqual(Buffer.from('\0x'))
    const found = await queries.delivery('acme', 'd_nul')
    expect(found?.attempts[0]).toMatchObject({ responseBody: 'no\ufffdt', error: '\ufffd' })
  })

  it('S12 keeps the event as it came: bytes of the data, text of the time, all attributes', async () => {
    const { writer } = newWriter()
    const big = Buffer.alloc(256 * 1024, 0xfe)
    const event = anEvent({
      id: 'big',
      time: '2016-12-31T23:59:60.123456Z',
      source: 'ü'.repeat(1024),
      partitionkey: 'k',
      extensions: { traceparent: '00-x' },
    })
    const written = await writer.write(
      positioned([
        { kind: 'event', event, data: big, acceptedAt: NOW },
        { kind: 'event', event: anEvent({ id: 'small' }), data: Buffer.from('{}'), acceptedAt: NOW },
        { kind: 'event', event, data: Buffer.from('published again'), acceptedAt: NOW + 1 },
        {
          kind: 'event',
          event: anEvent({ id: 'year0', time: '0000-01-01T00:00:00Z' }),
          data: Buffer.alloc(0),
          acceptedAt: NOW,
        },
      ]),
      NOW,
    )
    expect(written.events).toBe(3)
    expect(await queries.event('acme', 'big', event.source)).toEqual({ event, data: big, acceptedAt: new Date(NOW) })
    expect((await queries.event('acme', 'small'))?.data.toString()).toBe('{}')
    expect((await queries.event('acme', 'year0'))?.event.time).toBe('0000-01-01T00:00:00Z')
    expect(await queries.event('acme', 'big', '/other')).toBeUndefined()
    expect(await queries.event('other', 'big')).toBeUndefined()
  })

  it('leaves neither rows nor offsets of a transaction that failed', async () => {
    const { writer, group } = newWriter()
    const good: HistoryEntry = { kind: 'delivery', delivery: aDelivery('d_atomic') }
    const bad = attempted(anAttempt('d_bad', 1, 'delivered', { status_code: 3_000_000_000 }))
    await expect(writer.write(positioned([good, bad]), NOW)).rejects.toBeInstanceOf(HistoryRefused)
    expect(await queries.delivery('acme', 'd_atomic')).toBeUndefined()
    expect(await rowsOf('history_offsets', `"group" = '${group}'`)).toEqual([])
    await writer.write(positioned([good, { kind: 'nothing' }]), NOW)
    expect(await queries.delivery('acme', 'd_atomic')).toBeDefined()
    expect((await rowsOf('history_offsets', `"group" = '${group}'`)).map(row => Number(row.next_offset))).toEqual([2])
  })

  it.each([
    ['a time that is none', { finished_at: 'soon' }],
    ['a missing member', { event: undefined as unknown as Attempt['event'] }],
    ['a day of the far future', { accepted_at: '2100-01-01T00:00:00Z' }],
    ['an id too long for an index', { delivery: randomText(6000) }],
  ])('refuses %s as the fault of the record', async (_, change) => {
    const entries = positioned([attempted({ ...anAttempt('d_refused', 1, 'delivered'), ...change })])
    await expect(newWriter().writer.write(entries, NOW)).rejects.toBeInstanceOf(HistoryRefused)
  })

  it('does not blame the record when Postgres is away', async () => {
    const away = openHistoryPool('postgres://x:y@127.0.0.1:1/z', { max: 2, name: 'test', onError: () => undefined })
    const writer = new HistoryWriter(away, new HistoryPartitions(away, 14), 'g')
    await expect(writer.write(positioned([{ kind: 'nothing' }]), NOW)).rejects.not.toBeInstanceOf(HistoryRefused)
    await away.end()
  })

  it('takes the records of a log that was made anew, although their offsets were seen before', async () => {
    const { writer } = newWriter()
    const count = (n: number) => attempted(anAttempt(`d_anew${n}`, 1, 'delivered', { webhook: 'webhook_anew' }))
    await writer.write(positioned([1, 2, 3].map(count)), NOW)
    await writer.write(positioned([4, 5].map(count), 0, NOW + 60_000), NOW)
    await writer.write(positioned([4, 5].map(count), 0, NOW + 60_000), NOW)
    const counters = await rowsOf('history_counters', `webhook = 'webhook_anew'`)
    expect(counters.map(row => Number(row.count))).toEqual([5])
  })

  it('two owners of one partition store each record once', async () => {
    const { writer, group } = newWriter()
    const other = newWriter(14, group).writer
    const entries = Array.from({ length: 200 }, (_, n) =>
      attempted(anAttempt(`d_two${n}`, 1, 'delivered', { webhook: 'webhook_two' })),
    )
    const parts = chunks(entries, 20)
    await Promise.all(
      [writer, other].map(async one => {
        for (const { entries, from } of parts) await one.write(positioned(entries, from), NOW)
      }),
    )
    const counters = await rowsOf('history_counters', `webhook = 'webhook_two'`)
    expect(counters.map(row => Number(row.count))).toEqual([200])
  })

  it('keeps poison once, and what of it is known', async () => {
    const { writer } = newWriter()
    const head: PoisonHead = {
      topic: 'events.v1',
      partition: 1,
      offset: 7,
      timestamp: NOW,
      reason: 'undecodable',
      detail: 'no\0',
      size: 3,
      key: 'k',
    }
    const entry: HistoryEntry = { kind: 'poison', head, value: Buffer.from('abc') }
    await writer.write(positioned([entry, entry, { ...entry, head: { ...head, offset: 8, pointers: ['/id'] } }]), NOW)
    const first = await new HistoryLists(pool).poison({ limit: 1 })
    expect(first.rows).toMatchObject([{ offset: 8, pointers: ['/id'] }])
    const second = await new HistoryLists(pool).poison({ limit: 1, after: first.after! })
    expect(second).toMatchObject({
      rows: [{ offset: 7, detail: 'no\ufffd', value: Buffer.from('abc'), at: new Date(NOW) }],
    })
    expect(second.after).toBeUndefined()
  })
})

/** Incompressible: Postgres would shrink repeated characters below the limit. */
function randomText(length: number): string {
  return Array.from({ length }, () => Math.floor(Math.random() * 36).toString(36)).join('')
}

const attemptKey = ({ delivery, run, attempt }: Attempt): string => `${delivery}/${run}/${attempt}`

/** Few deliveries, told of by pending records and attempts of two runs, and the same in another order, twice. */
function scenario() {
  const attempt = fc.record({
    id: fc.constantFrom('d1', 'd2', 'd3'),
    run: fc.constantFrom('0', 'job_1'),
    number: fc.integer({ min: 1, max: 3 }),
    outcome: fc.constantFrom<Attempt['outcome']>('retry', 'delivered', 'exhausted'),
  })
  const entry = fc.oneof(
    fc.constantFrom('d1', 'd2', 'd3').map((id): HistoryEntry => ({ kind: 'delivery', delivery: aDelivery(id) })),
    attempt.map(({ id, run, number, outcome }): HistoryEntry => {
      const finished_at = new Date(
        NOW + number * 1000 + ['retry', 'delivered', 'exhausted'].indexOf(outcome),
      ).toISOString()
      return attempted(anAttempt(id, number, outcome, { run, finished_at }))
    }),
  )
  return fc.array(entry, { minLength: 1, maxLength: 12 }).chain(told =>
    fc.shuffledSubarray([...told, ...told], { minLength: told.length * 2 }).map(again => ({
      ids: ['d1', 'd2', 'd3'],
      told,
      again,
    })),
  )
}

/** The model: go through all that was said and keep the greatest (run, attempt, final, time). */
function expectedState(id: string, told: readonly HistoryEntry[]) {
  const states = told.flatMap(entry => {
    if (entry.kind === 'delivery' && entry.delivery.id === id)
      return [{ id, run: '0', status: 'pending', attempts: 0, updatedAt: new Date(NOW).toISOString() }]
    if (entry.kind !== 'attempt' || entry.attempt.delivery !== id) return []
    const { run, outcome, attempt, finished_at } = entry.attempt
    return [{ id, run, status: outcome as string, attempts: attempt, updatedAt: finished_at }]
  })
  const weight = (state: (typeof states)[number]) =>
    (state.run === '0' ? 0 : 1e6) +
    state.attempts * 1000 +
    (state.status === 'pending' || state.status === 'retry' ? 0 : 100) +
    (Date.parse(state.updatedAt) % 1000)
  return states.sort((a, b) => weight(b) - weight(a))[0]
}

function chunks(entries: readonly HistoryEntry[], size = 3): { entries: readonly HistoryEntry[]; from: number }[] {
  return Array.from({ length: Math.ceil(entries.length / size) }, (_, n) => ({
    entries: entries.slice(n * size, (n + 1) * size),
    from: n * size,
  }))
}
