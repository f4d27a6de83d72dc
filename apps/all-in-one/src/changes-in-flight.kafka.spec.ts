// Longer than files are here: one row of the page for each change, all on one running platform, whose start takes seconds.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import {
  createTestDatabase,
  startReceiver,
  testBrokers,
  until,
  type ReceivedRequest,
  type Receiver,
  type ReceiverAnswer,
  type TestDatabase,
} from '@posthorn/testkit'
import { verify } from '@posthorn/verify'
import { TARGETS } from './targets.js'

const KEY = 'a-platform-key-for-this-test'
const WAIT_MS = 150_000
/** Longer than the tier that it waits in. */
const RETRY_MS = 5_200
const RETRIED = { attempts: 100, interval_ms: RETRY_MS, factor: 1, jitter: 0, timeout_ms: 60_000 }
/** Within this a wrong request would have come. */
const NOTHING_COMES_MS = 2_000
const DATA = { total: 7 }
const ORIGIN = 'hooks.example.com'

type Json = Record<string, unknown> & { readonly id: string; readonly data: readonly Json[] }
type Answer = (nth: number) => ReceiverAnswer | Promise<ReceiverAnswer>

let database: TestDatabase
let receiver: Receiver
const services: RunningService[] = []
const answers = new Map<string, Answer>()
/** `asking` is a second registry, which asks receivers before anything is sent to another URL. */
let urls: { api: string; publish: string; asking: string }

async function startAll(): Promise<void> {
  const logger = createLogger('silent', 'test')
  receiver = await startReceiver(({ path }) => (answers.get(path) ?? fine)(at(path).length))
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
    POSTHORN_AUTH_PLATFORM_KEY: KEY,
    POSTHORN_SEALING_KEYS: `test:${randomBytes(32).toString('base64')}`,
  })
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'changes-test'))
  await createTopics(connection, await planTopics(connection))
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  const context = { settings, logger, health, fatal }
  services.push(...(await Promise.all(TARGETS.map(async ({ load }) => (await load()).start(context)))))
  const [ingest, registry] = services
  const { load } = TARGETS.find(({ target }) => target === 'registry')!
  const asking = await (await load()).start({ ...context, settings: { ...settings, webhookOwnershipOrigin: ORIGIN } })
  services.push(asking)
  const [publish, api, second] = [ingest, registry, asking].map(service => `http://${service!.addresses.http}`)
  urls = { api: api!, publish: publish!, asking: second! }
}

async function call(method: string, path: string, body?: object, api = urls.api): Promise<Json> {
  const response = await fetch((path === '/v1/publish' ? urls.publish : api) + path, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  return (text === '' ? {} : JSON.parse(text)) as Json
}

const fine: Answer = () => ({ status: 200 })
const failing: Answer = () => ({ status: 500 })
const at = (path: string) => receiver.requests.filter(request => request.path === path)

/** A webhook of its own, with all that a row of the table needs. */
class Row {
  private published = 0

  private constructor(
    readonly name: string,
    readonly webhook: Json,
  ) {}

  static async start(name: string, answer: Answer, more: object = {}): Promise<Row> {
    const row = await Row.create(name, answer, more)
    await inEffect()
    return row
  }

  static async create(name: string, answer: Answer, more: object = {}): Promise<Row> {
    answers.set(`/${name}`, answer)
    const body = { url: `${receiver.url}/${name}`, events: [`change.${name}`], retry_policy: RETRIED, ...more }
    return new Row(name, await call('POST', '/v1/webhooks', body))
  }

  /** With deliveries that fail until letGo(), and wait in a delay topic between two attempts. */
  static async inTier(name: string, count = 1, more: object = {}): Promise<Row> {
    const row = await Row.start(name, failing, more)
    await row.publish(count)
    await row.until('retry', count)
    return row
  }

  get path(): string {
    return `/v1/webhooks/${this.webhook.id}`
  }

  get requests(): readonly ReceivedRequest[] {
    return at(`/${this.name}`)
  }

  publish(count: number): Promise<Json> {
    const event = { type: `change.${this.name}`, source: '/changes', data: DATA }
    const events = Array.from({ length: count }, () => ({ id: `${this.name}-${this.published++}`, ...event }))
    return call('POST', '/v1/publish', events)
  }

  async patch(body: object): Promise<void> {
    await call('PATCH', this.path, body)
    await inEffect()
  }

  async act(action: 'pause' | 'resume' | 'disable' | 'enable'): Promise<void> {
    await call('POST', `${this.path}/${action}`)
    await inEffect()
  }

  async delete(): Promise<void> {
    await call('DELETE', this.path)
    await inEffect()
  }

  letGo(): void {
    answers.set(`/${this.name}`, fine)
  }

  /** Resolves with the deliveries when `count` stand at a status. */
  async until(status: string, count = 1): Promise<readonly Json[]> {
    let all: readonly Json[] = []
    await until(
      async () => {
        all = (await call('GET', `/v1/deliveries?webhook=${this.webhook.id}`)).data
        return all.filter(each => each.status === status).length === count
      },
      WAIT_MS,
      () => `${this.name} has ${JSON.stringify(all.map(each => each.status))}, and not ${count} ${status}`,
    )
    return all.filter(each => each.status === status)
  }

  /** How it ended, without a request for the last of its attempts. */
  async endedUnsent(status: 'discarded' | 'expired'): Promise<Json> {
    const [delivery] = await this.until(status)
    const { data } = await call('GET', `/v1/attempts?webhook=${this.webhook.id}&outcome=${status}`)
    expect(this.requests).toHaveLength((delivery!.attempts_made as number) - 1)
    return data[0]!
  }
}

let witnesses = 0

/**
 * Resolves when router and deliverer know what was changed: they brought an event to a webhook whose
 * document stands behind that on the same partition.
 */
async function inEffect(): Promise<void> {
  const name = `witness-${witnesses++}`
  const witness = await Row.create(name, fine)
  while (witness.requests.length === 0) {
    await witness.publish(1)
    await sleep(200)
  }
}

/** A receiver that holds its first request until it is let go. */
function holding(then: number): { readonly answer: Answer; release(): void; readonly held: () => boolean } {
  let release: () => void = () => undefined
  let held = false
  const released = new Promise<void>(resolve => (release = resolve))
  const answer: Answer = async nth => {
    if (nth > 1) return { status: 200 }
    held = true
    await released
    return { status: then }
  }
  return { answer, release: () => release(), held: () => held }
}

/** With one request that hangs and three deliveries behind it in the memory of the deliverer. */
async function inMemory(name: string, then = 200) {
  const gate = holding(then)
  const row = await Row.start(name, gate.answer, { max_concurrency: 1 })
  await row.publish(4)
  await until(gate.held, WAIT_MS)
  return { row, release: gate.release }
}

/** Paused before three events came. */
async function parked(name: string): Promise<Row> {
  const row = await Row.start(name, fine)
  await row.act('pause')
  await row.publish(3)
  await row.until('pending', 3)
  return row
}

/** The rows of docs/changes-in-flight.md, by what is changed and where the deliveries are meanwhile. */
const ROWS: Readonly<Record<string, () => Promise<void>>> = {
  async 'pause, in a delay topic: nothing is sent, and soon after the end of the pause it goes on'() {
    const row = await Row.inTier('pause-tier')
    await row.act('pause')
    row.letGo()
    await sleep(RETRY_MS + NOTHING_COMES_MS)
    await row.until('retry')
    await row.act('resume')
    await row.until('delivered')
  },
  async 'disable, in a delay topic: discarded when it is due'() {
    const row = await Row.inTier('disable-tier')
    await row.act('disable')
    expect(await row.endedUnsent('discarded')).toMatchObject({ discard_reason: 'webhook_disabled' })
  },
  async 'disable and enable, in a delay topic: as if nothing had been'() {
    for (let waitMs = RETRY_MS; ; waitMs *= 2) {
      const row = await Row.inTier(`enable-tier-${waitMs}`, 1, { retry_policy: { ...RETRIED, interval_ms: waitMs } })
      const [waiting] = await row.until('retry')
      await row.act('disable')
      await row.act('enable')
      // Else it was due meanwhile.
      if (Date.now() > Date.parse(waiting!.next_attempt_at as string)) continue
      row.letGo()
      return void (await row.until('delivered'))
    }
  },
  async 'delete, in a delay topic: discarded when it is due'() {
    const row = await Row.inTier('delete-tier')
    await row.delete()
    expect(await row.endedUnsent('discarded')).toMatchObject({ discard_reason: 'webhook_deleted' })
  },
  async 'URL, in a delay topic: the retry goes to the new one'() {
    const row = await Row.inTier('url-tier')
    await row.patch({ url: `${receiver.url}/url-tier-new` })
    const [delivered] = await row.until('delivered')
    expect(at('/url-tier-new')).toHaveLength(1)
    expect(row.requests).toHaveLength((delivered!.attempts_made as number) - 1)
  },
  async 'another URL where receivers are asked, in a delay topic: kept until it agrees'() {
    const row = await Row.inTier('asked-tier')
    const requests = () => at('/asked-tier-new').map(({ method }) => method)
    answers.set('/asked-tier-new', () => ({ status: 405 }))
    const url = `${receiver.url}/asked-tier-new`
    expect(await call('PATCH', row.path, { url }, urls.asking)).toMatchObject({ status: 'pending' })
    await inEffect()
    await row.publish(1)
    await until(() => requests().length > 0, WAIT_MS)
    await sleep(RETRY_MS + NOTHING_COMES_MS)
    expect(new Set(requests())).toEqual(new Set(['OPTIONS']))
    answers.set('/asked-tier-new', () => ({ status: 200, headers: { 'WebHook-Allowed-Origin': ORIGIN } }))
    await row.until('delivered')
    expect(requests().filter(method => method === 'POST')).toHaveLength(1)
    // The event that came meanwhile was not routed.
    expect((await call('GET', `/v1/deliveries?webhook=${row.webhook.id}`)).data).toHaveLength(1)
  },
  async 'another URL where receivers are asked, in memory: kept until it agrees'() {
    const { row, release } = await inMemory('asked-memory')
    const requests = () => at('/asked-memory-new').map(({ method }) => method)
    answers.set('/asked-memory-new', () => ({ status: 405 }))
    await call('PATCH', row.path, { url: `${receiver.url}/asked-memory-new` }, urls.asking)
    await inEffect()
    release()
    await row.until('delivered')
    await until(() => requests().length > 0, WAIT_MS)
    await sleep(NOTHING_COMES_MS)
    expect(new Set(requests())).toEqual(new Set(['OPTIONS']))
    answers.set('/asked-memory-new', () => ({ status: 200, headers: { 'WebHook-Allowed-Origin': ORIGIN } }))
    await row.until('delivered', 4)
    expect([row.requests.length, requests().filter(method => method === 'POST').length]).toEqual([1, 3])
  },
  async 'format, method and headers, in a delay topic: the retry has the new ones'() {
    const row = await Row.inTier('format-tier')
    await row.patch({ format: 'raw', method: 'PUT', headers: { 'X-New': 'yes' } })
    row.letGo()
    await row.until('delivered')
    const retry = row.requests.at(-1)!
    expect([retry.method, retry.headers['x-new'], retry.body.toString()]).toEqual(['PUT', 'yes', JSON.stringify(DATA)])
  },
  async 'events and filter, in a delay topic: it was matched, and is delivered'() {
    const row = await Row.inTier('filter-tier')
    await row.patch({ events: ['other.type'], filter: { data: { total: [9] } } })
    row.letGo()
    await row.until('delivered')
  },
  async 'fewer attempts, in a delay topic: the one that waits is made, and is the last'() {
    const row = await Row.inTier('attempts-tier')
    await row.patch({ retry_policy: { ...RETRIED, attempts: 1 } })
    const [exhausted] = await row.until('exhausted')
    expect(exhausted!.attempts_made).toBeGreaterThan(1)
    expect(row.requests).toHaveLength(exhausted!.attempts_made as number)
  },
  async 'a lower age, in a delay topic: expired when it is due'() {
    const row = await Row.inTier('age-tier')
    await row.patch({ retry_policy: { ...RETRIED, max_age_ms: 1_000 } })
    await row.endedUnsent('expired')
  },
  async 'a rotated secret, in a delay topic: signed by the new one'() {
    const row = await Row.inTier('secret-tier')
    const { secret } = await call('POST', `${row.path}/secrets/rotate`, { overlap_seconds: 0 })
    await inEffect()
    row.letGo()
    await row.until('delivered')
    const checked =
      ({ headers, body }: ReceivedRequest, by: unknown) =>
      () =>
        verify({ headers: headers as never, body, secrets: by as string })
    const retry = row.requests.at(-1)!
    expect(checked(row.requests[0]!, row.webhook.secret)).not.toThrow()
    expect(checked(retry, secret)).not.toThrow()
    expect(checked(retry, row.webhook.secret)).toThrow()
  },
  async 'a rate limit, in a delay topic: what is due waits for its turn'() {
    const row = await Row.inTier('rate-tier', 2)
    await row.patch({ rate_limit: { requests: 1, per: 'minute' } })
    row.letGo()
    await row.until('delivered')
    await sleep(RETRY_MS + NOTHING_COMES_MS)
    await row.until('retry')
  },
  async 'ordering, in a delay topic: delivered, as what is routed later is ordered'() {
    const row = await Row.inTier('ordering-tier')
    await row.patch({ ordering: 'webhook' })
    row.letGo()
    await row.until('delivered')
  },
  async 'pause, in memory: kept, and sent once each after it'() {
    const { row, release } = await inMemory('pause-memory')
    await row.act('pause')
    release()
    await row.until('delivered')
    await sleep(NOTHING_COMES_MS)
    expect(row.requests).toHaveLength(1)
    await row.act('resume')
    await row.until('delivered', 4)
    expect(row.requests).toHaveLength(4)
  },
  async 'disable, in memory: the request under way ends as it ends, the others are discarded'() {
    const { row, release } = await inMemory('disable-memory')
    await row.act('disable')
    release()
    await row.until('discarded', 3)
    await row.until('delivered')
    expect(row.requests).toHaveLength(1)
  },
  async 'delete, in memory, and the request under way fails: it is discarded when its retry is due'() {
    const { row, release } = await inMemory('delete-memory', 500)
    await row.delete()
    release()
    await row.until('discarded', 4)
    expect(row.requests).toHaveLength(1)
  },
  async 'URL, in memory: the others go to the new one'() {
    const { row, release } = await inMemory('url-memory')
    await row.patch({ url: `${receiver.url}/url-memory-new` })
    release()
    await row.until('delivered', 4)
    expect([row.requests.length, at('/url-memory-new').length]).toEqual([1, 3])
  },
  async 'URL, ordered and retried in place: order and attempts go on at the new one'() {
    const retry_policy = { ...RETRIED, interval_ms: 3_000 }
    const row = await Row.start('url-ordered', failing, { ordering: 'webhook', retry_policy })
    await row.publish(3)
    await row.until('retry')
    await row.patch({ url: `${receiver.url}/url-ordered-new` })
    await row.until('delivered', 3)
    const names = at('/url-ordered-new').map(({ headers }) => headers['webhook-id'])
    expect([row.requests[0]!.headers['webhook-id'], new Set(names).size]).toEqual([names[0], 3])
  },
  async 'disable, parked by a pause: discarded, nothing is sent'() {
    const row = await parked('disable-parked')
    await row.act('disable')
    await row.until('discarded', 3)
    expect(row.requests).toEqual([])
  },
  async 'delete, parked by a pause: discarded, nothing is sent'() {
    const row = await parked('delete-parked')
    await row.delete()
    await row.until('discarded', 3)
    expect(row.requests).toEqual([])
  },
  async 'URL and format, parked by a pause: sent as the webhook is at the end of the pause'() {
    const row = await parked('change-parked')
    await row.patch({ url: `${receiver.url}/change-parked-new`, format: 'raw', events: ['other.type'] })
    await row.act('resume')
    await row.until('delivered', 3)
    expect(at('/change-parked-new').map(({ body }) => body.toString())).toEqual(Array(3).fill(JSON.stringify(DATA)))
    expect(row.requests).toEqual([])
  },
  async 'pause, of a replay in bulk.v1: kept, and sent after it'() {
    const row = await Row.start('pause-bulk', fine)
    await row.publish(1)
    const [delivery] = await row.until('delivered')
    await row.act('pause')
    const { id } = await call('POST', '/v1/replays', { deliveries: [delivery!.id] })
    await until(async () => (await call('GET', `/v1/replays/${id}`)).status === 'done', WAIT_MS)
    await sleep(NOTHING_COMES_MS)
    expect(row.requests).toHaveLength(1)
    await row.act('resume')
    await until(() => row.requests.length === 2, WAIT_MS)
  },
  async 'delete, of a replay in bulk.v1: discarded'() {
    const row = await Row.start('delete-bulk', fine)
    await row.publish(1)
    const [delivery] = await row.until('delivered')
    await row.act('pause')
    const { id } = await call('POST', '/v1/replays', { deliveries: [delivery!.id] })
    await until(async () => (await call('GET', `/v1/replays/${id}`)).status === 'done', WAIT_MS)
    await row.delete()
    expect(await row.until('discarded')).toMatchObject([{ run: id }])
    expect(row.requests).toHaveLength(1)
  },
}

/** All at once: each of them mostly waits. */
const running = new Map<string, Promise<void>>()

beforeAll(async () => {
  await startAll()
  for (const [name, run] of Object.entries(ROWS)) {
    const ended = run()
    ended.catch(() => undefined)
    running.set(name, ended)
  }
}, 90_000)

afterAll(async () => {
  await Promise.allSettled(running.values())
  await Promise.all(services.map(service => service.stop()))
  await receiver?.close()
  await database?.drop()
}, 180_000)

describe('deliveries that are under way when their webhook is changed', () => {
  it.each(Object.keys(ROWS))('%s', name => running.get(name), 180_000)

  it('a webhook gets what is published right after it was answered for', async () => {
    for (let n = 0; n < 30; n++) {
      const row = await Row.create(`new-${n}`, fine)
      await row.publish(1)
      await until(() => row.requests.length === 1, WAIT_MS)
    }
  }, 180_000)
})
