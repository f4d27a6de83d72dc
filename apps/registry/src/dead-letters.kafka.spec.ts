import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  HistoryPartitions,
  HistoryWriter,
  openHistoryPool,
  ReplayQueries,
  type HistoryEntry,
  type SqlPool,
} from '@posthorn/store'
import { deliveryId, type OutcomeKind } from '@posthorn/webhook'
import { TestRegistry } from './test-registry.js'

const NOW = Date.now()
const iso = (ms: number) => new Date(ms).toISOString()
const hook = (name: string) => `webhook_${name.padEnd(26, '0')}`

let registry: TestRegistry
let pool: SqlPool
let offset = 0

beforeAll(async () => {
  registry = await TestRegistry.start()
  pool = openHistoryPool(registry.database.url, { max: 1, name: 'test', onError: () => undefined })
  await registry.call('POST', '/v1/tenants', { id: 'other' })
}, 60_000)
afterAll(async () => {
  await pool.end()
  await registry.stop()
}, 30_000)

interface Ended {
  readonly webhook: string
  readonly count: number
  readonly outcome?: OutcomeKind
  readonly tenant?: string
  readonly type?: string
  readonly run?: string
}

/** Deliveries as the monitor writes them; resolves with their ids. */
async function ended(of: Ended): Promise<string[]> {
  const { webhook, count, outcome = 'exhausted', tenant = 'default', type = 'a.b', run = '0' } = of
  const ids: string[] = []
  const entries = Array.from({ length: count }, (_, n): HistoryEntry => {
    const event = { tenant, id: `${webhook}-${n}`, source: '/s', type, time: iso(NOW), contenttype: 'text/plain' }
    const at = iso(NOW - 60_000 + n)
    const delivery = deliveryId(event, webhook)
    ids.push(delivery)
    const named = { delivery, run, attempt: 1, webhook, webhook_version: 1, tenant, event }
    const times = { accepted_at: at, due_at: at, started_at: at, finished_at: at, duration_ms: 1 }
    return { kind: 'attempt', attempt: { ...named, ...times, outcome } }
  })
  for (let from = 0; from < entries.length; from += 2_000)
    await new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'test').write(
      entries
        .slice(from, from + 2_000)
        .map(entry => ({ topic: 't', partition: 0, offset: offset++, timestamp: NOW, entry })),
      NOW,
    )
  return ids
}

const discard = (body: unknown, headers = {}) => registry.call('POST', '/v1/dead-letters/discard', body, { headers })
const open = async (webhook: string, more = '') =>
  ((await registry.call('GET', `/v1/dead-letters?webhook=${webhook}&limit=250${more}`)).json.data as object[]).length

describe('dead letters that are discarded', () => {
  test('are open no more, and history and audit say by whom', async () => {
    const webhook = hook('one')
    const [id] = await ended({ webhook, count: 3 })
    const { status, json } = await discard({ deliveries: [id] })
    expect([status, json]).toEqual([200, { discarded: 1, more: false }])
    expect([await open(webhook), await open(webhook, '&state=discarded')]).toEqual([2, 1])
    const read = await registry.call('GET', `/v1/deliveries/${id}`)
    expect(read.json).toMatchObject({ status: 'exhausted', discarded_by: 'platform', discarded_at: expect.any(String) })
    const audit = await registry.call('GET', `/v1/audit?subject=${id}`)
    expect(audit.json.data).toMatchObject([
      { action: 'dead_letters.discarded', key: 'platform', after: { deliveries: [id], discarded: 1 } },
    ])
    expect((await discard({ deliveries: [id] })).json).toEqual({ discarded: 0, more: false })
    expect((await registry.call('GET', `/v1/audit?subject=${id}`)).json.data).toHaveLength(1)
  })

  test('are chosen by webhook, status, type and time, and counted by a dry run', async () => {
    const webhook = hook('many')
    await ended({ webhook, count: 4 })
    const other = hook('many2')
    await ended({ webhook: other, count: 2, outcome: 'gone', type: 'b.c' })
    expect((await discard({ webhook, status: ['gone'] })).json).toEqual({ discarded: 0, more: false })
    expect((await discard({ webhook, dry_run: true })).json).toEqual({ discarded: 4, more: false })
    expect((await discard({ webhook, to: iso(NOW - 60_000 + 2) })).json).toEqual({ discarded: 2, more: false })
    expect((await discard({ event_type: 'b.*', status: ['gone'] })).json).toEqual({ discarded: 2, more: false })
    expect([await open(webhook), await open(other)]).toEqual([2, 0])
  })

  test('leave alone what was delivered, what is under way and what others have', async () => {
    const webhook = hook('alone')
    await ended({ webhook, count: 1, outcome: 'delivered' })
    const retried = await ended({ webhook: hook('alone2'), count: 1, outcome: 'retry' })
    const theirs = await ended({ webhook: hook('alone3'), count: 2, tenant: 'other' })
    expect((await discard({ webhook })).json).toEqual({ discarded: 0, more: false })
    expect((await discard({ deliveries: retried })).json).toEqual({ discarded: 0, more: false })
    expect((await discard({ webhook: hook('alone3') })).json).toEqual({ discarded: 0, more: false })
    const { status, json } = await discard({ deliveries: theirs })
    expect([status, json]).toMatchObject([
      404,
      { code: 'delivery_not_found', errors: [{ pointer: '/deliveries/0' }, {}] },
    ])
    expect((await discard({ deliveries: theirs }, { 'posthorn-tenant': 'other' })).json.discarded).toBe(2)
  })

  test('are not redriven, neither by name nor by filter', async () => {
    const webhook = hook('redriven')
    const ids = await ended({ webhook, count: 2 })
    await discard({ deliveries: [ids[1]] })
    const named = await registry.call('POST', '/v1/replays', { deliveries: ids })
    expect([named.status, named.json]).toMatchObject([
      409,
      { code: 'dead_letter_discarded', errors: [{ pointer: '/deliveries/1' }] },
    ])
    // What the replayer asks: a replay may have been made before.
    const queries = new ReplayQueries(pool)
    const selection = { kind: 'history', webhook, status: ['exhausted'], to: iso(NOW + 60_000) } as const
    const page = await queries.page('default', 'replay_0', selection, undefined, 10)
    const found = [page, await queries.named('default', ids)].map(some => some.map(({ id }) => id))
    expect(found).toEqual([[ids[0]], [ids[0]]])
    expect(await queries.count('default', 'replay_0', selection)).toBe(1)
    expect(await queries.settled('default', ids)).toEqual(new Set([ids[1]]))
  })

  test('are dead letters again when a redrive that was under way fails, too', async () => {
    const webhook = hook('again')
    const [id] = await ended({ webhook, count: 1 })
    await discard({ webhook })
    await ended({ webhook, count: 1, run: 'replay_0123456789abcdefghjkmnpqrs' })
    expect(await open(webhook)).toBe(1)
    expect((await registry.call('GET', `/v1/deliveries/${id}`)).json).toMatchObject({ discarded_at: null })
  })

  test('10,000 go by one request, and of two at once each takes its own', async () => {
    const webhook = hook('crowd')
    await ended({ webhook, count: 10_500 })
    const answers = await Promise.all([discard({ webhook }), discard({ webhook })])
    const rest = await discard({ webhook })
    const counts = [...answers, rest].map(({ json }) => json.discarded as unknown as number)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_500)
    expect(await open(webhook)).toBe(0)
    const audit = await registry.call('GET', `/v1/audit?subject=${webhook}`)
    const told = (audit.json.data as { after: { discarded: number } }[]).map(({ after }) => after.discarded)
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(10_500)
  }, 60_000)

  test.each([
    [{}, ''],
    [{ to: iso(NOW) }, ''],
    [{ deliveries: [] }, '/deliveries'],
    [{ deliveries: ['x'] }, '/deliveries/0'],
    [{ deliveries: [deliveryId({ tenant: 't', source: '/', id: '1' }, 'w')], webhook: hook('x') }, '/webhook'],
    [{ webhook: 7 }, '/webhook'],
    [{ webhook: hook('x'), status: ['delivered'] }, '/status'],
    [{ webhook: hook('x'), status: 'gone' }, '/status'],
    [{ webhook: hook('x'), from: 'yesterday' }, '/from'],
    [{ webhook: hook('x'), to: iso(NOW + 3600_000) }, '/to'],
    [{ webhook: hook('x'), dry_run: 'yes' }, '/dry_run'],
    [{ webhook: hook('x'), force: true }, '/force'],
  ])('a wrong request is refused with its field: %j', async (body, pointer) => {
    const { status, json } = await discard(body)
    expect([status, json]).toMatchObject([400, { code: 'request_invalid', errors: [{ pointer }] }])
  })
})

describe('what a replay did', () => {
  test('is listed by its run', async () => {
    const webhook = hook('runs')
    const run = 'replay_1123456789abcdefghjkmnpqrs'
    await ended({ webhook, count: 3 })
    const ids = await ended({ webhook, count: 2, run, outcome: 'delivered' })
    const list = async (path: string) => (await registry.call('GET', `/v1/${path}`)).json.data as { id: string }[]
    expect((await list(`deliveries?run=${run}`)).map(({ id }) => id).sort()).toEqual(ids.toSorted())
    expect(await list(`deliveries?run=0&webhook=${webhook}`)).toHaveLength(1)
    expect(await list(`deliveries?run=${run}&status=exhausted`)).toHaveLength(0)
    expect(await list(`attempts?run=${run}`)).toHaveLength(2)
    expect(await list(`attempts?run=0&webhook=${webhook}`)).toHaveLength(3)
    expect(await list(`attempts?run=${run}&delivery=${ids[0]}`)).toHaveLength(1)
    expect(await list('attempts?run=replay_of_nobody')).toEqual([])
  })
})
