import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Settings } from '@posthorn/process'
import { migrate } from '@posthorn/store'
import { createLogger, startTelemetry } from '@posthorn/telemetry'
import { createTestDatabase, queryDatabase, testBrokers, until, type TestDatabase } from '@posthorn/testkit'
import { PROBE_TENANT } from '@posthorn/webhook'
import { chooseTargets } from './targets.js'

const AGE = 'posthorn_deliverer_probe_age_seconds'
const ARRIVED = 'posthorn_deliverer_probe_duration_seconds_count'
const WAIT_MS = 60_000

const telemetry = startTelemetry({ serviceName: 'test', otlpUrl: undefined, traceRatio: 1, metricsOtlp: undefined })
const health = new Health(telemetry)
const logger = createLogger('silent', 'test')
let database: TestDatabase
let settings: Settings
let port: number
const running = new Map<string, RunningService>()

beforeAll(async () => {
  database = await createTestDatabase()
  await migrate(database.url, logger)
  port = await health.listen('127.0.0.1', 0)
  settings = readSettings({
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '2',
    POSTHORN_DATABASE_URL: database.url,
    POSTHORN_SEALING_KEYS: `test:${randomBytes(32).toString('base64')}`,
    POSTHORN_PROBER_INTERVAL_SECONDS: '1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_AUTH_PLATFORM_KEY: randomBytes(24).toString('hex'),
  })
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'prober-test'))
  await createTopics(connection, await planTopics(connection))
  await Promise.all(['registry', 'router', 'deliverer', 'monitor'].map(start))
}, 60_000)

afterAll(async () => {
  await Promise.all([...running.keys()].map(stop))
  await health.close()
  await telemetry.shutdown()
  await database?.drop()
}, 60_000)

async function start(target: string): Promise<void> {
  const [chosen] = chooseTargets(target)
  const fatal = (error: Error) => {
    throw error
  }
  running.set(target, await (await chosen!.load()).start({ settings, logger, health, fatal }))
}

async function stop(target: string): Promise<void> {
  await running.get(target)?.stop()
  running.delete(target)
}

/** Undefined: there is no such series. */
async function metric(name: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const [, value] = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text) ?? []
  return value === undefined ? undefined : Number(value)
}

const arrived = async () => (await metric(ARRIVED)) ?? 0
const arrivesAgain = async () => {
  const before = await arrived()
  await until(async () => (await arrived()) > before, WAIT_MS)
}

describe('The prober', () => {
  it('S13 sends an event the whole way, where private addresses are refused, and tells its age', async () => {
    await until(async () => (await arrived()) >= 2, WAIT_MS)
    await until(async () => (await metric(AGE))! < 10, WAIT_MS)
    await until(async () => (await metric('posthorn_monitor_probes_total')) !== undefined, WAIT_MS)
  }, 120_000)

  it('S13 gets older where the way is broken, and young again once it is whole', async () => {
    await stop('router')
    await until(async () => (await metric(AGE))! > 3, WAIT_MS)
    await start('router')
    await until(async () => (await metric(AGE))! < 2, WAIT_MS)
  }, 90_000)

  it('S13 goes on after its deliverer and its monitor were replaced', async () => {
    await stop('deliverer')
    await start('deliverer')
    await arrivesAgain()
    await stop('monitor')
    await start('monitor')
    await arrivesAgain()
  }, 90_000)

  it('S13 leaves nothing in the history, the counters and among the attempts that are counted', async () => {
    for (const table of ['history_events', 'history_deliveries', 'history_attempts', 'history_counters'])
      expect({ table, rows: await queryDatabase(database.url, `select * from ${table}`) }).toEqual({ table, rows: [] })
    expect(await queryDatabase(database.url, `select id from tenants where id = '${PROBE_TENANT}'`)).toEqual([])
    expect(await metric('posthorn_deliverer_attempts_total')).toBeUndefined()
    for (const name of ['router_deliveries_total', 'router_event_age_seconds_count', 'deliverer_requests_total'])
      expect([name, (await metric(`posthorn_${name}`)) ?? 0]).toEqual([name, 0])
  })
})
