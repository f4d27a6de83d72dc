import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import { builtInRules, deliveryId, DEFAULT_RETRY_POLICY, type Delivery, type OutcomeKind } from '@posthorn/webhook'
import { AlertKeeper } from './alert-keeper.js'
import { Alerts } from './alerts.js'
import { Database } from './data-source.js'
import { HistoryPartitions } from './history-partitions.js'
import { openHistoryPool, type SqlPool } from './history-pool.js'
import { HistoryWriter } from './history-writer.js'
import { migrate } from './migrate.js'
import { sendOwnEvents } from './own-events.js'
import type { PositionedEntry } from './history-entries.js'

const logger = createLogger('silent', 'test')
const NOW = Date.now()
const RATES = { webhook_failing: { enabled: false }, dead_letters: { enabled: false } }
const builtIn = (successRate: number) => builtInRules({ successRate, windowSeconds: 600, rules: RATES })
const OPTIONS = { builtIn: builtIn(0.9), platformTenant: 'default', keptDays: 14 }
let created: TestDatabase
let database: Database
let pool: SqlPool
let keeper: AlertKeeper
let writer: HistoryWriter
let alerts: Alerts

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  await database.manager.query(`INSERT INTO tenants (id, version, status) VALUES ('acme', 1, 'active')`)
  pool = openHistoryPool(created.url, { max: 4, name: 'test', onError: () => undefined })
  keeper = new AlertKeeper(pool, OPTIONS)
  alerts = new Alerts(database)
})
afterAll(async () => {
  await Promise.all([database.close(), pool.end()])
  await created.drop()
})

let offset = 0
beforeEach(async () => {
  await pool.query('truncate alerts, own_events, history_counters, webhooks, alert_signals, alert_notifications')
  writer = new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'g')
})

let count = 0
async function aWebhook(): Promise<string> {
  const id = `webhook_${++count}`
  await pool.query(
    `insert into webhooks (id, tenant, version, status, url, method, events, format, retry_policy, metadata,
       created_at, updated_at)
     values ($1, 'acme', 1, 'active', 'https://shop.example/hook', 'POST', '{*}', 'standard', $2, '{}', now(), now())`,
    [id, DEFAULT_RETRY_POLICY],
  )
  return id
}

/** So many attempts, each of a delivery of its own, that ended so long ago. */
async function ended(webhook: string, outcome: OutcomeKind, many: number, ago = 0, type = 'a.b'): Promise<void> {
  const at = new Date(NOW - ago).toISOString()
  const entries = Array.from({ length: many }, (): PositionedEntry[] => {
    const event = { tenant: 'acme', id: `e${offset}`, source: '/s', type, time: at }
    const delivery = {
      id: deliveryId(event, webhook),
      run: '0',
      attempt: 1,
      webhook,
      webhookVersion: 1,
      tenant: 'acme',
    }
    const times = { accepted_at: at, due_at: at, started_at: at, finished_at: at, duration_ms: 1 }
    const made = { delivery: delivery.id, run: '0', attempt: 1, webhook, webhook_version: 1, tenant: 'acme', event }
    const place = { due: 0, acceptedAt: NOW - ago, origin: { partition: 0, offset: 0 }, spills: 0, event }
    const positioned = { partition: 0, offset: offset++, timestamp: NOW }
    return [
      {
        ...positioned,
        topic: 'deliveries.v1',
        entry: { kind: 'delivery', delivery: { ...delivery, ...place } as Delivery },
      },
      { ...positioned, topic: 'attempts.v1', entry: { kind: 'attempt', attempt: { ...made, ...times, outcome } } },
    ] as PositionedEntry[]
  })
  await writer.write(entries.flat(), NOW)
}

const told = async () => {
  const sent: [type: string, tenant: string, subject: string][] = []
  await sendOwnEvents(pool, 100, async some => {
    for (const { type, tenant, subject } of some) sent.push([type.replace('posthorn.alert.', ''), tenant, subject])
  })
  return sent.sort()
}
const look = async (at = NOW, of = keeper) => (await of.look(at)).map(({ rule, ended: by }) => [rule, by]).sort()
const listed = async (tenant?: string | null) =>
  (await alerts.list({ tenant, firing: undefined, webhook: undefined, rule: undefined, limit: 10, before: undefined }))
    .rows

describe('AlertKeeper', () => {
  test('fires once for the webhook, the tenant and all, each with an event to whom it concerns', async () => {
    const webhook = await aWebhook()
    await ended(webhook, 'delivered', 17)
    await ended(webhook, 'exhausted', 3)
    expect(await look()).toEqual([
      ['platform_success_rate', undefined],
      ['tenant_success_rate', undefined],
      ['webhook_success_rate', undefined],
    ])
    expect(await told()).toEqual([
      ['firing', 'acme', 'acme'],
      ['firing', 'acme', webhook],
      ['firing', 'default', 'platform'],
    ])
    expect(await look(NOW + 60_000)).toEqual([])
    expect(await told()).toEqual([])
    expect((await listed('acme')).map(({ rule, state }) => [rule, state.kind])).toHaveLength(2)
    expect((await listed(null)).map(({ rule, severity }) => [rule, severity])).toEqual([
      ['platform_success_rate', 'critical'],
    ])
    expect(await listed('other')).toEqual([])
  })

  test('ends when the rate is well above again, and not by silence', async () => {
    const webhook = await aWebhook()
    await ended(webhook, 'exhausted', 20)
    expect(await look()).toHaveLength(3)
    // The window has passed by, and nothing else came.
    expect(await look(NOW + 3600_000)).toEqual([])
    await ended(webhook, 'delivered', 200)
    expect(await look()).toEqual([])
    await ended(webhook, 'delivered', 200)
    expect(await look()).toEqual([
      ['platform_success_rate', 'recovered'],
      ['tenant_success_rate', 'recovered'],
      ['webhook_success_rate', 'recovered'],
    ])
    expect((await told()).filter(([type]) => type === 'resolved')).toHaveLength(3)
    expect((await listed()).map(({ state }) => state.kind)).toEqual(['resolved', 'resolved', 'resolved'])
    expect(await look(NOW + 15 * 24 * 3600_000)).toEqual([])
    expect(await listed()).toEqual([])
  })

  test('does not look at what is older than the window, discarded, or of a webhook that takes nothing', async () => {
    const [webhook, paused] = [await aWebhook(), await aWebhook()]
    await ended(webhook, 'exhausted', 30, 700_000)
    await ended(webhook, 'discarded', 30)
    await pool.query(`update webhooks set status = 'paused' where id = $1`, [paused])
    await ended(paused, 'exhausted', 19)
    expect(await look()).toEqual([])
    await ended(paused, 'exhausted', 1)
    expect((await look()).map(([rule]) => rule)).toEqual(['platform_success_rate', 'tenant_success_rate'])
  })

  test('ends the alert of a webhook that is disabled', async () => {
    const webhook = await aWebhook()
    await ended(webhook, 'exhausted', 20)
    expect(await look()).toHaveLength(3)
    await pool.query(`update webhooks set status = 'disabled' where id = $1`, [webhook])
    expect(await look()).toEqual([['webhook_success_rate', 'inactive']])
    expect((await told()).filter(([type]) => type === 'resolved')).toEqual([['resolved', 'acme', webhook]])
    await pool.query(`update tenants set status = 'deleted' where id = 'acme'`)
    expect(await look()).toEqual([['tenant_success_rate', 'inactive']])
    expect(await told()).toEqual([])
    await pool.query(`update tenants set status = 'active' where id = 'acme'`)
  })

  test('is never raised of a webhook for the delivery of our own events', async () => {
    const webhook = await aWebhook()
    await ended(webhook, 'exhausted', 40, 0, 'posthorn.alert.firing')
    expect((await look()).map(([rule]) => rule)).not.toContain('webhook_success_rate')
    await ended(webhook, 'exhausted', 20)
    expect((await look()).map(([rule]) => rule)).toEqual(['webhook_success_rate'])
  })

  test('tells once although several look at the same time', async () => {
    const webhook = await aWebhook()
    await ended(webhook, 'exhausted', 20)
    const both = await Promise.all([keeper.look(NOW), keeper.look(NOW), keeper.look(NOW)])
    expect(both.flat()).toHaveLength(3)
    expect(await told()).toHaveLength(3)
    expect(await listed()).toHaveLength(3)
  })

  test('neither keeps an alert whose event cannot be kept', async () => {
    const webhook = await aWebhook()
    await ended(webhook, 'exhausted', 20)
    await pool.query(`alter table own_events add constraint refused check (type not like 'posthorn.alert.%')`)
    await expect(keeper.look(NOW)).rejects.toThrow('refused')
    await pool.query('alter table own_events drop constraint refused')
    expect(await listed()).toEqual([])
    expect(await look()).toHaveLength(3)
    expect(await told()).toHaveLength(3)
  })

  test('a rate of 0 fires nothing and ends what fires', async () => {
    const webhook = await aWebhook()
    await ended(webhook, 'exhausted', 20)
    const off = new AlertKeeper(pool, { ...OPTIONS, builtIn: builtIn(0) })
    expect(await look(NOW, off)).toEqual([])
    expect(await look()).toHaveLength(3)
    expect(await look(NOW, off)).toHaveLength(3)
  })
})
