import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, queryDatabase, until, type TestDatabase } from '@posthorn/testkit'
import { DEFAULT_RETRY_POLICY, encryptionKeyFrom, protectionsOf } from '@posthorn/webhook'
import { isDatabaseAway } from './away.js'
import { Database } from './data-source.js'
import { webhookDocument, type WebhookRow } from './entities.js'
import { migrate } from './migrate.js'
import { Outbox } from './outbox.js'
import { RelayLock } from './relay-lock.js'
import { VersionConflict } from './published-row.js'
import { TenantGone, Tenants } from './tenants.js'
import { QuotaReached, UidTaken, Webhooks, type NewWebhook } from './webhooks.js'

const logger = createLogger('silent', 'test')
let created: TestDatabase
let database: Database
let webhooks: Webhooks
let outbox: Outbox
let tenants: Tenants

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  webhooks = new Webhooks(database)
  outbox = new Outbox(database)
  tenants = new Tenants(database)
  await database.manager.query(`INSERT INTO tenants (id, version, status) VALUES ('acme', 1, 'active')`)
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

const audited = () => ({
  key: 'platform',
  address: '127.0.0.1',
  requestId: 'r',
  tenant: null,
  action: 'test',
  subject: 'test',
  before: null,
  after: null,
})

let count = 0
function fresh(change: Partial<NewWebhook> = {}): NewWebhook {
  const rest = {
    url: 'https://example.com/hook',
    method: 'POST',
    ordering: 'none',
    events: ['agent.*'],
    filter: null,
  } as const
  return {
    ...rest,
    events: [...rest.events],
    id: `webhook_${++count}`,
    tenant: 'default',
    status: 'active',
    format: 'standard',
    secrets: [{ id: 'secret_1', sealed: 'v1.k.aaaa', createdAt: '2026-11-24T12:00:00.000Z', expiresAt: null }],
    sealedHeaders: {},
    uid: null,
    retryPolicy: DEFAULT_RETRY_POLICY,
    rateLimit: null,
    maxConcurrency: null,
    allowedCidrs: null,
    deniedCidrs: null,
    minTlsVersion: null,
    encryption: null,
    authentication: null,
    tls: null,
    sendTraceparent: false,
    signing: null,
    disableAfterSeconds: null,
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
    await webhooks.insert(given, audited)
    expect(await webhooks.get('default', given.id)).toMatchObject({ ...given, version: 1, deletedAt: null })
  })

  test('lists a tenant newest first, page by page, without deleted ones', async () => {
    const rows: WebhookRow[] = []
    for (let i = 0; i < 5; i++) rows.push(await webhooks.insert(fresh({ tenant: 'acme' }), audited))
    await webhooks.remove('acme', rows[2]!.id, undefined, audited)
    const first = await webhooks.list('acme', { limit: 2 })
    const second = await webhooks.list('acme', { limit: 2, after: first.next })
    expect([...first.rows, ...second.rows].map(row => row.id)).toEqual([4, 3, 1, 0].map(i => rows[i]!.id))
    expect(second.next).toBeUndefined()
    expect((await webhooks.list('acme', { limit: 9, status: 'disabled' })).rows).toEqual([])
  })

  test('counts every change by one version and keeps one without effect as it is', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    expect(
      await webhooks.change('default', id, undefined, () => ({ url: 'https://example.com/2' }), audited),
    ).toMatchObject({ version: 2 })
    expect(
      await webhooks.change('default', id, undefined, () => ({ url: 'https://example.com/2' }), audited),
    ).toMatchObject({ version: 2 })
    expect(await webhooks.get('default', id)).toMatchObject({ version: 2, url: 'https://example.com/2' })
  })

  test('two changes at once both count', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    const add = (type: string) =>
      webhooks.change('default', id, undefined, row => ({ metadata: { ...row.metadata, [type]: 'x' } }), audited)
    await Promise.all(['a', 'b', 'c'].map(add))
    expect(await webhooks.get('default', id)).toMatchObject({ version: 4, metadata: { a: 'x', b: 'x', c: 'x' } })
  })

  test('shows nothing of one tenant to another', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    expect(await webhooks.get('acme', id)).toBeUndefined()
    expect(await webhooks.change('acme', id, undefined, () => ({ status: 'disabled' }), audited)).toBeUndefined()
    expect(await webhooks.remove('acme', id, undefined, audited)).toBeUndefined()
    expect(await webhooks.get('default', id)).toMatchObject({ status: 'active' })
  })

  test('a deleted webhook is gone for its tenant, its secrets for everyone, and its document says so', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh(), audited)
    expect(await webhooks.remove('default', id, undefined, audited)).toMatchObject({
      status: 'deleted',
      version: expect.any(Number),
    })
    expect(await webhooks.remove('default', id, undefined, audited)).toBeUndefined()
    expect(await webhooks.get('default', id)).toBeUndefined()
    const { publications } = await outbox.read(10)
    expect(publications).toEqual([
      { kind: 'webhook', document: expect.objectContaining({ id, status: 'deleted', version: 2, sealedSecrets: [] }) },
    ])
  })

  test('a uid is one webhook of its tenant, and free again after a deletion', async () => {
    const { id } = await webhooks.insert(fresh({ uid: 'mine' }), audited)
    await expect(webhooks.insert(fresh({ uid: 'mine' }), audited)).rejects.toBeInstanceOf(UidTaken)
    const other = await webhooks.insert(fresh({ tenant: 'acme', uid: 'mine' }), audited)
    expect(await webhooks.byUid('default', 'mine')).toMatchObject({ id })
    expect(await webhooks.byUid('acme', 'mine')).toMatchObject({ id: other.id })
    await webhooks.remove('default', id, undefined, audited)
    await webhooks.insert(fresh({ uid: 'mine' }), audited)
  })

  test('a change of a version that is not current is refused, and changes nothing', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    const change = webhooks.change('default', id, 2, () => ({ description: 'x' }), audited)
    await expect(change).rejects.toMatchObject({ name: 'VersionConflict', version: 1 })
    await expect(webhooks.remove('default', id, 2, audited)).rejects.toBeInstanceOf(VersionConflict)
    expect(await webhooks.get('default', id)).toMatchObject({ version: 1, description: null })
  })

  test('no tenant gets more webhooks than its quota, however many are made at once', async () => {
    await tenants.insert(
      { id: 'small', description: null, quotas: { webhooks: 2 }, unknownEventTypes: 'accept' },
      audited,
    )
    const made = await Promise.allSettled([1, 2, 3, 4].map(() => webhooks.insert(fresh({ tenant: 'small' }), audited)))
    expect(made.filter(one => one.status === 'fulfilled')).toHaveLength(2)
    for (const one of made) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(QuotaReached)
    await expect(webhooks.insert(fresh({ tenant: 'nobody' }), audited)).rejects.toBeInstanceOf(TenantGone)
  })

  describe('filters without an exact value', () => {
    const LOOSE = { data: { n: [{ numeric: ['>', 1] }] } }
    const EXACT = { data: { kind: ['a'] } }
    const to = (filter: object | null) => () => ({ filter })

    test('are as many as the quota says, however many come at once, by creation and by change', async () => {
      await tenants.insert(
        { id: 'loose', description: null, quotas: { unindexedFilters: 3 }, unknownEventTypes: 'accept' },
        audited,
      )
      const rows = await Promise.all(
        Array.from({ length: 4 }, () => webhooks.insert(fresh({ tenant: 'loose', filter: EXACT }), audited)),
      )
      const outcomes = await Promise.allSettled([
        ...rows.map(({ id }) => webhooks.change('loose', id, undefined, to(LOOSE), audited)),
        ...rows.map(() => webhooks.insert(fresh({ tenant: 'loose', filter: LOOSE }), audited)),
      ])
      const refused = outcomes.flatMap(one => (one.status === 'rejected' ? [one.reason as unknown] : []))
      expect(refused).toHaveLength(5)
      for (const reason of refused) expect(reason).toMatchObject({ name: 'QuotaReached', of: 'unindexedFilters' })
      await webhooks.insert(fresh({ tenant: 'loose', filter: EXACT }), audited)
      await webhooks.insert(fresh({ tenant: 'loose', filter: null }), audited)
    })

    test('may be replaced and disabled over the quota, and make room when they go', async () => {
      const { id: tenant } = await tenants.insert(
        { id: 'full', description: null, quotas: {}, unknownEventTypes: 'accept' },
        audited,
      )
      const { id } = await webhooks.insert(fresh({ tenant, filter: LOOSE }), audited)
      await tenants.change(tenant, undefined, () => ({ quotas: { unindexedFilters: 0 } }), audited)
      const stricter = { data: { n: [{ numeric: ['>', 2] }] } }
      expect(await webhooks.change(tenant, id, undefined, to(stricter), audited)).toMatchObject({ version: 2 })
      expect(await webhooks.change(tenant, id, undefined, () => ({ status: 'disabled' }), audited)).toBeDefined()
      await tenants.change(tenant, undefined, () => ({ quotas: { unindexedFilters: 1 } }), audited)
      const another = () => webhooks.insert(fresh({ tenant, filter: LOOSE }), audited)
      await expect(another()).rejects.toBeInstanceOf(QuotaReached)
      await webhooks.change(tenant, id, undefined, to(null), audited)
      const { id: second } = await another()
      await expect(webhooks.change(tenant, id, undefined, to(LOOSE), audited)).rejects.toBeInstanceOf(QuotaReached)
      await webhooks.remove(tenant, second, undefined, audited)
      await another()
    })

    test('are counted beyond the first page of a tenant', async () => {
      const { id: tenant } = await tenants.insert(
        { id: 'many', description: null, quotas: {}, unknownEventTypes: 'accept' },
        audited,
      )
      const filters = Array.from({ length: 1001 }, (_, n) => (n === 500 || n === 1000 ? LOOSE : EXACT))
      for (let at = 0; at < filters.length; at += 13)
        await Promise.all(filters.slice(at, at + 13).map(filter => webhooks.insert(fresh({ tenant, filter }), audited)))
      await tenants.change(tenant, undefined, () => ({ quotas: { unindexedFilters: 3 } }), audited)
      await webhooks.insert(fresh({ tenant, filter: LOOSE }), audited)
      const oneMore = webhooks.insert(fresh({ tenant, filter: LOOSE }), audited)
      await expect(oneMore).rejects.toMatchObject({ name: 'QuotaReached', quota: 3 })
      await database.manager.query('DELETE FROM outbox')
    })
  })

  test('a secret whose overlap is over is taken away', async () => {
    const secret = (id: string, end: number | null) => ({
      id,
      sealed: `v1.k.${id}`,
      createdAt: new Date().toISOString(),
      expiresAt: end === null ? null : new Date(Date.now() + end).toISOString(),
    })
    const { id } = await webhooks.insert(
      fresh({ secrets: [secret('a', null), secret('b', 9e6), secret('c', -1)] }),
      audited,
    )
    expect(await webhooks.endSecrets(new Date(), 100)).toBe(1)
    expect(await webhooks.get('default', id)).toMatchObject({ version: 2, secrets: [{ id: 'a' }, { id: 'b' }] })
    expect(await webhooks.endSecrets(new Date(), 100)).toBe(0)
  })
})

describe('Outbox', () => {
  test('holds the change and nothing else, and gives the current document once', async () => {
    await emptyOutbox()
    const row = await webhooks.insert(fresh(), audited)
    await webhooks.change('default', row.id, undefined, () => ({ description: 'second' }), audited)
    const batch = await outbox.read(10)
    expect(batch.rows).toHaveLength(2)
    const current = await webhooks.get('default', row.id)
    expect(batch.publications).toEqual([{ kind: 'webhook', document: webhookDocument(current!) }])
  })

  test('a failed transaction leaves no outbox row', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh(), audited)
    await emptyOutbox()
    const change = webhooks.change('default', id, undefined, () => ({ status: 'nonsense' as 'active' }), audited)
    await expect(change).rejects.toThrow('webhooks_status_check')
    expect((await outbox.read(10)).rows).toEqual([])
  })

  test('a change made while its document is being published is published again', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh(), audited)
    const reading = await outbox.read(10)
    await webhooks.change('default', id, undefined, () => ({ description: 'later' }), audited)
    await outbox.remove(reading.rows)
    const { publications } = await outbox.read(10)
    expect(publications).toMatchObject([{ document: { id, version: 2 } }])
  })

  test('publishes again above a version, unless the row was changed meanwhile', async () => {
    await emptyOutbox()
    const { id } = await webhooks.insert(fresh(), audited)
    await emptyOutbox()
    const [seen] = (await outbox.versions('webhook', '', 1000)).filter(row => row.id === id)
    expect(seen).toEqual({ id, version: 1, pending: false, protections: '' })
    expect(await outbox.republish('webhook', seen!, 7)).toBe(true)
    expect(await outbox.republish('webhook', seen!, 7)).toBe(false)
    expect(await webhooks.get('default', id)).toMatchObject({ version: 8 })
    const [now] = (await outbox.versions('webhook', '', 1000)).filter(row => row.id === id)
    expect(now).toEqual({ id, version: 8, pending: true, protections: '' })
  })

  test('finds and forgets what was deleted long ago', async () => {
    const { id } = await webhooks.insert(fresh(), audited)
    await webhooks.remove('default', id, undefined, audited)
    expect(await outbox.deletedBefore('webhook', new Date(Date.now() - 60_000), 1000)).not.toContain(id)
    expect(await outbox.deletedBefore('webhook', new Date(Date.now() + 60_000), 1000)).toContain(id)
    await outbox.purge('webhook', [id])
    expect(await outbox.deletedBefore('webhook', new Date(Date.now() + 60_000), 1000)).not.toContain(id)
  })
})

describe('RelayLock', () => {
  test('is held by one, told of changes, and passes on when its connection is cut', async () => {
    let told = 0
    const lock = await RelayLock.acquire(created.url, () => told++)
    expect(await RelayLock.acquire(created.url, () => undefined)).toBeUndefined()
    await webhooks.insert(fresh(), audited)
    await until(() => told > 0, 2000)
    await lock!.check()
    await database.manager.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'posthorn-relay' AND datname = current_database()`,
    )
    await expect(lock!.check()).rejects.toThrow()
    // The client is told of the end before Postgres has given up the lock.
    let next: RelayLock | undefined
    await until(async () => (next = await RelayLock.acquire(created.url, () => undefined)) !== undefined, 5000)
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
  await until(() => tenants.exists('default').catch(() => false), 5000)
})

describe('S7 what protects the requests of a webhook', () => {
  const [secret] = fresh().secrets
  const key = encryptionKeyFrom({ kty: 'OKP', crv: 'X25519', x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08' })
  const all = {
    encryption: { key },
    authentication: { type: 'bearer', header: 'authorization', sealed: 'v1.k.bbbb' },
    tls: { ca: 'ca' },
    deniedCidrs: ['10.0.0.0/8'],
    signing: { type: 'standard_sha512' },
  } as const satisfies { [name in keyof ReturnType<typeof fresh>]?: unknown }
  const some = (mask: number) =>
    Object.fromEntries(Object.entries(all).filter((_, at) => mask & (1 << at))) as Partial<NewWebhook>
  const bound = (to: string) => [{ ...secret!, bound: to }]

  test('is the same for the database as for the domain, which seals by it', async () => {
    for (let mask = 0; mask < 2 ** Object.keys(all).length; mask++) {
      const given = some(mask)
      const { id } = await webhooks.insert(fresh({ ...given, secrets: bound(protectionsOf(given)) }), audited)
      const [row] = await outbox.versionsOf('webhook', [id])
      expect(row).toMatchObject({ protections: protectionsOf(given) })
    }
  })

  test('has a registry that does not know of it give the webhook no secret: that would sign without it', async () => {
    const { signing } = all
    const row = await webhooks.insert(fresh({ signing, secrets: bound('signing') }), audited)
    const change = (more: object) => webhooks.change('default', row.id, undefined, () => more, audited)
    for (const secrets of [[secret!], [...bound('signing'), secret!], bound(''), bound('encryption')])
      await expect(change({ secrets })).rejects.toThrow('webhooks_secrets_bound')
    // It may change what it knows, end secrets, and delete.
    expect(await change({ description: 'by an older one' })).toMatchObject({ version: 2, signing })
    expect(await change({ secrets: [] })).toMatchObject({ version: 3 })
    expect(await webhooks.remove('default', row.id, undefined, audited)).toMatchObject({ status: 'deleted' })
  })

  test('has nobody turn it on or off with the secrets as they were sealed before', async () => {
    const plain = await webhooks.insert(fresh(), audited)
    const change = (more: object) => webhooks.change('default', plain.id, undefined, () => more, audited)
    await expect(change({ encryption: all.encryption })).rejects.toThrow('webhooks_secrets_bound')
    expect(await change({ encryption: all.encryption, secrets: bound('encryption') })).toMatchObject({ version: 2 })
    await expect(change({ encryption: null, signing: all.signing })).rejects.toThrow('webhooks_secrets_bound')
  })

  test('is said by the secrets that were there before the migration', async () => {
    const older = await createTestDatabase()
    const run = (text: string) => queryDatabase<{ secrets: unknown }>(older.url, text)
    try {
      await migrate(older.url, logger)
      await run('ALTER TABLE webhooks DROP CONSTRAINT webhooks_secrets_bound, DROP protections')
      await run(`DELETE FROM migrations WHERE name LIKE 'BoundSecrets%'`)
      const insert = (id: string, column: string, value: string) =>
        run(`INSERT INTO webhooks (id, tenant, version, status, url, method, events, format, secrets, retry_policy,
               sealed_headers, metadata, created_at, updated_at, ${column})
             VALUES ('${id}', 'default', 1, 'active', 'https://example.com', 'POST', '{*}', 'standard',
               '[{"id": "b", "sealed": "2"}, {"id": "a", "sealed": "1"}]', '{}', '{}', '{}', now(), now(), ${value})`)
      await insert('webhook_a', 'encryption', `'{}'`)
      await insert('webhook_b', 'encryption', 'NULL')
      await migrate(older.url, logger)
      const rows = await run('SELECT secrets FROM webhooks ORDER BY id')
      const secrets = [
        { id: 'b', sealed: '2' },
        { id: 'a', sealed: '1' },
      ]
      expect(rows.map(row => row.secrets)).toEqual([secrets.map(one => ({ ...one, bound: 'encryption' })), secrets])
    } finally {
      await older.drop()
    }
  })
})
