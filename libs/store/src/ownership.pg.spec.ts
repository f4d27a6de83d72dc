import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import { DEFAULT_RETRY_POLICY, type Ownership } from '@posthorn/webhook'
import { Database } from './data-source.js'
import { webhookDocument, type WebhookRow } from './entities.js'
import { migrate } from './migrate.js'
import { Ownerships } from './ownership.js'
import { Webhooks, type NewWebhook, type WebhookChange } from './webhooks.js'

const logger = createLogger('silent', 'test')
const REFUSED: Ownership = {
  verifiedAt: null,
  allowedRate: null,
  attempts: 1,
  lastAt: '2026-11-28T12:00:00.000Z',
  statusCode: 405,
  error: 'answered OPTIONS with 405',
  advice: 'Let it.',
}
let created: TestDatabase
let database: Database
let webhooks: Webhooks
let ownerships: Ownerships

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  webhooks = new Webhooks(database)
  ownerships = new Ownerships(database)
})
beforeEach(() => database.manager.query('DELETE FROM webhooks'))
afterAll(async () => {
  await database.close()
  await created.drop()
})

const audited = () => ({
  key: 'posthorn',
  address: '',
  requestId: 'r',
  tenant: null,
  action: 'test',
  subject: 'test',
  before: null,
  after: null,
})

let count = 0
function insert(change: Partial<NewWebhook> = {}): Promise<WebhookRow> {
  const webhook: NewWebhook = {
    id: `webhook_${++count}`,
    tenant: 'default',
    uid: null,
    status: 'pending',
    url: 'https://example.com/hook',
    method: 'POST',
    ordering: 'none',
    sealedHeaders: {},
    events: ['*'],
    filter: null,
    format: 'standard',
    secrets: [],
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
  return webhooks.insert(webhook, audited)
}

const change = (id: string, to: WebhookChange) => webhooks.change('default', id, undefined, () => to, audited)
const get = async (id: string) => (await webhooks.get('default', id))!
const ids = (rows: readonly WebhookRow[]) => rows.map(({ id }) => id).sort()
/** As if so much time had passed since. */
const later = (seconds: number) =>
  database.manager.query(
    `UPDATE webhooks SET verify_at = verify_at - $1 * interval '1 s',
       verify_claimed_at = verify_claimed_at - $1 * interval '1 s'`,
    [seconds],
  )

describe('who is asked for consent', () => {
  test('is a pending webhook, by one registry though several look', async () => {
    const pending = await Promise.all(Array.from({ length: 12 }, () => insert()))
    await insert({ status: 'active' })
    const taken = await Promise.all(Array.from({ length: 4 }, () => ownerships.claimDue(5)))
    expect(ids(taken.flat())).toEqual(ids(pending))
    expect(await ownerships.claimDue(5)).toEqual([])
  })

  test('is asked again when the registry that asked it has died', async () => {
    const { id } = await insert()
    await ownerships.claimDue(1)
    await later(25)
    expect(await ownerships.claimDue(1)).toEqual([])
    await later(10)
    expect(ids(await ownerships.claimDue(1))).toEqual([id])
  })

  test('is asked again after the delay, or not at all', async () => {
    const [row, last] = [await insert(), await insert()]
    await ownerships.claimDue(2)
    await ownerships.noteRefusal(row, REFUSED, 60_000)
    await ownerships.noteRefusal(last, { ...REFUSED, attempts: 20 }, undefined)
    expect(await get(row.id)).toMatchObject({ status: 'pending', version: 1, ownership: REFUSED })
    expect((await get(last.id)).verifyAt).toBeNull()
    await later(55)
    expect(await ownerships.claimDue(2)).toEqual([])
    await later(10)
    expect(ids(await ownerships.claimDue(2))).toEqual([row.id])
  })

  test('is by request asked once in 10 s, whatever its URL, and however it is', async () => {
    const { id } = await insert({ status: 'disabled' })
    expect([await ownerships.claim(id), await ownerships.claim(id)]).toEqual([true, false])
    await change(id, { url: 'https://example.com/other', status: 'pending' })
    expect(await ownerships.claimDue(1)).toEqual([])
    await later(11)
    expect([await ownerships.claim(id), await ownerships.claimDue(1)]).toEqual([true, []])
  })

  test.each(['disabled', 'paused', 'active'] as const)('is no webhook that became %s', async status => {
    const { id } = await insert()
    expect(await change(id, { status })).toMatchObject({ verifyAt: null })
    expect(await ownerships.claimDue(1)).toEqual([])
  })

  test('is no webhook that was deleted', async () => {
    const { id } = await insert()
    await webhooks.remove('default', id, undefined, audited)
    expect(await ownerships.claimDue(1)).toEqual([])
  })
})

describe('what a receiver said', () => {
  test('counts for its URL alone', async () => {
    const row = await insert()
    await change(row.id, { url: 'https://example.com/other' })
    await ownerships.noteRefusal(row, REFUSED, 60_000)
    expect((await get(row.id)).ownership).toBeNull()
    await change(row.id, { status: 'active', ownership: { ...REFUSED, verifiedAt: REFUSED.lastAt } })
    expect(await change(row.id, { url: 'https://example.com/third', status: 'pending' })).toMatchObject({
      ownership: null,
      verifyAt: expect.any(Date),
    })
  })

  test('is not undone by an answer that comes late', async () => {
    const row = await insert()
    const agreed = { ...REFUSED, verifiedAt: REFUSED.lastAt }
    await change(row.id, { status: 'active', ownership: agreed })
    await ownerships.noteRefusal(row, REFUSED, 60_000)
    expect(await get(row.id)).toMatchObject({ ownership: agreed, verifyAt: null })
  })

  test('lowers the rate that the deliverer knows, and not the one that the customer set', async () => {
    const rateLimit = { requests: 10, per: 'second' } as const
    const { id } = await insert({ rateLimit })
    const row = await change(id, { ownership: { ...REFUSED, verifiedAt: REFUSED.lastAt, allowedRate: 120 } })
    expect(row).toMatchObject({ rateLimit })
    expect(webhookDocument(row!)).toMatchObject({ rateLimit: { requests: 120, per: 'minute' } })
  })
})
