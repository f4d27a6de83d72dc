import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, type TestDatabase } from '@posthorn/testkit'
import { builtInRules, type AlertReading } from '@posthorn/webhook'
import { AlertKeeper } from './alert-keeper.js'
import { AlertNotifications, type Notification } from './alert-notifications.js'
import { AlertSettings, type AlertSettingKind, type AlertDefinitions } from './alert-settings.js'
import { Alerts } from './alerts.js'
import { Database } from './data-source.js'
import { openHistoryPool, type SqlPool } from './history-pool.js'
import { migrate } from './migrate.js'

const logger = createLogger('silent', 'test')
const NOW = Date.now()
const MINUTE = 60_000
const ALL = { rules: null, severities: null, tenants: null, webhook: null }
const CHANNEL = {
  ...ALL,
  ...{ type: 'email' as const, name: 'team', to: ['team@example.com'], host: null, enabled: true },
  ...{ groupSeconds: 30, repeatSeconds: 3600, sendResolved: true },
}
let created: TestDatabase
let database: Database
let pool: SqlPool
let keeper: AlertKeeper
let notifications: AlertNotifications
let alerts: Alerts

beforeAll(async () => {
  created = await createTestDatabase()
  await migrate(created.url, logger)
  database = new Database({ url: created.url, poolSize: 4, name: 'test', logger })
  await database.connect()
  await database.manager.query(`INSERT INTO tenants (id, version, status) VALUES ('acme', 1, 'active')`)
  pool = openHistoryPool(created.url, { max: 4, name: 'test', onError: () => undefined })
  const builtIn = builtInRules({ successRate: 0.9, windowSeconds: 600, rules: {} })
  keeper = new AlertKeeper(pool, { builtIn, platformTenant: 'default', keptDays: 14 })
  notifications = new AlertNotifications(pool)
  alerts = new Alerts(database)
})
afterAll(async () => {
  await Promise.all([database.close(), pool.end()])
  await created.drop()
})
beforeEach(() =>
  pool.query('truncate alerts, own_events, alert_settings, alert_notifications, alert_pending, alert_signals'),
)

const audit = (id: string) => () => ({
  ...{ key: 'k', address: 'a', requestId: 'r', tenant: null, action: 'a', subject: id, before: null, after: null },
})
let count = 0
async function setting<K extends AlertSettingKind>(
  kind: K,
  definition: AlertDefinitions[K],
  tenant: string | null = null,
) {
  const id = `${kind}_${++count}`
  await new AlertSettings(database, kind).insert({ id, tenant, definition, sealed: null }, audit(id))
  return id
}
const silence = (more: object = {}, tenant: string | null = null, minutes = 10) =>
  setting(
    'silence',
    {
      ...{ ...ALL, comment: null, startsAt: new Date(NOW - MINUTE).toISOString() },
      ...{ endsAt: new Date(NOW + minutes * MINUTE).toISOString(), ...more },
    },
    tenant,
  )

const stuck = (value: number, subject = 'router events.v1'): AlertReading => ({
  ...{
    tenant: null,
    webhook: null,
    subject,
    value,
    details: { group: 'router', topic: 'events.v1', partition: 0, lag: 1 },
  },
})
const look = (at: number, ...readings: AlertReading[]) => keeper.look(at, { consumer_stuck: readings })
const saidIn = ({ entries }: Notification) => entries.map(({ what, alert }) => `${what} ${alert?.subject}`)
const sent = (some: readonly Notification[], at: number) =>
  Promise.all(some.map(one => notifications.ended(one, { kind: 'sent' }, at)))
async function round(at: number): Promise<string[][]> {
  const claimed = await notifications.claim(at)
  await sent(claimed, at)
  return claimed.map(saidIn)
}
const statuses = async () => {
  const { rows } = await pool.query('select what, status from alert_notifications order by seq')
  return rows.map(({ what, status }) => `${what} ${status}`)
}

describe('AlertNotifications', () => {
  test('gather what comes within the time of grouping, and tell of the end to whom the beginning was told', async () => {
    const channel = await setting('channel', CHANNEL)
    await look(NOW, stuck(400))
    await look(NOW + 10_000, stuck(400), stuck(500, 'deliverer due.v1'))
    expect(await round(NOW + 29_000)).toEqual([])
    expect(await round(NOW + 30_000)).toEqual([['firing router events.v1', 'firing deliverer due.v1']])
    expect(await round(NOW + 60_000)).toEqual([])
    await look(NOW + 61_000, stuck(400))
    expect(await round(NOW + 92_000)).toEqual([['resolved deliverer due.v1']])
    const { rows } = await alerts.list({
      tenant: null,
      firing: false,
      webhook: undefined,
      rule: 'consumer_stuck',
      limit: 5,
      before: undefined,
    })
    const told = await alerts.get(null, Number(rows[0]!.id.slice('alert_'.length)))
    expect(told!.notifications.map(one => [one.channel, one.what, one.status])).toEqual([
      [channel, 'resolved', 'sent'],
      [channel, 'firing', 'sent'],
    ])
    expect(await alerts.get('acme', Number(rows[0]!.id.slice('alert_'.length)))).toBeUndefined()
  })

  test('go to the channels that they fit, and to a tenant only with what is its own', async () => {
    await setting('channel', { ...CHANNEL, groupSeconds: 0, severities: ['warning'] })
    await setting('channel', { ...CHANNEL, groupSeconds: 0, enabled: false })
    await setting('channel', { ...CHANNEL, groupSeconds: 0 }, 'acme')
    await look(NOW, stuck(400))
    expect(await round(NOW)).toEqual([])
    await setting('channel', { ...CHANNEL, groupSeconds: 0, rules: ['consumer_stuck'] })
    await look(NOW, stuck(400), stuck(400, 'deliverer due.v1'))
    expect(await round(NOW)).toEqual([['firing deliverer due.v1']])
  })

  test('repeat what goes on, and never what has ended', async () => {
    await setting('channel', { ...CHANNEL, groupSeconds: 0 })
    await look(NOW, stuck(400))
    expect(await round(NOW)).toHaveLength(1)
    expect(await round(NOW + 59 * MINUTE)).toEqual([])
    expect(await round(NOW + 60 * MINUTE)).toEqual([['repeat router events.v1']])
    expect(await round(NOW + 119 * MINUTE)).toEqual([])
    await look(NOW + 119 * MINUTE)
    expect(await round(NOW + 120 * MINUTE)).toEqual([['resolved router events.v1']])
    expect(await round(NOW + 300 * MINUTE)).toEqual([])
  })

  test('of a process that was killed while telling are told by another', async () => {
    await setting('channel', { ...CHANNEL, groupSeconds: 0 })
    await look(NOW, stuck(400))
    const both = await Promise.all([notifications.claim(NOW), notifications.claim(NOW)])
    expect(both.flat()).toHaveLength(1)
    expect(await notifications.claim(NOW + 119_000)).toEqual([])
    const [again] = await notifications.claim(NOW + 120_000)
    expect([again!.tries, saidIn(again!)]).toEqual([2, ['firing router events.v1']])
    await notifications.ended(again!, { kind: 'retry', error: 'away', due: NOW + 200_000 }, NOW)
    expect(await notifications.claim(NOW + 199_000)).toEqual([])
    expect(await round(NOW + 200_000)).toHaveLength(1)
    expect(await statuses()).toEqual(['firing sent'])
  })

  test('of a killed process are told again as they were, before the end of what they tell', async () => {
    await setting('channel', { ...CHANNEL, groupSeconds: 0 })
    await look(NOW, stuck(400), stuck(400, 'deliverer due.v1'))
    const [killed] = await notifications.claim(NOW)
    await look(NOW + 10_000, stuck(400), stuck(400, 'monitor attempts.v1'))
    expect(await round(NOW + 10_000)).toEqual([['firing monitor attempts.v1']])
    await look(NOW + 119_000, stuck(400), stuck(400, 'replayer bulk.v1'))
    const [again] = await notifications.claim(NOW + 120_000)
    expect(again!.seqs).toEqual(killed!.seqs)
    // It goes on telling while the next round comes.
    expect(await round(NOW + 121_000)).toEqual([['resolved monitor attempts.v1', 'firing replayer bulk.v1']])
    await sent([again!], NOW + 121_000)
    expect(await round(NOW + 122_000)).toEqual([['resolved deliverer due.v1']])
  })

  test('wait while they are silenced, and are told when the silence is over and the alert is not', async () => {
    await setting('channel', { ...CHANNEL, groupSeconds: 0 })
    await silence({ rules: ['consumer_stuck'] })
    await look(NOW, stuck(400), stuck(400, 'deliverer due.v1'))
    expect(await round(NOW)).toEqual([])
    await look(NOW + MINUTE, stuck(400))
    expect(await round(NOW + MINUTE)).toEqual([])
    expect(await statuses()).toEqual(['firing waiting', 'firing silenced', 'resolved silenced'])
    expect(await round(NOW + 11 * MINUTE)).toEqual([['firing router events.v1']])
    const { rows } = await pool.query('select data from own_events order by id')
    expect(rows.map(({ data }) => (data as { silenced: boolean }).silenced)).toEqual([true, true, true])
  })

  test('are not silenced for the platform by a tenant', async () => {
    await setting('channel', { ...CHANNEL, groupSeconds: 0 })
    await setting('channel', { ...CHANNEL, groupSeconds: 0 }, 'acme')
    await silence({}, 'acme')
    await pool.query(`insert into alert_signals values ('poison', $1, 'acme', '', '', 50)`, [
      new Date(NOW).toISOString(),
    ])
    await keeper.look(NOW)
    expect((await notifications.claim(NOW)).map(({ channel }) => channel.tenant)).toEqual([null])
  })

  test('are bounded: of a channel that takes none the newest wait', async () => {
    const id = await setting('channel', { ...CHANNEL, groupSeconds: 0 })
    await pool.query(
      `insert into alert_notifications (channel, what, status, due_at, created_at)
       select $1, 'test', 'waiting', $2, $2 from generate_series(1, 1200)`,
      [id, new Date(NOW).toISOString()],
    )
    const [one] = await notifications.claim(NOW)
    expect(one!.entries).toHaveLength(200)
    expect((await statuses()).filter(status => status === 'test failed')).toHaveLength(200)
  })

  test('of a test are not tried again', async () => {
    const id = await setting('channel', { ...CHANNEL, groupSeconds: 0 })
    const seq = await alerts.test(id)
    const [test_] = await notifications.claim(Date.now() + 1000)
    await notifications.ended(test_!, { kind: 'retry', error: 'away', due: NOW }, NOW)
    expect(await alerts.tested(seq)).toMatchObject({ status: 'failed', error: 'away' })
  })
})

describe('rules', () => {
  const poison = (tenant: string, n: number) =>
    pool.query(`insert into alert_signals values ('poison', $1, $2, '', '', $3)`, [
      new Date(NOW).toISOString(),
      tenant,
      n,
    ])

  test('that were changed hold, and a rule of a tenant is about the tenant alone', async () => {
    await setting('rule', { metric: 'poison', threshold: 5, severity: 'critical', description: null }, 'acme')
    await poison('acme', 8)
    await poison('', 8)
    const changes = await keeper.look(NOW)
    expect(changes.map(({ metric, tenant, severity, value }) => [metric, tenant, severity, value])).toEqual([
      ['poison', 'acme', 'critical', 8],
    ])
    expect(changes[0]!.rule).toMatch(/^rule_/)
    await pool.query(`delete from alert_settings`)
    expect((await keeper.look(NOW)).map(({ ended }) => ended)).toEqual(['inactive'])
  })

  test('fire and end within their window, as often as several look', async () => {
    await poison('acme', 11)
    expect((await Promise.all([keeper.look(NOW), keeper.look(NOW)])).flat()).toHaveLength(1)
    expect(await keeper.look(NOW + 59 * MINUTE)).toEqual([])
    expect((await keeper.look(NOW + 61 * MINUTE)).map(({ metric, ended }) => [metric, ended])).toEqual([
      ['poison', 'recovered'],
    ])
  })

  test('wait for as long as they say, over looks that know nothing', async () => {
    const under = { ...stuck(1, 'events.v1'), details: { topic: 'events.v1' } }
    expect(await keeper.look(NOW, { under_replicated: [under] })).toEqual([])
    expect(await keeper.look(NOW + 30_000)).toEqual([])
    expect(await keeper.look(NOW + 60_000, { under_replicated: [under] })).toHaveLength(1)
    expect(await keeper.look(NOW + 90_000)).toEqual([])
    expect(await keeper.look(NOW + 91_000, { under_replicated: [] })).toMatchObject([{ ended: 'recovered' }])
  })
})
