import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, until, type TestDatabase } from '@posthorn/testkit'
import { DEFAULT_RETRY_POLICY } from '@posthorn/webhook'
import { isDatabaseAway } from './away.js'
import { Database } from './data-source.js'
import { webhookDocument, type WebhookRow } from './entities.js'
import { migrate } from './migrate.js'
import { Outbox } from './outbox.js'
import { RelayLock } from './relay-lock.js'
import { Webhooks, type NewWebhook } from './webhooks.js'

const logger = createLogger('silent', 'test')
let created: TestDatabase
let database: Database
let webhooks: Webhooks
let outbox: Outbox

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  webhooks = new Webhooks(database)
  outbox = new Outbox(database)
  await database.manager.query(`INSERT INTO tenants (id, version, status) VALUES ('acme', 1, 'active')`)
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

let count = 0
function fresh(change: Partial<NewWebhook> = {}): NewWebhook {
  const rest = { url: 'https://example.com/hook', method: 'POST', events: ['agent.*'], filter: null } as const
  return {
    ...rest,
    events: [...rest.events],
    id: `webhook_${++count}`,
    tenant: 'default',
    status: 'active',
    format: 'standard',
    sealedSecrets: ['v1.k.aaaa'],
    retryPolicy: DEFAULT_RETRY_POLICY,
    description: null,
    metadata: {},
    ...change,
  }
}

async function emptyOutbox(): Promise<void> {
  await outbox.remove((await outbox.read(1000)).rows)
}

describe('Webhooks', () => {
  test('keeps what it was given', async () => {
    const given = fresh({ description: 'Grüße', metadata: { team: 'a' }, events: ['a.b', '*'] })
    await webhooks.insert(given)
    expect(await webhooks.get('default', given.id)).toMatchObject({ ...given, version: 1, deletedAt: null })
  })

  test('lists a tenant newest first, page by page, without deleted ones', async () => {
    const rows: WebhookRow[] = []
    for (let i = 0; i < 5; i++) rows.push(await webhooks.insert(fresh({ tenant: 'acme' })))
    await webhooks.remove('acme', rows[2]!.id)
    const first = await webhooks.list('acme', { limit: 2 })
    const second = await webhooks.list('acme', { limit: 2, after: first.next })
    expect([...first.rows, ...second.rows].map(row => row.id)).toEqual([4, 3, 1, 0].map(i => rows[i]!.id))
    expect(second.next).toBeUndefined()
    expect((await webhooks.list('acme', { limit: 9, status: 'disabled' })).rows).toEqual([])
  })

  test('counts every change by one version and keeps one without effect as it is', async () => {
    const { id } = await webhooks.insert(fresh())
    expect(await webhooks.change('default', id, () => ({ url: 'https://example.com/2' }))).toMatchObject({ version: 2 })
    expect(await webhooks.change('default', id, () => ({ url: 'https://example.com/2' }))).toMatchObject({ version: 2 })
    expect(await webhooks.get('default', id)).toMatchObject({ version: 2, url: 'https://example.com/2' })
  })

  test('two changes at once both count', async () => {
    const { id } = await webhooks.insert(fresh())
    const add = (type: string) =>
      webhooks.change('default', id, row => ({ metadata: { ...row.metadata, [type]: 'x' } }))
    await Promise.all(['a', 'b', 'c'].map(add))
    expect(await webhooks.get('default', id)).toMatchObject({ version: 4, metadata: { a: 'x', b: 'x', c: 'x' } })
  })

  test('shows nothing of one tenant to another', async () => {
    const { id } = await webhooks.insert(fresh())
    expect(await webhooks.get('acme', id)).toBeUndefined()
    expect(await webhooks.change('acme', id, () => ({ status: 'disabled' }))).toBeUndefined()
    expect(await webhooks.remove('acme', id)).toBeUndefined()
    expect(await webhooks.get('default', id)).toMatchObject({ status: 'active' })
  })

  test('a deleted webhook is gone for its tenant, its secrets for everyone, and its document says so', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh())
    expect(await webhooks.remove('default', id)).toMatchObject({ status: 'deleted', version: expect.any(Number) })
    expect(await webhooks.remove('default', id)).toBeUndefined()
    expect(await webhooks.get('default', id)).toBeUndefined()
    const { publications } = await outbox.read(10)
    expect(publications).toEqual([
      { kind: 'webhook', document: expect.objectContaining({ id, status: 'deleted', version: 2, sealedSecrets: [] }) },
    ])
  })

  test('knows tenants', async () => {
    expect(await webhooks.tenantExists('default')).toBe(true)
    expect(await webhooks.tenantExists('nobody')).toBe(false)
  })
})

describe('Outbox', () => {
  test('holds the change and nothing else, and gives the current document once', async () => {
    await emptyOutbox()
    const row = await webhooks.insert(fresh())
    await webhooks.change('default', row.id, () => ({ description: 'second' }))
    const batch = await outbox.read(10)
    expect(batch.rows).toHaveLength(2)
    const current = await webhooks.get('default', row.id)
    expect(batch.publications).toEqual([{ kind: 'webhook', document: webhookDocument(current!) }])
  })

  test('a failed transaction leaves no outbox row', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh())
    await emptyOutbox()
    const change = webhooks.change('default', id, () => ({ status: 'nonsense' as 'active' }))
    await expect(change).rejects.toThrow('webhooks_status_check')
    expect((await outbox.read(10)).rows).toEqual([])
  })

  test('a change made while its document is being published is published again', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh())
    const reading = await outbox.read(10)
    await webhooks.change('default', id, () => ({ description: 'later' }))
    await outbox.remove(reading.rows)
    const { publications } = await outbox.read(10)
    expect(publications).toMatchObject([{ document: { id, version: 2 } }])
  })

  test('publishes again above a version, unless the row was changed meanwhile', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh())
    await emptyOutbox()
    const [seen] = (await outbox.versions('webhook', '', 1000)).filter(row => row.id === id)
    expect(seen).toEqual({ id, version: 1, pending: false })
    expect(await outbox.republish('webhook', seen!, 7)).toBe(true)
    expect(await outbox.republish('webhook', seen!, 7)).toBe(false)
    expect(await webhooks.get('default', id)).toMatchObject({ version: 8 })
    const [now] = (await outbox.versions('webhook', '', 1000)).filter(row => row.id === id)
    expect(now).toEqual({ id, version: 8, pending: true })
  })

  test('finds and forgets what was deleted long ago', async () => {
    const { id } = await webhooks.insert(fresh())
    await webhooks.remove('default', id)
    expect(await outbox.deletedBefore(new Date(Date.now() - 60_000), 1000)).not.toContain(id)
    expect(await outbox.deletedBefore(new Date(Date.now() + 60_000), 1000)).toContain(id)
    await outbox.purge([id])
    expect(await outbox.deletedBefore(new Date(Date.now() + 60_000), 1000)).not.toContain(id)
  })
})

describe('RelayLock', () => {
  test('is held by one, told of changes, and passes on when its connection is cut', async () => {
    let told = 0
    const lock = await RelayLock.acquire(created.url, () => told++)
    expect(await RelayLock.acquire(created.url, () => undefined)).toBeUndefined()
    await webhooks.insert(fresh())
    await until(() => told > 0, 2000)
    await lock!.check()
    await database.manager.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'posthorn-relay' AND datname = current_database()`,
    )
    await expect(lock!.check()).rejects.toThrow()
    const next = await RelayLock.acquire(created.url, () => undefined)
    expect(next).toBeDefined()
    await next!.release()
    await lock!.release()
  })
})

test('a pool whose connections are all cut works on', async () => {
  await database.manager.query('SELECT 1')
  const cut = database.manager.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()`,
  )
  await expect(cut.catch((error: unknown) => Promise.reject(new Error(String(isDatabaseAway(error)))))).rejects.toThrow(
    'true',
  )
  await until(() => webhooks.tenantExists('default').catch(() => false), 5000)
})
