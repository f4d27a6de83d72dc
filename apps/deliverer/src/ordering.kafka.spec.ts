import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  createTopics,
  KafkaConnection,
  kafkaOptionsFrom,
  planTopics,
  SafeProducer,
  TableFollower,
} from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type ServiceContext } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import { createLogger } from '@posthorn/telemetry'
import { startReceiver, testBrokers, until, type Receiver, type ReceiverHandler } from '@posthorn/testkit'
import {
  decodeParked,
  DELIVERIES,
  encodeDelivery,
  encodeWebhook,
  partitionFor,
  WEBHOOK_STATE,
  WEBHOOKS,
  type ParkedDocument,
} from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY, secretFrom, type Delivery, type Webhook } from '@posthorn/webhook'
import { delivererService } from './service.js'

const WAIT_MS = 30_000
const PARTITIONS = 2
const SECRET = secretFrom(randomBytes(32))

const settings = readSettings({
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: String(PARTITIONS),
  POSTHORN_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
  POSTHORN_LOG_LEVEL: 'silent',
})
const logger = createLogger(settings.logLevel, 'ordering.kafka.spec')
/** What a deliverer says to its operators. */
const alerts: Record<string, unknown>[] = []
const alerting = createLogger('error', 'deliverer', {
  write: line => {
    const said = JSON.parse(line) as Record<string, unknown>
    if (said.alert !== undefined) alerts.push(said)
  },
})
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'ordering-test'))
const sealer = new Sealer(settings.sealingKeys)
const producer = new SafeProducer(connection)
const state = new TableFollower<ParkedDocument>(connection, {
  topic: WEBHOOK_STATE,
  decode: decodeParked,
  fatal: error => {
    throw error
  },
})
const receivers: Receiver[] = []
let deliverer: RunningService | undefined
let counter = 0

function start(): Promise<RunningService> {
  const context: ServiceContext = {
    settings,
    logger: alerting,
    health: new Health({ scrape: () => undefined, shutdown: async () => undefined }),
    fatal: error => {
      throw error
    },
  }
  return delivererService.start(context)
}

async function restart(): Promise<void> {
  await deliverer!.stop()
  deliverer = await start()
}

async function receiver(handler?: ReceiverHandler): Promise<Receiver> {
  const started = await startReceiver(handler)
  receivers.push(started)
  return started
}

/** All of them in partition 0. */
async function register(url: string, more: Partial<Webhook> = {}): Promise<Webhook> {
  let id: string
  do id = `webhook_${++counter}`
  while (partitionFor(id, PARTITIONS) !== 0)
  const webhook: Webhook = {
    id,
    tenant: 'acme',
    version: 1,
    status: 'active',
    url,
    method: 'POST',
    events: ['*'],
    format: 'standard',
    sealedSecrets: [sealer.seal(SECRET, id)],
    retryPolicy: { ...DEFAULT_RETRY_POLICY, attempts: 100, intervalMs: 300, factor: 1, jitter: 0 },
    ...more,
  }
  await publish(webhook)
  return webhook
}

async function publish(webhook: Webhook): Promise<Webhook> {
  await producer.send(WEBHOOKS, encodeWebhook(webhook))
  return webhook
}

async function give(webhook: Webhook, name: string, order?: string): Promise<void> {
  const delivery: Delivery = {
    id: `delivery_${++counter}`,
    webhook: webhook.id,
    webhookVersion: webhook.version,
    tenant: 'acme',
    run: '0',
    attempt: 1,
    due: 0,
    acceptedAt: Date.now(),
    origin: { partition: 0, offset: counter },
    spills: 0,
    ...(order === undefined ? {} : { order }),
    event: {
      tenant: 'acme',
      id: `event_${counter}`,
      source: '/tests',
      type: 'agent.created',
      time: '2026-01-31T12:00:00Z',
      contenttype: 'application/json',
    },
  }
  await producer.send(DELIVERIES, encodeDelivery(delivery, Buffer.from(JSON.stringify(name))))
}

async function giveAll(webhook: Webhook, names: readonly string[], order?: string): Promise<void> {
  await Promise.all(names.map(name => give(webhook, name, order)))
}

const nameIn = ({ body }: { body: Buffer }) => (JSON.parse(body.toString()) as { data: string }).data
const names = (target: Receiver) => target.requests.map(nameIn)
/** Of each, when it first arrived. */
const firsts = (target: Receiver) => [...new Set(names(target))]
const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`)
const parked = ({ id }: Webhook) => [...state.values()].filter(({ webhook }) => webhook === id)

/** Removes all but the last records of partition 0, as retention does; resolves with where the log begins then. */
async function lose(keep: number): Promise<number> {
  return connection.withAdmin(async admin => {
    const topic = connection.topic(DELIVERIES)
    const end = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0)!
    const start = Number(end.high) - keep
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(start) }] })
    return start
  })
}

/** Committed up to the end: nothing would be read again by the live loop. */
async function allCommitted(): Promise<boolean> {
  return connection.withAdmin(async admin => {
    const name = connection.topic(DELIVERIES)
    const [end] = (await admin.fetchTopicOffsets(name)).filter(({ partition }) => partition === 0)
    const [committed] = await admin.fetchOffsets({ groupId: `${settings.kafkaPrefix}deliverer`, topics: [name] })
    return committed!.partitions.find(({ partition }) => partition === 0)?.offset === end!.high
  })
}

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  await Promise.all([producer.connect(), state.start()])
  deliverer = await start()
}, 60_000)

afterEach(async () => {
  await Promise.all(receivers.splice(0).map(one => one.close()))
})

afterAll(async () => {
  await deliverer?.stop()
  await Promise.all([producer.close(), state.stop()])
}, 60_000)

describe('a paused webhook', () => {
  it('gets nothing, holds no offset, and gets all of it once after it was resumed, over a new owner', async () => {
    const target = await receiver()
    const other = await receiver()
    const webhook = await register(target.url)
    const neighbour = await register(other.url)
    await giveAll(webhook, numbered('before', 20))
    await target.waitFor(20, WAIT_MS)
    const paused = await publish({ ...webhook, version: 2, status: 'paused' })
    await giveAll(paused, numbered('a', 300))
    await give(neighbour, 'n')
    await other.waitFor(1, WAIT_MS)
    await until(() => parked(webhook).length === 1, WAIT_MS)
    await until(allCommitted, WAIT_MS)
    await restart()
    await giveAll(paused, numbered('b', 300))
    await until(allCommitted, WAIT_MS)
    expect(target.requests).toHaveLength(20)
    const resumed = await publish({ ...webhook, version: 3 })
    await giveAll(resumed, numbered('c', 50))
    await target.waitFor(670, WAIT_MS)
    await until(() => parked(webhook).length === 0, WAIT_MS)
    await giveAll(resumed, numbered('d', 10))
    await target.waitFor(680, WAIT_MS)
    await until(allCommitted, WAIT_MS)
    expect(new Set(names(target)).size).toBe(680)
    expect(target.requests).toHaveLength(680)
  }, 120_000)

  it('goes on behind what the log has lost of it, and operators hear of that', async () => {
    const target = await receiver()
    const webhook = await register(target.url, { status: 'paused' })
    await giveAll(webhook, numbered('lost', 10))
    await until(() => parked(webhook).length === 1, WAIT_MS)
    await giveAll(webhook, numbered('kept', 5))
    await until(allCommitted, WAIT_MS)
    const start = await lose(5)
    const resumed = await publish({ ...webhook, version: 2, status: 'active' })
    await target.waitFor(5, WAIT_MS)
    await until(() => parked(webhook).length === 0, WAIT_MS)
    await give(resumed, 'live')
    await target.waitFor(6, WAIT_MS)
    expect(names(target).toSorted()).toEqual([...numbered('kept', 5), 'live'])
    expect(alerts).toMatchObject([{ alert: 'parked_lost', partition: 0, start }])
  }, 90_000)
})

describe('order by key', () => {
  it('retries in place: the key waits for its first record, the others do not', async () => {
    const failing = new Set(['k0'])
    const target = await receiver(request => ({ status: failing.has(nameIn(request)) ? 500 : 200 }))
    const webhook = await register(target.url)
    await giveAll(webhook, numbered('k', 5), 'k')
    await giveAll(webhook, numbered('l', 5), 'l')
    await until(() => firsts(target).length === 6, WAIT_MS)
    expect(parked(webhook)).toEqual([])
    failing.clear()
    await until(() => firsts(target).length === 10, WAIT_MS)
    expect(firsts(target).filter(name => name.startsWith('k'))).toEqual(numbered('k', 5))
    expect(firsts(target).filter(name => name.startsWith('l'))).toEqual(numbered('l', 5))
  }, 60_000)

  it('parks a key that fails for longer: it holds no offset, and goes on in order with a new owner', async () => {
    const failing = new Set(['k1'])
    const target = await receiver(request => ({ status: failing.has(nameIn(request)) ? 500 : 200 }))
    const retryPolicy = { ...DEFAULT_RETRY_POLICY, attempts: 5, intervalMs: 31_000, factor: 1, jitter: 0 }
    const webhook = await register(target.url, { retryPolicy })
    await giveAll(webhook, numbered('k', 4), 'k')
    await until(() => parked(webhook).length === 1, WAIT_MS)
    expect(parked(webhook)[0]).toMatchObject({
      key: 'k',
      left: [],
      tried: [[expect.any(Number), 2, expect.any(Number)]],
    })
    await giveAll(webhook, ['k4', 'k5'], 'k')
    await giveAll(webhook, ['l0', 'l1'], 'l')
    await until(() => firsts(target).includes('l1'), WAIT_MS)
    await until(allCommitted, WAIT_MS)
    failing.clear()
    await restart()
    await give(webhook, 'k6', 'k')
    const [{ due }] = parked(webhook) as [ParkedDocument]
    await until(() => firsts(target).includes('k6'), 60_000)
    expect(firsts(target).filter(name => name.startsWith('k'))).toEqual(numbered('k', 7))
    expect(target.requests.findLast(request => nameIn(request) === 'k1')!.receivedAt).toBeGreaterThanOrEqual(due - 1)
    await until(() => parked(webhook).length === 0, WAIT_MS)
    await until(allCommitted, WAIT_MS)
    expect(names(target).filter(name => name === 'k1')).toHaveLength(2)
  }, 120_000)

  it('goes on in order with what was to be retried when its partition is lost and comes back', async () => {
    const failing = new Set(['k0', 'l0'])
    const target = await receiver(request => ({ status: failing.has(nameIn(request)) ? 500 : 200 }))
    const webhook = await register(target.url)
    await giveAll(webhook, numbered('k', 5), 'k')
    await giveAll(webhook, numbered('l', 5), 'l')
    await until(() => target.requests.length > 4, WAIT_MS)
    const second = await start()
    await sleep(1_000)
    await second.stop()
    failing.clear()
    await until(() => firsts(target).length === 10, WAIT_MS)
    for (const key of ['k', 'l']) expect(firsts(target).filter(name => name.startsWith(key))).toEqual(numbered(key, 5))
    await until(allCommitted, WAIT_MS)
  }, 90_000)

  it('goes on with the next record after the last attempt', async () => {
    const target = await receiver(request => ({ status: nameIn(request) === 'k1' ? 500 : 200 }))
    const webhook = await register(target.url, {
      retryPolicy: { ...DEFAULT_RETRY_POLICY, attempts: 2, intervalMs: 200, jitter: 0 },
    })
    await giveAll(webhook, numbered('k', 4), '')
    await until(() => firsts(target).includes('k3'), WAIT_MS)
    expect(names(target)).toEqual(['k0', 'k1', 'k1', 'k2', 'k3'])
  }, 60_000)
})
