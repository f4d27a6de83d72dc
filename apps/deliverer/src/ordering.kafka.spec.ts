import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { TableFollower } from '@posthorn/kafka'
import { createLogger } from '@posthorn/telemetry'
import { until, type Receiver, type ReceiverHandler } from '@posthorn/testkit'
import { decodeParked, DELIVERIES, WEBHOOK_STATE, type ParkedDocument } from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY, type Webhook } from '@posthorn/webhook'
import { TestDeliverer } from './test-deliverer.js'

const WAIT_MS = 60_000
const PARTITIONS = 2
/** What a deliverer says to its operators. */
const alerts: Record<string, unknown>[] = []
const alerting = createLogger('error', 'deliverer', {
  write: line => {
    const said = JSON.parse(line) as Record<string, unknown>
    if (said.alert !== undefined) alerts.push(said)
  },
})
const deliverer = new TestDeliverer({
  partitions: PARTITIONS,
  logger: alerting,
  webhook: { retryPolicy: { ...DEFAULT_RETRY_POLICY, attempts: 100, intervalMs: 300, factor: 1, jitter: 0 } },
})
const { settings, connection } = deliverer
const state = new TableFollower<ParkedDocument>(connection, {
  topic: WEBHOOK_STATE,
  decode: decodeParked,
  fatal: error => {
    throw error
  },
})

async function restart(): Promise<void> {
  await deliverer.stop()
  await deliverer.start()
}

const receiver = (handler?: ReceiverHandler) => deliverer.receiver(handler)
/** All of them in partition 0. */
const register = (url: string, more?: Partial<Webhook>) => deliverer.register(url, more)
const publish = (webhook: Webhook) => deliverer.publish(webhook)

async function give(webhook: Webhook, name: string, order?: string): Promise<void> {
  const delivery = deliverer.deliveryTo(webhook, order === undefined ? {} : { order })
  await deliverer.give(delivery, Buffer.from(JSON.stringify(name)))
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
  await deliverer.prepare()
  await state.start()
  await deliverer.start()
}, 60_000)

afterEach(() => deliverer.closeReceivers())

afterAll(async () => {
  await Promise.all([deliverer.close(), state.stop()])
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
    const [{ due }] = parked(webhook) as [ParkedDocument]
    failing.clear()
    await giveAll(webhook, ['k4', 'k5'], 'k')
    await giveAll(webhook, ['l0', 'l1'], 'l')
    await until(() => firsts(target).includes('l1'), WAIT_MS)
    await until(allCommitted, WAIT_MS)
    expect(names(target).filter(name => name === 'k1')).toHaveLength(1)
    await restart()
    await give(webhook, 'k6', 'k')
    await until(() => firsts(target).includes('k6'), WAIT_MS)
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
    const second = await deliverer.another()
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
