import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { credentials, loadPackageDefinition, Metadata, type Client, type ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { PROTO_DIR, PROTO_OPTIONS } from '@posthorn/api'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { readSettings, startServices, type RunningProcess } from '@posthorn/process'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import {
  createTestDatabase,
  parseScrape,
  startReceiver,
  testBrokers,
  until,
  type Receiver,
  type ScrapedMetric,
  type TestDatabase,
} from '@posthorn/testkit'
import { EVENTS } from '@posthorn/topics'
import { TARGETS } from './targets.js'
import { documentedLabels, documentedMetrics, pageOf, rowOf } from './test-metrics-page.js'

const KEY = 'a-platform-key-for-this-test'
const WAIT_MS = 60_000
const PAGE = 'docs/metrics.md'
const SOURCE = `orders-${randomBytes(5).toString('hex')}`

type Json = Record<string, unknown> & { readonly id: string; readonly data: readonly Json[] }

const logger = createLogger('silent', 'test')
const sent: Buffer[] = []
let collector: Server
let database: TestDatabase
let receiver: Receiver
let connection: KafkaConnection
let platform: RunningProcess
let scraped: ReadonlyMap<string, ScrapedMetric>

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url === '/v1/metrics') sent.push(Buffer.concat(chunks))
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
  receiver = await startReceiver(({ path }) => ({ status: path === '/fails' ? 500 : 200 }))
  database = await createTestDatabase()
  await migrate(database.url, logger)
  const settings = readSettings({
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '2',
    POSTHORN_DATABASE_URL: database.url,
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_INGEST_PORT: '0',
    POSTHORN_INGEST_GRPC_PORT: '0',
    POSTHORN_HEALTH_PORT: '0',
    POSTHORN_AUTH_PLATFORM_KEY: KEY,
    POSTHORN_SEALING_KEYS: `test:${randomBytes(32).toString('base64')}`,
    POSTHORN_LOG_LEVEL: 'silent',
    POSTHORN_INGEST_SOURCES_REFRESH_MS: '500',
    POSTHORN_PROBER_INTERVAL_SECONDS: '1',
    POSTHORN_INGEST_SOURCES: JSON.stringify([
      { id: 'orders', topic: SOURCE, start: 'earliest', event: { tenant: 'default', type: 'order.made' } },
    ]),
    POSTHORN_METRICS_OTLP_URL: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`,
    POSTHORN_METRICS_OTLP_INTERVAL_MS: '1000',
  })
  connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'metrics-test'))
  await createTopics(connection, await planTopics(connection))
  await connection.withAdmin(admin => admin.createTopics({ waitForLeaders: false, topics: [{ topic: SOURCE }] }))
  platform = await startServices(await Promise.all(TARGETS.map(({ load }) => load())), settings)
  await use()
}, 120_000)

afterAll(async () => {
  await platform?.stop()
  connection?.close()
  await receiver?.close()
  await database?.drop()
  collector?.close()
}, 60_000)

async function scrape(): Promise<ReadonlyMap<string, ScrapedMetric>> {
  const answer = await fetch(`http://${platform.addresses.health}/metrics`)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
  return parseScrape(await answer.text())
}

async function call(target: 'ingest' | 'registry', method: string, path: string, body?: object, key = KEY) {
  const answer = await fetch(`http://${platform.addresses[`${target}.http`]}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, json: (await answer.json()) as Json }
}

/** Something of everything: delivered, failed into a delay topic and then a dead letter, refused, set aside, replayed. */
async function use(): Promise<void> {
  for (const url of [
    `${receiver.url}/fine`,
    `${receiver.url}/fails`,
    receiver.url.replace('127.0.0.1', '10.255.255.1'),
  ])
    expect(
      await call('registry', 'POST', '/v1/webhooks', {
        ...{ url, events: ['used.*'], retry_policy: { attempts: 2, interval_ms: 100, jitter: 0 } },
      }),
    ).toMatchObject({ status: 201 })
  const schema = { type: 'object', required: ['total'] }
  const type = { type: 'checked.event', schema, mode: 'warn' }
  expect(await call('registry', 'POST', '/v1/event-types', type)).toMatchObject({ status: 201 })
  expect(await call('ingest', 'POST', '/v1/publish', {}, 'wrong')).toMatchObject({ status: 401 })
  expect(await call('registry', 'GET', '/v1/webhooks', undefined, 'wrong')).toMatchObject({ status: 401 })
  const events = ['used.event', 'checked.event'].map(name => ({ id: name, type: name, data: {} }))
  // The schema is on its topic before the answer, and with ingest soon after.
  await until(async () => {
    await call('ingest', 'POST', '/v1/publish', events)
    return (await scrape()).has('posthorn_ingest_schema_misfits_total')
  }, WAIT_MS)
  await callByGrpc()
  await setAside()
  await publishToSource()
  const ended = async () => (await call('registry', 'GET', '/v1/dead-letters')).json.data
  await until(async () => (await ended()).length === 2, WAIT_MS)
  const { webhook } = (await ended())[0]!
  expect(await call('registry', 'POST', '/v1/replays', { webhook, status: ['exhausted'] })).toMatchObject({
    status: 201,
  })
  // What is still absent then is named by the tests.
  await until(async () => {
    // The router knows the schema in its own time.
    await call('ingest', 'POST', '/v1/publish', events.slice(1))
    scraped = await scrape()
    return (
      documentedMetrics().every(({ name, appears }) => !isCaused(appears) || scraped.has(name)) && scraped.has(PROBED)
    )
  }, WAIT_MS).catch(() => undefined)
}

const PROBED = 'posthorn_deliverer_probe_age_seconds'

/** By what this spec does. */
const isCaused = (appears: string) => /^(always|with use)$/.test(appears)

async function callByGrpc(): Promise<void> {
  type WebhooksClient = Client & {
    ListWebhooks(request: object, metadata: Metadata, done: (error: ServiceError | null) => void): void
  }
  const loaded = loadSync(join(PROTO_DIR, 'posthorn/admin/v1/webhooks.proto'), {
    ...PROTO_OPTIONS,
    includeDirs: [PROTO_DIR],
  })
  const { posthorn } = loadPackageDefinition(loaded) as unknown as {
    posthorn: { admin: { v1: { WebhookService: new (address: string, creds: unknown) => WebhooksClient } } }
  }
  const client = new posthorn.admin.v1.WebhookService(
    platform.addresses['registry.grpc']!,
    credentials.createInsecure(),
  )
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${KEY}`)
  await new Promise<void>((resolve, reject) =>
    client.ListWebhooks({}, metadata, error => (error ? reject(error) : resolve())),
  )
  client.close()
}

async function setAside(): Promise<void> {
  const producer = new SafeProducer(connection)
  await producer.connect()
  await producer.send(EVENTS, { key: Buffer.from('k'), value: Buffer.from('{'), headers: { ce_tenant: 'default' } })
  await producer.close()
}

async function publishToSource(): Promise<void> {
  const producer = connection.kafka.producer()
  await producer.connect()
  await producer.send({ topic: SOURCE, messages: [{ value: '{"order":1}' }] })
  await producer.disconnect()
}

describe('S13 metrics of a running platform', () => {
  it('S13 are each on the page of metrics as they are scraped: kind, unit, labels and meaning', () => {
    const documented = new Map(documentedMetrics().map(metric => [metric.name, metric]))
    const missing = [...scraped.values()].filter(({ name }) => !documented.has(name))
    if (missing.length > 0)
      throw new Error(
        `${PAGE} lacks metrics: put these rows into the table of their service\n${missing.map(rowOf).join('\n')}`,
      )
    for (const metric of scraped.values()) {
      const row = documented.get(metric.name)!
      expect(row).toEqual(pageOf(metric, row.appears))
    }
  })

  it('S13 are all there: what the page lists is scraped, but for what says when it appears', () => {
    const rows = documentedMetrics()
    expect(rows.map(({ name }) => name).filter((name, i, all) => all.indexOf(name) !== i)).toEqual([])
    const absent = rows.filter(({ name }) => !scraped.has(name))
    expect(absent.filter(({ appears }) => isCaused(appears)).map(({ name }) => name)).toEqual([])
    expect(absent.filter(({ appears }) => !/^(when|if|after) /.test(appears)).map(({ name }) => name)).toEqual([])
  })

  it('S13 have labels of few values: each has its row, and none is an address, a webhook, a tenant or an event', () => {
    const labels = new Set([...scraped.values()].flatMap(metric => [...metric.labels]))
    expect([...labels].filter(label => !documentedLabels().includes(label))).toEqual([])
    for (const name of ['url', 'host', 'webhook', 'tenant', 'delivery', 'event', 'event_type', 'key', 'address'])
      expect(labels).not.toContain(name)
  })

  it('S13 go to a collector by OTLP, too, where its address is set', async () => {
    // What was sent first is from before the first attempt.
    await until(() => sent.at(-1)?.includes('posthorn_deliverer_attempts') === true, WAIT_MS)
    const { resourceMetrics } = JSON.parse(sent.at(-1)!.toString()) as {
      resourceMetrics: { resource: { attributes: unknown }; scopeMetrics: { metrics: { name: string }[] }[] }[]
    }
    expect(resourceMetrics[0]!.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'posthorn' },
    })
    const names = resourceMetrics[0]!.scopeMetrics.flatMap(scope => scope.metrics.map(({ name }) => name))
    expect(names).toContain('posthorn_deliverer_attempts')
    expect(names).toContain('posthorn_process_memory_bytes')
  })
})
