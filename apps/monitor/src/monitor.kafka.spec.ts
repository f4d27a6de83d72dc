import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type ServiceContext, type Settings } from '@posthorn/process'
import { HistoryLists, HistoryQueries, migrate, openHistoryPool, type SqlPool } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, testBrokers, testDatabaseUrl, until, type TestDatabase } from '@posthorn/testkit'
import {
  ATTEMPTS,
  DEAD_LETTERS,
  DELIVERIES,
  encodeAttempt,
  encodeDeadLetter,
  encodeDelivery,
  encodeEvent,
  EVENTS,
  type Attempt,
} from '@posthorn/topics'
import { deliveryId, type Delivery, type WebhookEvent } from '@posthorn/webhook'
import { monitorService } from './service.js'

const WAIT_MS = 60_000
const logger = createLogger('silent', 'monitor.kafka.spec')
const variables = {
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '2',
  POSTHORN_LOG_LEVEL: 'silent',
}

let database: TestDatabase
let settings: Settings
let connection: KafkaConnection
let producer: SafeProducer
let pool: SqlPool
let server: SqlPool
let queries: HistoryQueries
let monitor: RunningService | undefined
const faults: Error[] = []

function context(): ServiceContext {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  return { settings, logger, health, fatal: error => void faults.push(error) }
}

beforeAll(async () => {
  database = await createTestDatabase()
  await migrate(database.url, logger)
  settings = readSettings({ ...variables, POSTHORN_DATABASE_URL: database.url })
  connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'monitor-test'))
  await createTopics(connection, await planTopics(connection))
  producer = new SafeProducer(connection)
  await producer.connect()
  pool = openHistoryPool(database.url, { max: 2, name: 'test', onError: () => undefined })
  server = openHistoryPool(testDatabaseUrl(), { max: 1, name: 'test', onError: () => undefined })
  queries = new HistoryQueries(pool)
  monitor = await monitorService.start(context())
}, 60_000)

afterAll(async () => {
  await monitor?.stop()
  await producer.close()
  await Promise.all([pool.end(), server.end()])
  await database.drop()
}, 30_000)

function anEvent(id: string): WebhookEvent {
  const time = new Date().toISOString()
  return { tenant: 'acme', id, source: '/tests', type: 'agent.created', time, contenttype: 'application/json' }
}

function aDelivery(event: WebhookEvent, webhook: string): Delivery {
  return {
    id: deliveryId(event, webhook),
    webhook,
    webhookVersion: 1,
    tenant: event.tenant,
    run: '0',
    attempt: 1,
    due: 0,
    acceptedAt: Date.parse(event.time),
    origin: { partition: 0, offset: 0 },
    spills: 0,
    event,
  }
}

function anAttempt(
  delivery: Delivery,
  attempt: number,
  outcome: Attempt['outcome'],
  extra: Partial<Attempt> = {},
): Attempt {
  const at = new Date(delivery.acceptedAt + attempt).toISOString()
  return {
    delivery: delivery.id,
    run: delivery.run,
    attempt,
    webhook: delivery.webhook,
    webhook_version: 1,
    tenant: delivery.tenant,
    event: delivery.event,
    accepted_at: new Date(delivery.acceptedAt).toISOString(),
    outcome,
    due_at: at,
    started_at: at,
    finished_at: at,
    duration_ms: 2,
    ...extra,
  }
}

/** Delivered attempts that the counters have for a webhook. */
async function counted(webhook: string): Promise<number> {
  const { rows } = await pool.query(
    `select coalesce(sum(count), 0)::int as n from history_counters where webhook = $1 and outcome = 'delivered'`,
    [webhook],
  )
  return Number(rows[0]?.n)
}

async function sendAttempts(webhook: string, count: number, from = 0): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => from + n)
  await Promise.all(
    numbers.map(n => {
      const delivery = aDelivery(anEvent(`${webhook}-${n}`), webhook)
      return producer.send(ATTEMPTS, encodeAttempt(anAttempt(delivery, 1, 'delivered')))
    }),
  )
}

async function cutConnections(): Promise<number> {
  const { rows } = await server.query(
    `select count(pg_terminate_backend(pid))::int as n from pg_stat_activity where application_name = 'posthorn-monitor'
       and datname = $1`,
    [new URL(database.url).pathname.slice(1)],
  )
  return Number(rows[0]?.n)
}

describe('monitor', () => {
  it('S13 shows an event, its delivery and all attempts, whatever topic came first', async () => {
    const event = anEvent('shown')
    const delivery = aDelivery(event, 'webhook_shown')
    await producer.send(ATTEMPTS, encodeAttempt(anAttempt(delivery, 2, 'exhausted', { status_code: 500 })))
    await producer.send(ATTEMPTS, encodeAttempt(anAttempt(delivery, 1, 'retry', { status_code: 503 })))
    const last = anAttempt(delivery, 2, 'exhausted', { status_code: 500 })
    await producer.send(DEAD_LETTERS, encodeDeadLetter(delivery, last, Buffer.from('{"a": 1}')))
    await producer.send(DELIVERIES, encodeDelivery(delivery, Buffer.from('{"a": 1}')))
    await producer.send(EVENTS, encodeEvent(event, Buffer.from('{"a": 1}')))
    await until(async () => (await queries.event('acme', 'shown')) !== undefined, WAIT_MS)
    await until(async () => (await queries.delivery('acme', delivery.id))?.attempts.length === 2, WAIT_MS)
    expect((await queries.event('acme', 'shown', '/tests'))?.data.toString()).toBe('{"a": 1}')
    const found = await queries.delivery('acme', delivery.id)
    expect(found?.delivery).toMatchObject({ status: 'exhausted', attempts: 2, lastStatusCode: 500 })
    expect(found?.attempts.map(({ attempt, statusCode }) => [attempt, statusCode])).toEqual([
      [1, 503],
      [2, 500],
    ])
    expect(await queries.eventDeliveries('acme', 'shown', '/tests')).toMatchObject({ exhausted: 1, pending: 0 })
  }, 30_000)

  it('sets aside what history cannot store, shows it as poison and goes on', async () => {
    const delivery = aDelivery(anEvent('poisoned'), 'webhook_poison')
    await producer.send(ATTEMPTS, encodeAttempt(anAttempt(delivery, 1, 'delivered', { status_code: 3e9 })))
    await producer.send(ATTEMPTS, { key: Buffer.from('webhook_poison'), value: Buffer.from('no JSON') })
    await sendAttempts('webhook_poison', 3)
    await until(async () => (await counted('webhook_poison')) === 3, WAIT_MS)
    await until(async () => (await new HistoryLists(pool).poison({ limit: 10 })).rows.length === 2, WAIT_MS)
    const { rows } = await new HistoryLists(pool).poison({ limit: 10 })
    expect(rows.map(({ topic, reason }) => [topic, reason]).sort()).toEqual([
      ['attempts.v1', 'handler_failed'],
      ['attempts.v1', 'undecodable'],
    ])
  }, 30_000)

  it('counts every attempt once although its connections to Postgres are cut again and again', async () => {
    const sending = sendAttempts('webhook_cut', 3_000)
    let cut = 0
    for (let n = 0; n < 20; n++) {
      cut += await cutConnections()
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    await sending
    expect(cut).toBeGreaterThan(0)
    await until(async () => (await counted('webhook_cut')) >= 3_000, WAIT_MS)
    expect(await counted('webhook_cut')).toBe(3_000)
  }, 40_000)

  it('waits in place while Postgres is away, and catches up', async () => {
    const name = new URL(database.url).pathname.slice(1)
    await server.query(`alter database ${name} allow_connections false`)
    await cutConnections()
    await sendAttempts('webhook_away', 500)
    await new Promise(resolve => setTimeout(resolve, 1_000))
    await server.query(`alter database ${name} allow_connections true`)
    await until(async () => (await counted('webhook_away').catch(() => 0)) >= 500, WAIT_MS)
    expect(await counted('webhook_away')).toBe(500)
    expect(faults).toEqual([])
  }, 40_000)

  it('goes on after a restart where it was, and counts nothing twice though Kafka forgot how far it was', async () => {
    await sendAttempts('webhook_restart', 200)
    await until(async () => (await counted('webhook_restart')) === 200, WAIT_MS)
    await monitor!.stop()
    monitor = undefined
    await sendAttempts('webhook_restart', 100, 200)
    await connection.withAdmin(admin => admin.deleteGroups([`${settings.kafkaPrefix}monitor`]))
    monitor = await monitorService.start(context())
    await until(async () => (await counted('webhook_restart')) >= 300, WAIT_MS)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(await counted('webhook_restart')).toBe(300)
    expect(await counted('webhook_cut')).toBe(3_000)
  }, 60_000)

  it('stops within seconds although Postgres is away', async () => {
    const name = new URL(database.url).pathname.slice(1)
    await server.query(`alter database ${name} allow_connections false`)
    try {
      await cutConnections()
      await sendAttempts('webhook_stop', 10)
      await new Promise(resolve => setTimeout(resolve, 500))
      const startedAt = performance.now()
      await monitor!.stop()
      monitor = undefined
      // 7 s of its own; without a bound it would wait for Postgres.
      expect(performance.now() - startedAt).toBeLessThan(20_000)
    } finally {
      await server.query(`alter database ${name} allow_connections true`)
    }
  }, 40_000)

  it('refuses to start without a database, and says what to set', async () => {
    const without = { ...context(), settings: readSettings(variables) }
    await expect(monitorService.start(without)).rejects.toThrow('POSTHORN_DATABASE_URL')
  })
})
