import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { HistoryPartitions, HistoryWriter, openHistoryPool, type HistoryEntry } from '@posthorn/store'
import type { OutcomeKind } from '@posthorn/webhook'
import { TestRegistry } from './test-registry.js'

const WEBHOOK = 'webhook_0123456789abcdefghjkmnpqrs'
const HOUR = 3600_000
/** The beginning of an hour of yesterday. */
const BASE = Math.floor(Date.now() / HOUR) * HOUR - 24 * HOUR
const iso = (ms: number) => new Date(ms).toISOString()

let registry: TestRegistry

beforeAll(async () => {
  registry = await TestRegistry.start()
  const pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  const entries = [
    ...attempted('one', { at: BASE, took: [10, 30], outcome: 'delivered' }),
    ...attempted('two', { at: BASE + 1000, took: [500], outcome: 'exhausted' }),
    ...attempted('three', { at: BASE + 2 * HOUR, took: [0], outcome: 'discarded' }),
    ...attempted('four', { at: BASE + 2 * HOUR, took: [20], outcome: 'delivered', webhook: 'webhook_other' }),
    ...attempted('five', { at: BASE, took: [1], outcome: 'gone', tenant: 'elsewhere' }),
  ]
  await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'test').write(
    entries.map((entry, offset) => ({ topic: 't', partition: 0, offset, timestamp: BASE, entry })),
    Date.now(),
  )
  await pool.end()
}, 60_000)
afterAll(() => registry.stop(), 30_000)

interface Story {
  readonly at: number
  /** Durations of the attempts in ms; each but the last is tried again. */
  readonly took: readonly number[]
  readonly outcome: OutcomeKind
  readonly webhook?: string
  readonly tenant?: string
}

function attempted(name: string, { at, took, outcome, webhook = WEBHOOK, tenant = 'default' }: Story): HistoryEntry[] {
  const event = {
    tenant,
    id: `event-${name}`,
    source: '/s',
    type: `of.${name}`,
    time: iso(at),
    contenttype: 'text/plain',
  }
  const attempts = took.map((duration_ms, i) => ({
    delivery: `delivery-${name}`,
    run: '0',
    attempt: i + 1,
    webhook,
    webhook_version: 1,
    tenant,
    event,
    accepted_at: iso(at),
    outcome: i < took.length - 1 ? ('retry' as const) : outcome,
    due_at: iso(at),
    started_at: iso(at + i * 1000),
    finished_at: iso(at + i * 1000 + duration_ms),
    duration_ms,
  }))
  return [
    { kind: 'event', event, data: Buffer.from('x'), acceptedAt: at },
    ...attempts.map(attempt => ({ kind: 'attempt' as const, attempt })),
  ]
}

async function ids(path: string): Promise<unknown[]> {
  const { json } = await registry.call('GET', path)
  return (json.data as { id?: string; delivery?: string; attempt?: number }[]).map(({ id, delivery, attempt }) =>
    delivery === undefined ? id : `${delivery}/${attempt}`,
  )
}

describe('what happened can be read by filters', () => {
  test.each([
    ['events', ['event-four', 'event-three', 'event-two', 'event-one']],
    [`events?type=of.two`, ['event-two']],
    [`events?from=${iso(BASE)}&to=${iso(BASE + 1)}`, ['event-one']],
    [`deliveries?event_type=of.one&status=delivered&webhook=${WEBHOOK}`, ['delivery-one']],
    [
      `deliveries?from=${encodeURIComponent(iso(BASE + HOUR).replace('Z', '+00:00'))}`,
      ['delivery-three', 'delivery-four'],
    ],
    ['dead-letters', ['delivery-two']],
    ['dead-letters?status=gone', []],
    ['attempts?delivery=delivery-one', ['delivery-one/2', 'delivery-one/1']],
    ['attempts?outcome=retry', ['delivery-one/1']],
    [`attempts?webhook=${WEBHOOK}&event_type=of.two`, ['delivery-two/1']],
    [`attempts?to=${iso(BASE + 1000)}`, ['delivery-one/1']],
  ])('%s', async (path, wanted) => {
    expect((await ids(`/v1/${path}`)).sort()).toEqual([...wanted].sort())
  })

  test('an entry of each list says what it is about', async () => {
    const { json: events } = await registry.call('GET', '/v1/events?type=of.one')
    expect(events).toEqual({
      data: [
        {
          id: 'event-one',
          source: '/s',
          type: 'of.one',
          time: iso(BASE),
          datacontenttype: 'text/plain',
          accepted_at: iso(BASE),
        },
      ],
      next_cursor: null,
    })
    const { json: attempts } = await registry.call('GET', '/v1/attempts?outcome=exhausted')
    expect(attempts.data).toMatchObject([{ delivery: 'delivery-two', webhook: WEBHOOK, attempt: 1, duration_ms: 500 }])
  })

  test.each(['events', 'deliveries', 'attempts'])('%s: pages lead from one to the next, to the end', async list => {
    const seen: unknown[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { json } = await registry.call('GET', `/v1/${list}?limit=1${cursor && `&cursor=${cursor}`}`)
      seen.push(...(json.data as unknown[]))
      cursor = json.next_cursor as unknown as string | null
    }
    expect(seen).toHaveLength(list === 'attempts' ? 5 : 4)
    expect(new Set(seen.map(each => JSON.stringify(each))).size).toBe(seen.length)
  })
})

describe('what is wrong in a request is named', () => {
  const longPast = '0000-01-01T00:00:00Z'
  test.each([
    ['events?from=yesterday', '/from'],
    ['events?to=2026-11-24', '/to'],
    ['events?from=2026-02-30T25:00:00Z', '/from'],
    ['deliveries?from=2026-11-24T00:00:00Z&from=2026-11-25T00:00:00Z', '/from'],
    ['deliveries?from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z', '/to'],
    ['deliveries?type=a.b', '/type'],
    ['dead-letters?status=delivered', '/status'],
    ['attempts?outcome=pending', '/outcome'],
    ['attempts?outcome=toString', '/outcome'],
    [`attempts?webhook=${'x'.repeat(257)}`, '/webhook'],
    ['poison?topic=a&topic=b', '/topic'],
    ['stats?step=week', '/step'],
    ['stats?webhook=', '/webhook'],
    ['stats?from=2999-01-01T00:00:00Z', '/from'],
    ['stats?step=minute&from=2026-11-20T00:00:00Z&to=2026-11-24T00:00:00Z', '/from'],
    [`stats?from=${longPast}`, '/from'],
  ])('%s', async (path, pointer) => {
    const { status, json } = await registry.call('GET', `/v1/${path}`)
    const pointers = (json.errors as { pointer: string }[] | undefined)?.map(each => each.pointer)
    expect({ status, pointers: [...new Set(pointers)] }).toEqual({ status: 400, pointers: [pointer] })
  })

  test.each([
    `events?from=${longPast}&to=9999-12-31T23:59:59-23:59`,
    'attempts?event_type=%27%3B--',
    'deliveries?webhook=',
  ])('what is odd and not wrong is answered: %s', async path =>
    expect(await registry.call('GET', `/v1/${path}`)).toMatchObject({ status: 200 }),
  )

  test('a cursor of another list, and one that is made up', async () => {
    const { json } = await registry.call('GET', '/v1/deliveries?limit=1')
    const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const wrong = [
      json.next_cursor as unknown as string,
      'x',
      made(['attempts', 1, 'd', '0', 1.5]),
      made(['attempts', -1, 'd', '0', 1]),
      made(['attempts', 1, 'd\0', '0', 1]),
    ]
    for (const cursor of wrong)
      expect(await registry.call('GET', `/v1/attempts?cursor=${cursor}`)).toMatchObject({
        status: 400,
        json: { code: 'cursor_invalid' },
      })
    const events = await registry.call('GET', `/v1/events?cursor=${made(['events', 1, 'e', 'not hex'])}`)
    expect(events).toMatchObject({ status: 200, json: { data: [] } })
  })
})

describe('S13 statistics', () => {
  const stats = async (query: string) => {
    const { json } = await registry.call('GET', `/v1/stats?${query}`)
    return json as unknown as { from: string; to: string; data: Record<string, unknown>[] }
  }
  const none = { delivered: 0, retry: 0, exhausted: 0, expired: 0, gone: 0, discarded: 0 }
  const quiet = { attempts: 0, success_rate: null, mean_duration_ms: null, max_duration_ms: null }

  test('of a tenant, by the hour, with the hours in which nothing ended', async () => {
    const range = `from=${iso(BASE + 1)}&to=${iso(BASE + 2 * HOUR + 1)}`
    expect(await stats(range)).toEqual({
      webhook: null,
      step: 'hour',
      from: iso(BASE),
      to: iso(BASE + 3 * HOUR),
      data: [
        {
          start: iso(BASE),
          attempts: 3,
          outcomes: { ...none, delivered: 1, retry: 1, exhausted: 1 },
          success_rate: 1 / 3,
          mean_duration_ms: 180,
          max_duration_ms: 500,
        },
        { start: iso(BASE + HOUR), outcomes: none, ...quiet },
        {
          start: iso(BASE + 2 * HOUR),
          attempts: 1,
          outcomes: { ...none, delivered: 1, discarded: 1 },
          success_rate: 1,
          mean_duration_ms: 20,
          max_duration_ms: 20,
        },
      ],
    })
  })

  test('of one webhook, by the minute', async () => {
    const { data } = await stats(
      `webhook=webhook_other&step=minute&from=${iso(BASE + 2 * HOUR)}&to=${iso(BASE + 2 * HOUR + 120_000)}`,
    )
    expect(data.map(({ attempts, success_rate }) => [attempts, success_rate])).toEqual([
      [1, 1],
      [0, null],
    ])
  })

  test('unless a range is given, of the last day by hours and of two weeks by days', async () => {
    const askedAt = Date.now()
    const hours = await stats('')
    expect(hours.data).toHaveLength(24)
    expect(Date.parse(hours.to)).toBeGreaterThanOrEqual(askedAt)
    const days = await stats('step=day')
    expect(days.data).toHaveLength(14)
    expect(days.data.reduce((sum, { attempts }) => sum + (attempts as number), 0)).toBe(4)
  })
})
