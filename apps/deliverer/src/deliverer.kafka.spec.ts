// Longer than files are here: all of it needs one running deliverer and its topics, whose start takes seconds.
import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { freePorts } from '@posthorn/embedded/ports'
import { createLogger } from '@posthorn/telemetry'
import { until, type ReceiverHandler } from '@posthorn/testkit'
import {
  ATTEMPTS,
  DEAD_LETTERS,
  decodeAttempt,
  decodeDelivery,
  decodeGone,
  decodePoison,
  DELAYS,
  DELIVERIES,
  DUE,
  POISON,
  WEBHOOK_STATE,
  type Attempt,
  type GoneWebhook,
  type PoisonHead,
  type TopicContract,
} from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY, secretBytes, type Delivery, type Webhook } from '@posthorn/webhook'
import type { Consumer } from 'kafkajs'
import { TestDeliverer } from './test-deliverer.js'

const WAIT_MS = 60_000
const PARTITIONS = 2

const lines: string[] = []
const logger = createLogger('debug', 'deliverer.kafka.spec', { write: line => void lines.push(line) })
const env = { POSTHORN_DELIVERER_WEBHOOK_CONCURRENCY: '8' }
const deliverer = new TestDeliverer({ partitions: PARTITIONS, logger, env })
const { settings, connection, producer, secret: SECRET } = deliverer

interface Waiting {
  readonly topic: string
  readonly partition: number
  readonly delivery: Delivery
  readonly data: Buffer
}
const attempts: Attempt[] = []
const waiting: Waiting[] = []
const deadLetters: Delivery[] = []
const poison: PoisonHead[] = []
const gone: GoneWebhook[] = []
let reader: Consumer

function collect(topic: string, partition: number, value: Buffer): void {
  const name = topic.slice(settings.kafkaPrefix.length)
  if (name === ATTEMPTS.name) {
    const read = decodeAttempt(value)
    if (read.kind === 'attempt') attempts.push(read.attempt)
  } else if (name === POISON.name) {
    const read = decodePoison(value)
    if (read.kind === 'poison') poison.push(read.head)
  } else if (name === WEBHOOK_STATE.name) {
    const read = decodeGone(value)
    if (read.kind === 'document') gone.push(read.document)
  } else {
    const read = decodeDelivery(value)
    if (read.kind !== 'delivery') return
    if (name === DEAD_LETTERS.name) deadLetters.push(read.delivery)
    else waiting.push({ topic: name, partition, ...read })
  }
}

const receiver = (handler?: ReceiverHandler) => deliverer.receiver(handler)
const register = (...of: Parameters<TestDeliverer['register']>) => deliverer.register(...of)
const publish = (webhook: Webhook) => deliverer.publish(webhook)
const deliveryTo = (...of: Parameters<TestDeliverer['deliveryTo']>) => deliverer.deliveryTo(...of)
const give = (delivery: Delivery, topic: TopicContract = DELIVERIES) =>
  deliverer.give(delivery, Buffer.from('{"n": 1.0}'), topic)

const attemptsOf = (id: string) => attempts.filter(({ delivery }) => delivery === id)
const outcomesOf = (id: string) => attemptsOf(id).map(({ outcome }) => outcome)

/** Committed up to the end in the three topics: nothing would be read again. */
async function allCommitted(): Promise<boolean> {
  return connection.withAdmin(async admin => {
    for (const topic of [DELIVERIES, DUE]) {
      const name = connection.topic(topic)
      const ends = await admin.fetchTopicOffsets(name)
      const [committed] = await admin.fetchOffsets({ groupId: `${settings.kafkaPrefix}deliverer`, topics: [name] })
      for (const { partition, high } of ends) {
        const at = Number(committed!.partitions.find(found => found.partition === partition)?.offset ?? -1)
        if (Number(high) > 0 && at !== Number(high)) return false
      }
    }
    return true
  })
}

beforeAll(async () => {
  await deliverer.prepare()
  reader = connection.kafka.consumer({ groupId: `${settings.kafkaPrefix}test`, maxWaitTimeInMs: 50 })
  await reader.connect()
  const watched = [ATTEMPTS, DEAD_LETTERS, POISON, WEBHOOK_STATE, ...Object.values(DELAYS)].map(topic =>
    connection.topic(topic),
  )
  await reader.subscribe({ topics: watched, fromBeginning: true })
  await reader.run({
    eachMessage: async ({ topic, partition, message }) => collect(topic, partition, Buffer.from(message.value!)),
  })
  await deliverer.start()
}, 60_000)

afterEach(() => deliverer.closeReceivers())

afterAll(async () => {
  await deliverer.stop()
  await reader?.disconnect()
  await deliverer.close()
}, 60_000)

describe('S4 the delivery path', () => {
  it('S6 500 twice, then 200: signed each time, due in the right tier, delivered by the third attempt', async () => {
    const target = await receiver((_request, index) => ({ status: index < 2 ? 500 : 200, body: 'sorry' }))
    const webhook = await register(`${target.url}/hook?token=x`, {}, 1)
    let delivery = deliveryTo(webhook)
    await give(delivery)
    for (const [attempt, tier, delayMs] of [
      [1, '0s', 5_000],
      [2, '30s', 50_000],
    ] as const) {
      const found = () => waiting.filter(({ delivery: { id } }) => id === delivery.id)
      await until(() => outcomesOf(delivery.id).length === attempt && found().length >= attempt, WAIT_MS)
      expect(found()).toHaveLength(attempt)
      const next = found().at(-1)!
      const record = attemptsOf(delivery.id).at(-1)!
      expect(next.partition).toBe(1)
      expect(next.data.toString()).toBe('{"n": 1.0}')
      expect(next.delivery).toEqual({ ...delivery, attempt: attempt + 1, due: Date.parse(record.next_attempt_at!) })
      const after = next.delivery.due - Date.parse(record.finished_at)
      expect(after).toBeGreaterThanOrEqual(delayMs * 0.8)
      expect(after).toBeLessThanOrEqual(delayMs * 1.2 + 1)
      expect([`delay.${tier}.v1`, 'delay.5s.v1']).toContain(next.topic)
      expect(record).toMatchObject({
        outcome: 'retry',
        next: 'tier',
        status_code: 500,
        error_class: 'server.processing',
        response_body: 'sorry',
        url: `${target.url}/hook`,
        webhook_version: 1,
        tenant: 'acme',
      })
      // The retry-scheduler's part, without its waiting.
      delivery = { ...next.delivery, due: 0 }
      await give(delivery, DUE)
    }
    await until(() => outcomesOf(delivery.id).length === 3, WAIT_MS)
    expect(outcomesOf(delivery.id)).toEqual(['retry', 'retry', 'delivered'])
    for (const { headers, body } of target.requests) {
      const mac = createHmac('sha256', secretBytes(SECRET)!)
        .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`)
        .update(body)
      expect(headers['webhook-signature']).toBe(`v1,${mac.digest('base64')}`)
      expect(headers['webhook-id']).toBe(delivery.id)
      expect(headers['user-agent']).toMatch(/^Posthorn\/\d/)
      expect(body.toString()).toBe('{"type":"agent.created","timestamp":"2026-01-31T12:00:00Z","data":{"n": 1.0}}')
    }
  }, 60_000)

  it('S10 a webhook that hangs does not hold up another one of its partition', async () => {
    const hanging = await receiver(() => new Promise(() => undefined))
    const healthy = await receiver()
    const retryPolicy = { ...DEFAULT_RETRY_POLICY, timeoutMs: 8_000 }
    const stuck = await register(hanging.url, { retryPolicy })
    const fine = await register(healthy.url)
    for (let n = 0; n < 60; n++) void give(deliveryTo(stuck))
    const lates = Array.from({ length: 30 }, () => deliveryTo(fine))
    await Promise.all(lates.map(delivery => give(delivery)))
    await healthy.waitFor(30, WAIT_MS)
    // What the hanging one does not come to in time goes to a delay topic, counted as a spill.
    await until(() => waiting.some(({ delivery }) => delivery.webhook === stuck.id && delivery.spills === 1), WAIT_MS)
    await until(() => attempts.filter(one => one.webhook === stuck.id).length >= 8, WAIT_MS)
    const [first] = attempts.filter(one => one.webhook === stuck.id)
    expect(first).toMatchObject({ outcome: 'retry', error_class: 'network.timeout' })
    // Held up, the last of them would have come after that.
    expect(healthy.requests.at(-1)!.receivedAt).toBeLessThan(Date.parse(first!.finished_at))
    await until(() => allCommitted(), WAIT_MS)
    const ofStuck = waiting.filter(({ delivery }) => delivery.webhook === stuck.id)
    expect(new Set(ofStuck.map(({ delivery }) => delivery.id)).size).toBe(60)
  }, 60_000)

  it('S3 a rate limit is kept, its excess gets the slots of the rate, and its partition goes on', async () => {
    const slow = await receiver()
    const quick = await receiver()
    const limited = await register(slow.url, { rateLimit: { requests: 10, per: 'second' } })
    const fine = await register(quick.url)
    const began = Date.now()
    await Promise.all(Array.from({ length: 100 }, () => give(deliveryTo(limited))))
    await Promise.all(Array.from({ length: 30 }, () => give(deliveryTo(fine))))
    await quick.waitFor(30, WAIT_MS)
    // By then the deliverer has them all: so many the rate lets through meanwhile.
    const meanwhile = (Date.now() - began) / 100
    const moved = () => waiting.filter(({ delivery }) => delivery.webhook === limited.id)
    // What is neither sent nor kept for the next two seconds is moved by then, without an attempt.
    await until(() => moved().length + slow.requests.length === 100, WAIT_MS)
    await until(() => allCommitted(), WAIT_MS)
    expect(slow.requests.length).toBeLessThan(40 + meanwhile)
    expect(quick.requests.at(-1)!.receivedAt).toBeLessThan(slow.requests.at(-1)!.receivedAt)
    expect(moved().every(({ delivery }) => delivery.attempt === 1 && delivery.spills === 1)).toBe(true)
    const dues = moved()
      .map(({ delivery }) => delivery.due)
      .toSorted((a, b) => a - b)
    expect(dues.at(-1)! - dues[0]!).toBeGreaterThanOrEqual((dues.length - 1) * 99)
    expect(new Set(dues).size).toBe(dues.length)
    // By our own time: a receiver may see the first late, for its connection.
    const at = attempts.filter(({ webhook }) => webhook === limited.id).map(attempt => Date.parse(attempt.started_at))
    expect(at.length).toBeGreaterThan(3)
    expect(Math.max(...at) - Math.min(...at)).toBeGreaterThan((at.length - 3) * 100)
    expect(outcomesOf(moved()[0]!.delivery.id)).toEqual([])
  }, 60_000)

  it('S6 each attempt is one line with every decision, and nothing of the URL, the data or the answer', async () => {
    const target = await receiver((_request, index) => ({ status: index === 0 ? 503 : 200, body: 'answer-81fe' }))
    const url = `${target.url.replace('//', '//user-5e1c:password-c2d4@')}/path-7f1c?query-9a0d`
    const webhook = await register(url, { rateLimit: { requests: 40, per: 'minute' } })
    const [delivery, other] = [deliveryTo(webhook), deliveryTo(webhook)]
    await Promise.all([give(delivery), give(other)])
    await until(() => outcomesOf(other.id).length === 1, WAIT_MS)
    await give({ ...delivery, attempt: 2, spills: 1 }, DUE)
    await until(() => outcomesOf(delivery.id).length === 2, WAIT_MS)
    const written = lines.filter(line => line.includes(webhook.id) && line.includes('"msg":"attempt'))
    const [failed, held, delivered] = written.map(line => JSON.parse(line) as Record<string, unknown>)
    expect(failed).toMatchObject({
      level: 30,
      msg: 'attempt retry',
      tenant: 'acme',
      webhook: webhook.id,
      webhook_version: 1,
      delivery: delivery.id,
      run: '0',
      attempt: 1,
      event_id: delivery.event.id,
      event_source: '/tests',
      event_type: 'agent.created',
      event_bytes: 10,
      outcome: 'retry',
      status_code: 503,
      error_class: 'server.resource',
      advice: expect.stringMatching(/\.$/),
      remote_address: '127.0.0.1',
      phases: expect.objectContaining({ wait_ms: expect.any(Number) }),
      duration_ms: expect.any(Number),
      late_ms: expect.any(Number),
      lane: 'fresh',
      partition: 0,
      offset: expect.any(Number),
      spills: 0,
      queued_ms: expect.any(Number),
      requests: 1,
      requests_at_most: 8,
      circuit: 'closed',
      next_attempt_at: expect.stringMatching(/Z$/),
      next: 'tier',
      tier: expect.stringMatching(/^[05]s$/),
    })
    expect(delivered).toMatchObject({ level: 20, attempt: 2, outcome: 'delivered', dead_letter: false })
    expect(delivered).toMatchObject({ lane: 'due', spills: 1 })
    expect(held).toMatchObject({ delivery: other.id, requests_at_most: 4, held_by: 'rate_limit' })
    expect(Number(held!.held_ms)).toBeGreaterThan(0)
    expect(written.join()).not.toMatch(/user-|password-|path-|query-|answer-|whsec_|"n": 1.0/)
  }, 60_000)

  it('S7 an attempt says how its request went over the network, and goes nowhere but to allowed_cidrs', async () => {
    const target = await receiver()
    const inside = await register(target.url, { allowedCidrs: ['127.0.0.0/8'] })
    const outside = await register(target.url, { allowedCidrs: ['10.0.0.0/8'] })
    const [sent, refused] = [deliveryTo(inside), deliveryTo(outside)]
    await Promise.all([give(sent), give(refused)])
    await until(() => [sent, refused].every(({ id }) => outcomesOf(id).length > 0), WAIT_MS)
    expect(attemptsOf(sent.id)[0]).toMatchObject({
      outcome: 'delivered',
      remote_address: '127.0.0.1',
      phases: { connect_ms: expect.any(Number), wait_ms: expect.any(Number), read_ms: expect.any(Number) },
    })
    expect(attemptsOf(refused.id)[0]).toMatchObject({
      outcome: 'retry',
      error_class: 'network.connection',
      error: expect.stringMatching(/^address_unlisted: /),
      advice: expect.stringContaining('allowed_cidrs'),
    })
    expect(target.requests).toHaveLength(1)
  }, 60_000)

  it('S3 no more requests at once than max_concurrency', async () => {
    let [now, most] = [0, 0]
    const target = await receiver(async () => {
      most = Math.max(most, ++now)
      await new Promise(resolve => setTimeout(resolve, 20))
      now--
      return { status: 200 }
    })
    const webhook = await register(target.url, { maxConcurrency: 3 })
    await Promise.all(Array.from({ length: 30 }, () => give(deliveryTo(webhook))))
    await target.waitFor(30, WAIT_MS)
    expect(most).toBe(3)
  }, 60_000)

  it.each([
    ['429 and seconds', () => ({ status: 429, headers: { 'retry-after': '1' } })],
    ['503 and a date', () => ({ status: 503, headers: { 'retry-after': new Date(Date.now() + 1_999).toUTCString() } })],
  ])(
    'S10 %s hold up every delivery of the webhook until then',
    async (_how, refuse) => {
      const target = await receiver((_request, index) => (index === 0 ? refuse() : { status: 200 }))
      const webhook = await register(target.url)
      await give(deliveryTo(webhook))
      await target.waitFor(1, WAIT_MS)
      await until(() => attempts.some(one => one.webhook === webhook.id), WAIT_MS)
      const retry = attempts.find(one => one.webhook === webhook.id)!.next_attempt_at!
      await Promise.all(Array.from({ length: 5 }, () => give(deliveryTo(webhook))))
      const others = await target.waitFor(2, WAIT_MS)
      expect(others[1]!.receivedAt).toBeGreaterThanOrEqual(Date.parse(retry))
      await until(() => allCommitted(), WAIT_MS)
    },
    60_000,
  )

  it('S10 a webhook that only fails is no longer tried but for probes, and is served again once it answers', async () => {
    let status = 500
    const target = await receiver(() => ({ status }))
    const webhook = await register(target.url)
    const given: Delivery[] = []
    const moved = () => waiting.filter(({ delivery }) => delivery.webhook === webhook.id && delivery.spills > 0)
    while (moved().length === 0) {
      given.push(deliveryTo(webhook))
      await give(given.at(-1)!)
      await new Promise(resolve => setTimeout(resolve, 100))
      expect(given.length).toBeLessThan(150)
    }
    const tried = target.requests.length
    const openedAt = Date.now()
    expect(tried).toBeGreaterThanOrEqual(20)
    for (let n = 0; n < 20; n++) await give(deliveryTo(webhook))
    await until(() => moved().length >= 20, WAIT_MS)
    // The first probe after 5 s, and each later one after twice as long.
    expect(target.requests.length).toBeLessThanOrEqual(tried + 1 + Math.floor((Date.now() - openedAt) / 10_000))
    expect(moved().every(({ delivery }) => delivery.attempt === 1 && outcomesOf(delivery.id).length === 0)).toBe(true)
    await until(() => allCommitted(), WAIT_MS)
    status = 200
    await until(async () => {
      await give(deliveryTo(webhook))
      return target.requests.length > tried + 20
    }, WAIT_MS)
  }, 60_000)

  it('S10 a record that is no delivery goes to poison, and its partition goes on', async () => {
    const target = await receiver()
    const webhook = await register(target.url)
    const bad = await producer.send(
      DELIVERIES,
      { key: Buffer.from(webhook.id), value: Buffer.from('\u0001rubbish') },
      { partition: 0 },
    )
    await give(deliveryTo(webhook))
    await target.waitFor(1, WAIT_MS)
    await until(() => poison.length > 0, WAIT_MS)
    expect(poison).toEqual([
      expect.objectContaining({ topic: 'deliveries.v1', partition: 0, offset: bad.offset, reason: 'undecodable' }),
    ])
    await until(() => allCommitted(), WAIT_MS)
  }, 60_000)

  it('deliveries of a deleted webhook are discarded with the reason', async () => {
    const target = await receiver()
    const webhook = await register(target.url)
    await publish({ ...webhook, version: 2, status: 'deleted' })
    const delivery = deliveryTo({ ...webhook, version: 2 })
    await give(delivery)
    await until(() => outcomesOf(delivery.id).length > 0, WAIT_MS)
    expect(attemptsOf(delivery.id)).toEqual([
      expect.objectContaining({ outcome: 'discarded', discard_reason: 'webhook_deleted', webhook_version: 2 }),
    ])
    expect(target.requests).toEqual([])
  }, 60_000)

  it('a delivery that is ahead of its webhook waits for it', async () => {
    const target = await receiver()
    const webhook = await register('http://127.0.0.1:1/')
    const delivery = deliveryTo({ ...webhook, version: 2 })
    await give(delivery)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(attemptsOf(delivery.id)).toEqual([])
    await publish({ ...webhook, version: 2, url: target.url })
    await target.waitFor(1, WAIT_MS)
    await until(() => outcomesOf(delivery.id).length > 0, WAIT_MS)
    expect(attemptsOf(delivery.id)).toMatchObject([{ outcome: 'delivered', webhook_version: 2 }])
  }, 60_000)

  it('410 ends in a dead letter, the registry is told, and nothing else is sent meanwhile', async () => {
    const target = await receiver(() => ({ status: 410 }))
    const webhook = await register(target.url)
    const delivery = deliveryTo(webhook)
    await give(delivery)
    await until(() => deadLetters.some(({ id }) => id === delivery.id), WAIT_MS)
    await until(() => outcomesOf(delivery.id).length > 0, WAIT_MS)
    expect(outcomesOf(delivery.id)).toEqual(['gone'])
    await until(() => gone.length > 0, WAIT_MS)
    expect(gone).toMatchObject([{ webhook: webhook.id, tenant: 'acme', version: 1, delivery: delivery.id }])
    const later = deliveryTo(webhook)
    await give(later)
    await until(() => waiting.some(({ delivery: { id } }) => id === later.id), WAIT_MS)
    expect(target.requests).toHaveLength(1)
  }, 60_000)

  it('S9 a restart sends nothing twice, nor does an event that is published twice around it', async () => {
    const target = await receiver()
    const webhook = await register(target.url)
    const all = Array.from({ length: 200 }, () => deliveryTo(webhook))
    await Promise.all(all.map(delivery => give(delivery)))
    await target.waitFor(20, WAIT_MS)
    await deliverer.stop()
    await deliverer.start()
    await until(() => new Set(target.requests.map(({ headers }) => headers['webhook-id'])).size === 200, WAIT_MS)
    // The same deliveries again, as a second copy of each event would make them.
    await Promise.all(all.slice(0, 50).map(delivery => give(delivery)))
    await until(() => allCommitted(), WAIT_MS)
    expect(target.requests).toHaveLength(200)
  }, 60_000)
})

describe('S7 an egress proxy', () => {
  /** Connects to what it is asked for, which `asked` has. */
  async function startProxy(port: number, asked: string[]): Promise<Server> {
    const server = createServer()
    server.on('connect', ({ url = '' }, socket) => {
      asked.push(url)
      const onward = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      for (const end of [socket, onward]) end.on('error', () => undefined).on('close', () => socket.destroy())
    })
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    return server
  }

  it('that is away costs the customer no attempt: its deliveries wait, and go out once it is back', async () => {
    await deliverer.stop()
    const [port] = (await freePorts(1)) as [number]
    await deliverer.start({ egressProxyUrl: `http://127.0.0.1:${port}` })
    const target = await receiver()
    const delivery = deliveryTo(await register(target.url, { retryPolicy: { ...DEFAULT_RETRY_POLICY, attempts: 1 } }))
    await give(delivery)
    const found = () => waiting.find(({ delivery: { id } }) => id === delivery.id)
    await until(() => found() !== undefined, WAIT_MS)
    expect(found()!.delivery).toMatchObject({ attempt: 1, spills: 1 })
    expect(lines.find(line => line.includes('egress_proxy'))).toContain('POSTHORN_EGRESS_PROXY_URL')
    const asked: string[] = []
    const server = await startProxy(port, asked)
    // The retry-scheduler's part, without its waiting.
    await give({ ...found()!.delivery, due: 0 }, DUE)
    await until(() => outcomesOf(delivery.id).length > 0, WAIT_MS)
    expect(attemptsOf(delivery.id)).toMatchObject([{ outcome: 'delivered', attempt: 1, remote_address: '127.0.0.1' }])
    expect(asked).toEqual([new URL(target.url).host])
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }, 60_000)
})
