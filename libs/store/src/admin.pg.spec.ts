import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, until, type TestDatabase } from '@posthorn/testkit'
import { DataSource } from 'typeorm'
import { Audit, type AuditEntry } from './audit.js'
import { Database } from './data-source.js'
import { ClaimTaken, Idempotency, markChanged, type ClaimedRequest } from './idempotency.js'
import { Keys, type NewKey } from './keys.js'
import { migrate } from './migrate.js'
import { AdminMigration } from './migrations/4-admin.js'
import { Outbox } from './outbox.js'
import { VersionConflict } from './published-row.js'
import { TenantGone, Tenants, TenantTaken } from './tenants.js'

const logger = createLogger('silent', 'test')
let created: TestDatabase
let database: Database
let keys: Keys
let tenants: Tenants
let audit: Audit
let outbox: Outbox

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  keys = new Keys(database)
  tenants = new Tenants(database)
  audit = new Audit(database)
  outbox = new Outbox(database)
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

const entry = (change: Partial<AuditEntry> = {}): AuditEntry => ({
  key: 'platform',
  address: '127.0.0.1',
  requestId: 'r',
  tenant: 'default',
  action: 'test',
  subject: 'test',
  before: null,
  after: null,
  ...change,
})
const audited = () => entry()

const fresh = (id: string, change: Partial<NewKey> = {}): NewKey => ({
  id,
  tenant: 'default',
  name: id,
  hash: `hash of ${id}`,
  sealedSecret: null,
  prefix: 'phk_1234',
  roles: ['publish'],
  allowedIps: [],
  expiresAt: null,
  ...change,
})

describe('the migration', () => {
  test('keeps the secrets of webhooks, their order too, there and back', async () => {
    const own = await createTestDatabase()
    await migrate(own.url, logger)
    const source = new DataSource({ type: 'postgres', url: own.url, poolSize: 1 })
    await source.initialize()
    const runner = source.createQueryRunner()
    await new AdminMigration().down(runner)
    await runner.query(
      `INSERT INTO webhooks (id, tenant, version, status, url, method, events, format, sealed_secrets, retry_policy,
         metadata, created_at, updated_at)
       VALUES ('webhook_1', 'default', 1, 'active', 'https://example.com', 'POST', '{*}', 'standard',
         '{v1.k.new,v1.k.old}', '{}', '{}', '2026-11-24T12:00:00Z', now())`,
    )
    await new AdminMigration().up(runner)
    const [{ secrets }] = (await runner.query('SELECT secrets FROM webhooks')) as [{ secrets: { id: string }[] }]
    const createdAt = '2026-11-24T12:00:00.000Z'
    expect(secrets).toEqual([
      { id: expect.stringMatching(/^secret_\w{26}$/), sealed: 'v1.k.new', createdAt, expiresAt: null },
      { id: expect.stringMatching(/^secret_\w{26}$/), sealed: 'v1.k.old', createdAt, expiresAt: null },
    ])
    expect(secrets[0]!.id).not.toBe(secrets[1]!.id)
    await new AdminMigration().down(runner)
    expect(await runner.query('SELECT sealed_secrets FROM webhooks')).toEqual([
      { sealed_secrets: ['v1.k.new', 'v1.k.old'] },
    ])
    await source.destroy()
    await own.drop()
  }, 20_000)
})

const minuteOf = (ms: number) => ms - (ms % 60_000)

describe('Keys', () => {
  test('are kept by their hash, for one owner, and published', async () => {
    await keys.insert(fresh('key_a', { roles: ['read', 'publish'], allowedIps: ['10.0.0.0/8'] }), audited)
    expect(await keys.byHash('hash of key_a')).toMatchObject({ id: 'key_a', roles: ['read', 'publish'] })
    expect(await keys.get(null, 'key_a')).toBeUndefined()
    expect(await keys.get('default', 'key_a')).toMatchObject({ lastUsedAt: null, version: 1 })
    const { publications } = await outbox.read(100)
    expect(publications).toContainEqual({
      kind: 'key',
      document: expect.objectContaining({ id: 'key_a', hash: 'hash of key_a', status: 'active', expiresAt: null }),
    })
  })

  test('end at once when they are rotated or removed', async () => {
    await keys.insert(fresh('key_b', { tenant: null }), audited)
    expect((await keys.list(null, 10, undefined)).rows.map(row => row.id)).toEqual(['key_b'])
    const another = { hash: 'another', sealedSecret: null, prefix: 'phk_5678' }
    await keys.rotate(null, 'key_b', () => another, audited)
    expect(await keys.byHash('hash of key_b')).toBeUndefined()
    expect(await keys.byHash('another')).toMatchObject({ id: 'key_b', version: 2 })
    expect(await keys.remove('default', 'key_b', audited)).toBeUndefined()
    expect(await keys.remove(null, 'key_b', audited)).toMatchObject({ status: 'deleted', version: 3 })
    expect(await keys.byHash('another')).toBeUndefined()
    expect(await keys.remove(null, 'key_b', audited)).toBeUndefined()
  })

  test('S7 change their addresses under one version, and one that signs is published sealed', async () => {
    const signing = { hash: null, sealedSecret: 'v1.k.sealed', prefix: 'whsec_abcdef' }
    await keys.insert(fresh('key_s', signing), audited)
    const changed = await keys.update('default', 'key_s', 1, { allowedIps: ['10.0.0.0/8'] }, audited)
    expect(changed).toMatchObject({ version: 2, allowedIps: ['10.0.0.0/8'] })
    expect(await keys.update('default', 'key_s', 2, { allowedIps: ['10.0.0.0/8'] }, audited)).toMatchObject({
      version: 2,
    })
    await expect(keys.update('default', 'key_s', 1, { name: 'x' }, audited)).rejects.toBeInstanceOf(VersionConflict)
    expect(await keys.update(null, 'key_s', undefined, { name: 'x' }, audited)).toBeUndefined()
    const { publications } = await outbox.read(100)
    const [document] = publications.filter(({ document: { id } }) => id === 'key_s').map(one => one.document)
    expect(document).toMatchObject({ kind: 'signing', sealedSecret: 'v1.k.sealed', allowedIps: ['10.0.0.0/8'] })
    expect(document).not.toHaveProperty('hash')
    await expect(keys.insert(fresh('key_both', { sealedSecret: 'v1.k.x' }), audited)).rejects.toThrow('keys_kind')
  })

  test('note their use to the minute', async () => {
    await keys.insert(fresh('key_c'), audited)
    await keys.touch({ id: 'key_c', lastUsedAt: new Date() })
    expect((await keys.get('default', 'key_c'))!.lastUsedAt).toBeNull()
    const before = minuteOf(Date.now())
    await keys.touch({ id: 'key_c', lastUsedAt: null })
    expect([before, minuteOf(Date.now())]).toContain((await keys.get('default', 'key_c'))!.lastUsedAt!.getTime())
  })

  test('take the uses that others saw, never an earlier one over a later one, nor one of the future', async () => {
    const lastUse = async (id: string) => (await keys.get('default', id))!.lastUsedAt
    const [first, second] = [new Date('2026-01-01T00:01:00Z'), new Date('2026-01-01T00:02:00Z')]
    for (const id of ['key_used', 'key_ahead']) await keys.insert(fresh(id), audited)
    const uses = [
      { id: 'key_used', at: second },
      { id: 'key_ahead', at: new Date('2999-01-01T00:00:00Z') },
      { id: 'key_nobody', at: first },
    ]
    const before = minuteOf(Date.now())
    expect(await keys.noteUses(uses)).toEqual(['key_nobody'])
    expect(await lastUse('key_used')).toEqual(second)
    expect([before, minuteOf(Date.now())]).toContain((await lastUse('key_ahead'))!.getTime())
    expect(await keys.noteUses([{ id: 'key_used', at: first }])).toEqual([])
    expect(await lastUse('key_used')).toEqual(second)
    await keys.touch({ id: 'key_used', lastUsedAt: second })
    expect((await lastUse('key_used'))!.getTime()).toBeGreaterThan(second.getTime())
    expect(await keys.noteUses([])).toEqual([])
  })

  test('take them from many at once', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `key_busy_${i}`)
    for (const id of ids) await keys.insert(fresh(id), audited)
    const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute))
    const batches = Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? ids : [...ids].reverse()).map(id => ({ id, at: at(i) })),
    )
    await Promise.all(batches.map(uses => keys.noteUses(uses)))
    for (const id of ids) expect((await keys.get('default', id))!.lastUsedAt).toEqual(at(19))
  })

  test('of a tenant that does not exist cannot be made', async () => {
    await expect(keys.insert(fresh('key_d', { tenant: 'nobody' }), audited)).rejects.toBeInstanceOf(TenantGone)
  })
})

describe('Tenants', () => {
  test('an id is given once, and never again', async () => {
    await tenants.insert({ id: 'once', description: 'd', quotas: {}, unknownEventTypes: 'accept' }, audited)
    await expect(
      tenants.insert({ id: 'once', description: null, quotas: {}, unknownEventTypes: 'accept' }, audited),
    ).rejects.toBeInstanceOf(TenantTaken)
    expect(await tenants.get('once')).toMatchObject({ description: 'd', status: 'active', version: 1 })
  })

  test('a deletion removes keys and history in parts and counts them', async () => {
    await tenants.insert({ id: 'gone', description: null, quotas: {}, unknownEventTypes: 'accept' }, audited)
    await keys.insert(fresh('key_e', { tenant: 'gone' }), audited)
    await database.manager.query(
      `CREATE TABLE history_counters_test PARTITION OF history_counters FOR VALUES FROM ('2026-11-24') TO ('2026-11-25')`,
    )
    await database.manager.query(
      `INSERT INTO history_counters SELECT '2026-11-24', t, 'w' || n, '2026-11-24T12:00Z', 'delivered', 1, 1
       FROM generate_series(1, 2500) n, unnest('{gone,default}'::text[]) t`,
    )
    expect(await tenants.startDeletion('gone', undefined, audited)).toMatchObject({ status: 'deleting' })
    expect(await tenants.startDeletion('gone', undefined, audited)).toBeUndefined()
    expect(await tenants.nextDeletion()).toBe('gone')
    let parts = 0
    while (await tenants.removeSome('gone')) parts++
    expect(parts).toBe(3)
    expect(await tenants.get('gone')).toMatchObject({
      status: 'deleted',
      deletion: { webhooks: 0, keys: 1, historyRows: 2500, finishedAt: expect.any(String) },
    })
    const [left] = await database.manager.query('SELECT count(*) FROM history_counters')
    expect(left).toEqual({ count: '2500' })
    expect(await keys.byHash('hash of key_e')).toBeUndefined()
    expect(await tenants.nextDeletion()).toBeUndefined()
  })

  test('a deletion waits for the changes under way, so that its version is above theirs', async () => {
    await tenants.insert({ id: 'busy', description: null, quotas: {}, unknownEventTypes: 'accept' }, audited)
    await keys.insert(fresh('key_f', { tenant: 'busy' }), audited)
    await tenants.startDeletion('busy', undefined, audited)
    let removed!: Promise<boolean>
    await database.manager.transaction(async tx => {
      await tx.query(`UPDATE keys SET version = 7 WHERE id = 'key_f'`)
      removed = tenants.removeSome('busy')
      const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      await until(async () => (await database.manager.query(waits)).length > 0, 5000)
    })
    expect(await removed).toBe(true)
    const found = await database.manager.query(`SELECT version, status FROM keys WHERE id = 'key_f'`)
    expect(found).toEqual([{ version: 8, status: 'deleted' }])
  })
})

describe('Audit', () => {
  test('is found by what it is about, newest first, page by page', async () => {
    for (const action of ['a', 'b', 'c']) await audit.append(entry({ action, subject: 'webhook_1', tenant: 'other' }))
    const first = await audit.list({ tenant: 'other', limit: 2 })
    expect(first.rows.map(row => row.action)).toEqual(['c', 'b'])
    const second = await audit.list({ tenant: 'other', limit: 2, before: first.before })
    expect(second).toMatchObject({ rows: [{ action: 'a', requestId: 'r', at: expect.any(Date) }] })
    expect(second.before).toBeUndefined()
    expect((await audit.list({ subject: 'webhook_1', action: 'b', limit: 9 })).rows).toHaveLength(1)
    expect((await audit.list({ tenant: 'other', to: new Date(0), limit: 9 })).rows).toEqual([])
  })

  test.each(['UPDATE audit SET key = NULL', 'DELETE FROM audit', 'TRUNCATE audit'])('refuses %s', async statement => {
    await expect(database.manager.query(statement)).rejects.toThrow('append-only')
  })
})

describe('Idempotency', () => {
  const idempotency = () => new Idempotency(database)
  const age = (key: string, time: string) =>
    database.manager.query(`UPDATE idempotency SET started_at = now() - $2::interval WHERE key = $1`, [key, time])

  async function claimed(key: string, fingerprint = 'f'): Promise<ClaimedRequest> {
    const claim = await idempotency().claim('s', key, fingerprint)
    if (claim.kind !== 'ours') throw new Error(`it is ${claim.kind}`)
    return claim.request
  }

  test('one request runs, the others are told how it stands', async () => {
    const claims = await Promise.all([1, 2, 3].map(() => idempotency().claim('s', 'k', 'f')))
    expect(claims.map(claim => claim.kind).sort()).toEqual(['ours', 'running', 'running'])
    const ours = claims.find(claim => claim.kind === 'ours')!
    await idempotency().keep(ours.request, 'sealed')
    expect(await idempotency().claim('s', 'k', 'f')).toEqual({ kind: 'answered', sealedAnswer: 'sealed' })
    expect(await idempotency().claim('s', 'k', 'g')).toEqual({ kind: 'other' })
    expect(await idempotency().claim('t', 'k', 'g')).toMatchObject({ kind: 'ours' })
  })

  test('what failed, or was killed, may be run again', async () => {
    await idempotency().release(await claimed('failed'))
    await claimed('failed', 'g')
    await age('failed', '61 seconds')
    expect(await idempotency().claim('s', 'failed', 'f')).toEqual({ kind: 'other' })
    await claimed('failed', 'g')
    await idempotency().sweep()
    expect(await idempotency().claim('s', 'failed', 'g')).toEqual({ kind: 'running' })
    await age('failed', '25 hours')
    await idempotency().sweep()
    const left = await database.manager.query(`SELECT key FROM idempotency WHERE scope IN ('s', 't') ORDER BY scope`)
    expect(left).toEqual([{ key: 'k' }, { key: 'k' }])
  })

  test('what failed after its commit is not run again', async () => {
    const request = await claimed('late')
    await keys.insert(fresh('key_late'), () => ({ ...entry(), request }))
    expect(await idempotency().claim('s', 'late', 'f')).toEqual({ kind: 'running' })
    await idempotency().release(request)
    expect(await idempotency().claim('s', 'late', 'f')).toEqual({ kind: 'lost' })
    await age('late', '25 hours')
    await claimed('late')
  })

  test('what was killed after its commit is not run again', async () => {
    const request = await claimed('killed')
    await keys.insert(fresh('key_killed'), () => ({ ...entry(), request }))
    await age('killed', '61 seconds')
    expect(await idempotency().claim('s', 'killed', 'f')).toEqual({ kind: 'lost' })
  })

  test('what was taken for dead changes nothing, and leaves the other its key', async () => {
    const slow = await claimed('slow')
    await age('slow', '61 seconds')
    // Claims are told apart by the millisecond: in life these two are a minute apart.
    await sleep(5)
    const second = await claimed('slow')
    await expect(keys.insert(fresh('key_slow'), () => ({ ...entry(), request: slow }))).rejects.toThrow(ClaimTaken)
    expect(await keys.get('default', 'key_slow')).toBeUndefined()
    await idempotency().release(slow)
    await idempotency().keep(slow, 'sealed')
    expect(await idempotency().claim('s', 'slow', 'f')).toEqual({ kind: 'running' })
    await keys.insert(fresh('key_slow'), () => ({ ...entry(), request: second }))
  })

  test('a release waits for the commit whose answer did not come', async () => {
    const request = await claimed('waits')
    let release!: Promise<void>
    await database.manager.transaction(async tx => {
      await markChanged(tx, request)
      release = idempotency().release(request)
      await sleep(100)
    })
    await release
    expect(await idempotency().claim('s', 'waits', 'f')).toEqual({ kind: 'lost' })
  })
})
