import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import type { AuditEntry } from './audit.js'
import { Database } from './data-source.js'
import { migrate } from './migrate.js'
import type { ReplayRow } from './replay-row.js'
import { ReplayEnded, Replays, type ReplayStep } from './replays.js'
import { Tenants } from './tenants.js'

const LEASE_MS = 60_000
const logger = createLogger('silent', 'test')
const trail = (): AuditEntry => ({
  tenant: 'default',
  key: 'platform',
  address: '127.0.0.1',
  requestId: 'r',
  action: 'test',
  subject: 'test',
  before: null,
  after: null,
})
const step = (next: number, sent = 1): ReplayStep => ({
  position: { kind: 'deliveries', next },
  examined: 2,
  matched: sent,
  sent,
  skipped: 2 - sent,
})

let testDatabase: TestDatabase
let database: Database
let replays: Replays
let made = 0

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  await migrate(testDatabase.url, logger)
  database = new Database({ url: testDatabase.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  replays = new Replays(database)
  await new Tenants(database).insert({ id: 'acme', description: null, quotas: {}, unknownEventTypes: 'accept' }, trail)
})
afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})
beforeEach(() => database.manager.query('DELETE FROM replays'))

function create(tenant = 'default'): Promise<ReplayRow> {
  const selection = { kind: 'deliveries', ids: ['a', 'b', 'c', 'd'] } as const
  return replays.insert({ id: `replay_${made++}`, tenant, selection, dryRun: false, rate: 5 }, trail)
}
const read = async (id: string) => (await replays.get('default', id))!

describe('a claim', () => {
  it('is one worker’s, however many ask at once', async () => {
    await Promise.all([create(), create(), create()])
    const claims = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(worker => replays.claim(worker, LEASE_MS)))
    const found = claims.filter(claim => claim !== undefined)
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length)
    // Who met a locked row went without.
    for (let more = await replays.claim('f', LEASE_MS); more; more = await replays.claim('f', LEASE_MS))
      found.push(more)
    expect(found).toHaveLength(3)
  })

  it('gives the tenant with the fewest at work its turn', async () => {
    for (let n = 0; n < 3; n++) await create()
    await create('acme')
    const inTurn = []
    for (let n = 0; n < 4; n++) inTurn.push((await replays.claim('a', LEASE_MS))!.tenant)
    expect(inTurn).toEqual(['default', 'acme', 'default', 'default'])
  })

  it('passes to another when it has run out, with the position, and the first can save no more', async () => {
    const { id } = await create()
    await replays.claim('a', LEASE_MS)
    await replays.begin(id, 'a', { kind: 'deliveries', next: 0 }, 4)
    expect(await replays.advance(id, 'a', LEASE_MS, step(2))).toEqual({ status: 'running', rate: 5 })
    expect(await replays.claim('b', LEASE_MS)).toBeUndefined()
    const { updatedAt, claimedUntil } = await read(id)
    expect(claimedUntil!.getTime() - updatedAt.getTime()).toBe(LEASE_MS)
    await replays.renew(id, 'a', 50)
    await sleep(80)
    expect(await replays.claim('b', LEASE_MS)).toMatchObject({ position: { next: 2 }, examined: 2, sent: 1, total: 4 })
    expect(await replays.advance(id, 'a', LEASE_MS, step(4))).toBeUndefined()
    await replays.finish(id, 'a', 'done', null)
    await replays.release(id, 'a')
    expect(await replays.own(id, 'a')).toBeUndefined()
    expect(await read(id)).toMatchObject({ status: 'running', claimedBy: 'b', position: { next: 2 }, sent: 1 })
    await replays.advance(id, 'b', LEASE_MS, step(4, 0))
    await replays.finish(id, 'b', 'done', null)
    expect(await read(id)).toMatchObject({ status: 'done', claimedBy: null, examined: 4, sent: 1, skipped: 3 })
  })

  it('lasts as long as it is renewed', async () => {
    const { id } = await create()
    await replays.claim('a', 50)
    await replays.renew(id, 'a', LEASE_MS)
    await sleep(80)
    expect(await replays.claim('b', LEASE_MS)).toBeUndefined()
  })
})

describe('orders', () => {
  it('reach the worker with its next step, whose work is saved all the same', async () => {
    const { id } = await create()
    await replays.claim('a', LEASE_MS)
    await replays.change('default', id, () => ({ status: 'paused', rate: 9 }), trail)
    expect(await replays.advance(id, 'a', LEASE_MS, step(2))).toEqual({ status: 'paused', rate: 9 })
    await replays.finish(id, 'a', 'done', null)
    await replays.release(id, 'a')
    expect(await read(id)).toMatchObject({ status: 'paused', claimedBy: null, sent: 1, finishedAt: null })
    expect(await replays.claim('b', LEASE_MS)).toBeUndefined()
    await replays.change('default', id, () => ({ status: 'queued' }), trail)
    expect(await replays.claim('b', LEASE_MS)).toMatchObject({ id, position: { next: 2 } })
  })

  it('come to nothing once a replay is over', async () => {
    const { id } = await create()
    await replays.change('default', id, () => ({ status: 'cancelled' }), trail)
    await expect(replays.change('default', id, () => ({ status: 'queued' }), trail)).rejects.toThrow(ReplayEnded)
    expect(await replays.change('acme', id, () => ({ status: 'queued' }), trail)).toBeUndefined()
    expect(await replays.claim('a', LEASE_MS)).toBeUndefined()
    const finishedAt = (await read(id)).finishedAt!.getTime()
    await replays.sweep(new Date(finishedAt))
    expect(await replays.get('default', id)).toBeDefined()
    await replays.sweep(new Date(finishedAt + 1))
    expect(await replays.get('default', id)).toBeUndefined()
  })
})
