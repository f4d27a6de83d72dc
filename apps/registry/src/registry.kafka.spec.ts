// Longer than files are here: all of it needs one running registry, whose start takes seconds.
import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { loadPackageDefinition, credentials, type Client, type ClientReadableStream } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { freePorts } from '@posthorn/embedded/ports'
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
import { HistoryPartitions, HistoryWriter, migrate, openHistoryPool, type HistoryEntry } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { createTestDatabase, testBrokers, until, type TestDatabase } from '@posthorn/testkit'
import {
  decodeTenant,
  decodeWebhook,
  encodeWebhook,
  TENANTS,
  WEBHOOKS,
  type Attempt,
  type Tenant,
} from '@posthorn/topics'
import { deliveryId, FORMATS, type Webhook } from '@posthorn/webhook'
import { protoPath } from 'grpc-health-check'
import { registryService } from './service.js'

const KEY = 'a-platform-key-for-this-test'
const WAIT_MS = 30_000
const SEALING_KEY = `test:${randomBytes(32).toString('base64')}`
const GOOD = { url: 'https://example.com/hook', events: ['agent.*', 'system.error'] }
const logger = createLogger('silent', 'test')

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown> & { errors?: { pointer: string }[] }
}

/** A door before Postgres that can be shut: what is connected is cut, and nobody gets in. */
class Door {
  private readonly sockets = new Set<Socket>()
  private open = true
  readonly server: Server

  constructor(target: URL) {
    this.server = createServer(socket => {
      if (!this.open) return void socket.destroy()
      const inner = connect(Number(target.port), target.hostname)
      for (const one of [socket, inner]) {
        this.sockets.add(one)
        one.on('error', () => undefined).on('close', () => (socket.destroy(), inner.destroy()))
      }
      socket.pipe(inner).pipe(socket)
    })
  }
  set(open: boolean): void {
    this.open = open
    if (!open) for (const socket of this.sockets) socket.destroy()
  }
}

let database: TestDatabase
let door: Door
let registry: RunningService
let health: Health
let webhooks: TableFollower<Webhook>
let tenants: TableFollower<Tenant>
let settings: ReturnType<typeof readSettings>

beforeAll(async () => {
  database = await createTestDatabase()
  await migrate(database.url, logger)
  const url = new URL(database.url)
  door = new Door(new URL(database.url))
  url.host = `127.0.0.1:${await portOf(door.server)}`
  settings = readSettings({
    POSTHORN_KAFKA_BROKERS: testBrokers().join(),
    POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
    POSTHORN_KAFKA_PARTITIONS: '1',
    POSTHORN_DATABASE_URL: url.href,
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    POSTHORN_REGISTRY_PORT: '0',
    POSTHORN_REGISTRY_GRPC_PORT: '0',
    POSTHORN_AUTH_PLATFORM_KEY: KEY,
    POSTHORN_SEALING_KEYS: SEALING_KEY,
  })
  const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'registry-test'))
  await createTopics(connection, await planTopics(connection))
  health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  registry = await registryService.start(context())
  health.markStarted()
  webhooks = new TableFollower<Webhook>(connection, { topic: WEBHOOKS, decode: decodeWebhook, fatal })
  tenants = new TableFollower<Tenant>(connection, { topic: TENANTS, decode: decodeTenant, fatal })
  await Promise.all([webhooks.start(), tenants.start()])
}, 60_000)

afterAll(async () => {
  await registry.stop()
  await Promise.all([webhooks.stop(), tenants.stop()])
  door.set(false)
  door.server.close()
  await database.drop()
}, 30_000)

/** Listens on a port that the system chooses. */
async function portOf(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

function fatal(error: Error): never {
  throw error
}

function context(): ServiceContext {
  return { settings, logger, health, fatal }
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`http://${registry.addresses.http}${path}`, {
    method,
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: text === '' ? {} : JSON.parse(text) }
}

async function create(change: object = {}, headers = {}): Promise<Record<string, unknown> & { id: string }> {
  const answer = await call('POST', '/v1/webhooks', { ...GOOD, ...change }, headers)
  expect(answer).toMatchObject({ status: 201 })
  return answer.json as Record<string, unknown> & { id: string }
}

describe('webhooks', () => {
  test('S2 POST {url, events, secret} answers 201 {id: "webhook_…", status: "active"} and publishes the webhook', async () => {
    const secret = 'a secret of the customer'
    const answer = await call('POST', '/v1/webhooks', { ...GOOD, secret })
    expect(answer).toMatchObject({
      status: 201,
      json: {
        id: expect.stringMatching(/^webhook_[0-9a-z]{26}$/),
        status: 'active',
        ...GOOD,
        secret,
        method: 'POST',
        format: 'standard',
        description: null,
        metadata: {},
        version: 1,
        retry_policy: {
          attempts: 5,
          timeout_ms: 1e4,
          interval_ms: 5e3,
          factor: 10,
          jitter: 0.2,
          max_delay_ms: 216e5,
          max_age_ms: 2592e5,
        },
      },
    })
    const id = answer.json.id as string
    expect(answer.headers.get('location')).toBe(`/v1/webhooks/${id}`)
    expect(await webhooks.waitFor(id, 1, WAIT_MS)).toBe(true)
    const document = webhooks.get(id)!
    expect(document).toMatchObject({ id, tenant: 'default', status: 'active', url: GOOD.url, events: GOOD.events })
    expect(JSON.stringify(document)).not.toContain(secret)
    expect(new Sealer([SEALING_KEY]).unseal(document.sealedSecrets[0]!, id)).toBe(secret)
  })

  test('a secret is made when none is given, and shown once', async () => {
    const { id, secret } = await create()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const read = await call('GET', `/v1/webhooks/${id}`)
    expect(read).toMatchObject({ status: 200, json: { id, ...GOOD } })
    expect(read.text).not.toContain('secret')
    expect((await call('GET', '/v1/webhooks')).text).not.toContain('whsec_')
  })

  test('keeps description, metadata and a partial retry policy', async () => {
    const given = {
      description: 'Grüße 🎺',
      metadata: { team: 'a', 'x/y': '' },
      retry_policy: { attempts: 2, factor: 1.5 },
    }
    const { id } = await create(given)
    const { json } = await call('GET', `/v1/webhooks/${id}`)
    expect(json).toMatchObject({ ...given, retry_policy: { attempts: 2, factor: 1.5, timeout_ms: 10_000 } })
  })

  test('S3 limits are set, merged, taken away and carried by the topic', async () => {
    const { id } = await create({ rate_limit: { requests: 90, per: 'minute' }, max_concurrency: 8 })
    expect(await webhooks.waitFor(id, 1, WAIT_MS)).toBe(true)
    const both = { rateLimit: { requests: 90, per: 'minute' }, maxConcurrency: 8 }
    expect(webhooks.get(id)).toMatchObject(both)
    const merged = await call('PATCH', `/v1/webhooks/${id}`, { rate_limit: { requests: 5 } })
    expect(merged.json).toMatchObject({ rate_limit: { requests: 5, per: 'minute' }, max_concurrency: 8 })
    const incomplete = await call('PATCH', `/v1/webhooks/${id}`, { rate_limit: { requests: null } })
    expect(incomplete).toMatchObject({ status: 400, json: { errors: [{ pointer: '/rate_limit/requests' }] } })
    const none = await call('PATCH', `/v1/webhooks/${id}`, { rate_limit: null, max_concurrency: null })
    expect(none.json).toMatchObject({ rate_limit: null, max_concurrency: null, version: 3 })
    expect(await webhooks.waitFor(id, 3, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).not.toHaveProperty('rateLimit')
    expect(webhooks.get(id)).not.toHaveProperty('maxConcurrency')
    expect((await create({ rate_limit: { requests: 7 } })).rate_limit).toEqual({ requests: 7, per: 'second' })
  })

  test('S3 an IP allowlist and the version of TLS are set, taken away and carried by the topic', async () => {
    const bounds = { allowed_cidrs: ['203.0.113.0/24', '2001:db8::/32'], min_tls_version: '1.3' }
    const { id, ...made } = await create(bounds)
    expect(made).toMatchObject(bounds)
    expect(await webhooks.waitFor(id, 1, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).toMatchObject({ allowedCidrs: bounds.allowed_cidrs, minTlsVersion: '1.3' })
    const none = await call('PATCH', `/v1/webhooks/${id}`, { allowed_cidrs: null, min_tls_version: null })
    expect(none.json).toMatchObject({ allowed_cidrs: null, min_tls_version: null, version: 2 })
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).not.toHaveProperty('allowedCidrs')
    expect(webhooks.get(id)).not.toHaveProperty('minTlsVersion')
  })

  test.each(FORMATS)('S3 the format %s is kept, carried by the topic, and taken back by null', async format => {
    const { id, ...made } = await create({ format })
    expect(made).toMatchObject({ format })
    expect(await webhooks.waitFor(id, 1, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).toMatchObject({ format })
    const changed = await call('PATCH', `/v1/webhooks/${id}`, { format: 'raw' })
    expect(changed.json).toMatchObject({ format: 'raw' })
    expect((await call('PATCH', `/v1/webhooks/${id}`, { format: null })).json).toMatchObject({ format: 'standard' })
  })

  test('a change is a merge-patch, counts one version and reaches the topic', async () => {
    const { id } = await create({ metadata: { a: '1', b: '2' }, retry_policy: { attempts: 9, factor: 2 } })
    const patch = {
      description: 'd',
      metadata: { a: null, c: '3' },
      retry_policy: { attempts: null },
      status: 'disabled',
    }
    const answer = await call('PATCH', `/v1/webhooks/${id}`, patch, { 'content-type': 'application/merge-patch+json' })
    expect(answer).toMatchObject({
      status: 200,
      json: { version: 2, description: 'd', metadata: { b: '2', c: '3' }, status: 'disabled', url: GOOD.url },
    })
    expect(answer.json.metadata).toEqual({ b: '2', c: '3' })
    expect(answer.json.retry_policy).toMatchObject({ attempts: 5, factor: 2 })
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).toMatchObject({ status: 'disabled', retryPolicy: { attempts: 5, factor: 2 } })
    const policy = (retry_policy: object) => call('PATCH', `/v1/webhooks/${id}`, { retry_policy })
    expect((await policy({ preset: 'standard' })).json.retry_policy).toMatchObject({ attempts: 10 })
    expect((await policy({ attempts: 3 })).json).toMatchObject({ errors: [{ pointer: '/retry_policy/attempts' }] })
    const reset = await call('PATCH', `/v1/webhooks/${id}`, { description: null, metadata: null, retry_policy: null })
    expect(reset.json).toMatchObject({ version: 4, description: null, metadata: {}, retry_policy: { factor: 10 } })
    expect((await call('PATCH', `/v1/webhooks/${id}`, {})).json).toMatchObject({ version: 4 })
  })

  test('a new secret replaces the old one and is not shown', async () => {
    const { id } = await create()
    const secret = 'another secret of 30 characters'
    const answer = await call('PATCH', `/v1/webhooks/${id}`, { secret })
    expect(answer).toMatchObject({ status: 200, json: { version: 2 } })
    expect(answer.text).not.toContain('secret')
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
    const { sealedSecrets } = webhooks.get(id)!
    expect(sealedSecrets.map(sealed => new Sealer([SEALING_KEY]).unseal(sealed, id))).toEqual([secret])
  })

  test('a deleted webhook is gone, and its document says so without its secret', async () => {
    const { id } = await create()
    expect(await call('DELETE', `/v1/webhooks/${id}`)).toMatchObject({ status: 204, text: '' })
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', {}]] as const)
      expect(await call(method, `/v1/webhooks/${id}`, body)).toMatchObject({ json: { code: 'webhook_not_found' } })
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).toMatchObject({ status: 'deleted', sealedSecrets: [] })
  })

  test('a list comes page by page, newest first, and by status', async () => {
    expect(await call('POST', '/v1/tenants', { id: 'lists' })).toMatchObject({ status: 201 })
    const tenant = { 'posthorn-tenant': 'lists' }
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.unshift((await create({}, tenant)).id)
    await call('PATCH', `/v1/webhooks/${ids[1]}`, { status: 'disabled' }, tenant)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const path: string = `/v1/webhooks?limit=2${cursor && `&cursor=${cursor}`}`
      const { json } = await call('GET', path, undefined, tenant)
      seen.push(...(json.data as { id: string }[]).map(row => row.id))
      cursor = json.next_cursor as string | null
    }
    expect(seen).toEqual(ids)
    const disabled = await call('GET', '/v1/webhooks?status=disabled', undefined, tenant)
    expect(disabled.json).toMatchObject({ data: [{ id: ids[1] }], next_cursor: null })
    // Of another tenant, all of it is unknown.
    for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { status: 'disabled' }]] as const)
      expect(await call(method, `/v1/webhooks/${ids[0]}`, body)).toMatchObject({ status: 404 })
    expect(await call('GET', `/v1/webhooks/${ids[0]}`, undefined, tenant)).toMatchObject({ status: 200 })
  })

  test('an older document that comes last on the topic is overwritten by the current one', async () => {
    const { id } = await create()
    expect(await webhooks.waitFor(id, 1, WAIT_MS)).toBe(true)
    const older = webhooks.get(id)!
    await call('PATCH', `/v1/webhooks/${id}`, { status: 'disabled' })
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
    const producer = new SafeProducer(new KafkaConnection(kafkaOptionsFrom(settings, logger, 'stale-relay')))
    await producer.connect()
    await producer.send(WEBHOOKS, encodeWebhook(older))
    await producer.close()
    expect(await webhooks.waitFor(id, 3, WAIT_MS)).toBe(true)
    expect(webhooks.get(id)).toMatchObject({ status: 'disabled' })
    expect((await call('GET', `/v1/webhooks/${id}`)).json).toMatchObject({ version: 3, status: 'disabled' })
  })

  test('the tenant default is published', async () => {
    await until(() => tenants.get('default')?.status === 'active', WAIT_MS)
  })
})

describe('bad input', () => {
  test.each([
    ['an empty events', { ...GOOD, events: [] }, ['/events']],
    [
      'bad event types',
      { ...GOOD, events: ['agent.*', 'a b', '.x', 'a.*.b'] },
      ['/events/1', '/events/2', '/events/3'],
    ],
    ['a URL that is no http(s) URL', { ...GOOD, url: 'ftp://example.com' }, ['/url']],
    ['a relative URL', { ...GOOD, url: '/hook' }, ['/url']],
    ['a URL with a password', { ...GOOD, url: 'https://a:b@example.com' }, ['/url']],
    ['a URL with a fragment', { ...GOOD, url: 'https://example.com#a' }, ['/url']],
    ['a long URL', { ...GOOD, url: `https://example.com/${'a'.repeat(2048)}` }, ['/url']],
    ['nothing', {}, ['/url', '/events']],
    ['an unknown field', { ...GOOD, 'colour/of': 1 }, ['/colour~1of']],
    ['an encryption without its key', { ...GOOD, encryption: {} }, ['/encryption/key']],
    [
      'a bad filter',
      { ...GOOD, filter: { data: { amount: [{ numeric: ['~', 1] }] }, Source: ['x'] } },
      ['/filter/data/amount/0/numeric/0', '/filter/Source'],
    ],
    ['a format that there is not', { ...GOOD, format: 'xml' }, ['/format']],
    ['a short secret', { ...GOOD, secret: 'short' }, ['/secret']],
    [
      'a bad retry policy',
      { ...GOOD, retry_policy: { attempts: 101, x: 1 } },
      ['/retry_policy/attempts', '/retry_policy/x'],
    ],
    ['metadata of numbers', { ...GOOD, metadata: { a: 1 } }, ['/metadata/a']],
    ['text that cannot be stored', { ...GOOD, description: 'a\0b' }, ['/description']],
    ['no object', [], ['']],
  ])('%s is 400 and named by its pointer', async (_what, body, pointers) => {
    const answer = await call('POST', '/v1/webhooks', body)
    expect(answer).toMatchObject({ status: 400, json: { code: 'request_invalid' } })
    expect(answer.json.errors!.map(error => error.pointer).sort()).toEqual([...pointers].sort())
    expect(answer.headers.get('content-type')).toMatch('application/problem+json')
  })

  test.each([
    ['malformed JSON', 'POST', '/v1/webhooks', '{"url":', {}, 400, 'body_invalid'],
    [
      'another content type',
      'POST',
      '/v1/webhooks',
      'url=a',
      { 'content-type': 'text/plain' },
      415,
      'media_type_unsupported',
    ],
    [
      'a merge-patch as a creation',
      'POST',
      '/v1/webhooks',
      '{}',
      { 'content-type': 'application/merge-patch+json' },
      415,
      'media_type_unsupported',
    ],
    ['a body over 1 MiB', 'POST', '/v1/webhooks', `"${'a'.repeat(1024 * 1024)}"`, {}, 413, 'body_too_large'],
    ['no key', 'GET', '/v1/webhooks', undefined, { authorization: '' }, 401, 'key_missing'],
    ['a wrong key', 'GET', '/v1/webhooks', undefined, { authorization: `Bearer ${KEY}x` }, 401, 'key_invalid'],
    ['an unknown tenant', 'GET', '/v1/webhooks', undefined, { 'posthorn-tenant': 'nobody' }, 404, 'tenant_not_found'],
    ['a tenant that is no id', 'GET', '/v1/webhooks', undefined, { 'posthorn-tenant': 'a/b' }, 404, 'tenant_not_found'],
    ['an unknown path', 'GET', '/v1/nothing', undefined, {}, 404, 'route_not_found'],
    ['an unknown method', 'PUT', '/v1/webhooks', '{}', {}, 405, 'method_not_allowed'],
    ['an unknown webhook', 'GET', '/v1/webhooks/webhook_x', undefined, {}, 404, 'webhook_not_found'],
    ['an id that cannot be stored', 'GET', '/v1/webhooks/%00', undefined, {}, 404, 'webhook_not_found'],
    ['an unknown status', 'GET', '/v1/webhooks?status=gone', undefined, {}, 400, 'request_invalid'],
    ['an unknown parameter', 'GET', '/v1/webhooks?colour=red', undefined, {}, 400, 'request_invalid'],
    ['a bad limit', 'GET', '/v1/deliveries?limit=251', undefined, {}, 400, 'request_invalid'],
    ['an unknown status of deliveries', 'GET', '/v1/deliveries?status=active', undefined, {}, 400, 'request_invalid'],
    ['an unknown parameter of poison', 'GET', '/v1/poison?status=x', undefined, {}, 400, 'request_invalid'],
    ['a made-up cursor', 'GET', '/v1/webhooks?cursor=bm9uc2Vuc2U', undefined, {}, 400, 'cursor_invalid'],
    [
      'a cursor of another list',
      'GET',
      `/v1/deliveries?cursor=${Buffer.from('["webhooks",1,"a"]').toString('base64url')}`,
      undefined,
      {},
      400,
      'cursor_invalid',
    ],
    ['an unknown event', 'GET', '/v1/events/nothing', undefined, {}, 404, 'event_not_found'],
    ['an event id that cannot be stored', 'GET', '/v1/events/%00', undefined, {}, 404, 'event_not_found'],
    ['an unknown delivery', 'GET', '/v1/deliveries/nothing', undefined, {}, 404, 'delivery_not_found'],
  ])('%s is a problem', async (_what, method, path, body, headers, status, code) => {
    const answer = await call(method, path, body, headers)
    expect(answer).toMatchObject({ status, json: { status, code, request_id: answer.headers.get('request-id') } })
    expect(answer.headers.get('content-type')).toMatch('application/problem+json')
  })

  test('metadata may not grow over its limit by patches', async () => {
    const many = (from: number) => Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${from + i}`, 'v']))
    const { id } = await create({ metadata: many(0) })
    const answer = await call('PATCH', `/v1/webhooks/${id}`, { metadata: many(30) })
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ pointer: '/metadata' }] } })
  })
})

describe('history', () => {
  const event = {
    tenant: 'default',
    id: 'an id/with ünicode',
    source: '/s',
    type: 'agent.created',
    time: '2026-11-24T11:59:00Z',
    contenttype: 'application/json',
  }
  const webhook = 'webhook_0123456789abcdefghjkmnpqrs'
  const delivery = deliveryId(event, webhook)
  const now = Date.now()
  const at = (ms: number) => new Date(now + ms).toISOString()

  beforeAll(async () => {
    const pool = openHistoryPool(database.url, { max: 2, name: 'test', onError: () => undefined })
    const attempt = (number: number, outcome: Attempt['outcome'], status: number): HistoryEntry => ({
      kind: 'attempt',
      attempt: {
        delivery,
        run: '0',
        attempt: number,
        webhook,
        webhook_version: 1,
        tenant: 'default',
        event,
        outcome,
        accepted_at: at(0),
        due_at: at(number),
        started_at: at(number),
        finished_at: at(number + 1),
        duration_ms: 1,
        status_code: status,
      },
    })
    const entries: HistoryEntry[] = [
      { kind: 'event', event, data: Buffer.from('{"n": 12345678901234567890}'), acceptedAt: now },
      {
        kind: 'event',
        event: { ...event, id: 'raw', contenttype: 'image/png' },
        data: Buffer.from([1, 2]),
        acceptedAt: now,
      },
      attempt(1, 'retry', 500),
      attempt(2, 'delivered', 200),
    ]
    const writer = new HistoryWriter(pool, new HistoryPartitions(pool, 14), 'test')
    await writer.write(
      entries.map((entry, offset) => ({ topic: 't', partition: 0, offset, timestamp: now, entry })),
      now,
    )
    await pool.end()
  })

  test('gives an event with its data as it was sent and a summary of its deliveries', async () => {
    const answer = await call('GET', `/v1/events/${encodeURIComponent(event.id)}`)
    expect(answer).toMatchObject({
      status: 200,
      json: {
        id: event.id,
        source: '/s',
        type: 'agent.created',
        accepted_at: at(0),
        deliveries: { delivered: 1, pending: 0 },
      },
    })
    expect(answer.text).toContain('"data":{"n": 12345678901234567890}')
    expect(answer.headers.get('content-type')).toMatch('application/json')
    expect((await call('GET', '/v1/events/raw?source=%2Fs')).json).toMatchObject({ data_base64: 'AQI=' })
    expect(await call('GET', '/v1/events/raw?source=other')).toMatchObject({ status: 404 })
    expect(await call('GET', '/v1/events/raw?sauce=x')).toMatchObject({ status: 400 })
  })

  test('gives deliveries, and one with its attempts', async () => {
    const row = { id: delivery, webhook, event: { id: event.id }, status: 'delivered', attempts_made: 2 }
    const path = `/v1/deliveries?webhook=${webhook}&status=delivered&event=${encodeURIComponent(event.id)}`
    expect((await call('GET', path)).json).toMatchObject({ data: [row], next_cursor: null })
    expect((await call('GET', '/v1/deliveries?status=exhausted')).json).toEqual({ data: [], next_cursor: null })
    expect((await call('GET', `/v1/deliveries/${delivery}`)).json).toMatchObject({
      ...row,
      attempts: [
        { attempt: 1, outcome: 'retry', status_code: 500 },
        { attempt: 2, outcome: 'delivered', status_code: 200 },
      ],
    })
    expect((await call('GET', '/v1/poison')).json).toEqual({ data: [], next_cursor: null })
  })
})

describe('gRPC', () => {
  test('health answers Check and Watch: SERVING', async () => {
    const proto = loadPackageDefinition(loadSync(protoPath)) as unknown as {
      grpc: { health: { v1: { Health: new (address: string, creds: unknown) => Client } } }
    }
    const client = new proto.grpc.health.v1.Health(registry.addresses.grpc!, credentials.createInsecure()) as Client & {
      check(request: object, done: (error: Error | null, answer: { status: unknown }) => void): void
      watch(request: object): ClientReadableStream<{ status: unknown }>
    }
    const check = () =>
      new Promise((resolve, reject) =>
        client.check({}, (error, answer) => (error ? reject(error) : resolve(answer.status))),
      )
    let status: unknown
    await until(
      async () => (status = await check()) === 1,
      WAIT_MS,
      () => `status ${String(status)}`,
    )
    const watch = client.watch({})
    watch.on('error', () => undefined)
    expect(await new Promise(resolve => watch.once('data', ({ status }) => resolve(status)))).toBe(1)
    watch.cancel()
    client.close()
  })
})

describe('with the database away', () => {
  test('requests are answered 503 database_unavailable within a few seconds, and 200 once it is back', async () => {
    const { id } = await create()
    door.set(false)
    const tookMs: number[] = []
    for (const [method, path, body] of [
      ['GET', `/v1/webhooks/${id}`],
      ['POST', '/v1/webhooks', GOOD],
      ['PATCH', `/v1/webhooks/${id}`, { status: 'disabled' }],
      ['GET', '/v1/deliveries'],
      ['GET', '/v1/poison'],
    ] as const) {
      const started = performance.now()
      expect(await call(method, path, body)).toMatchObject({ status: 503, json: { code: 'database_unavailable' } })
      tookMs.push(performance.now() - started)
    }
    // But for one, in whose time the machine may have stood still.
    expect(tookMs.filter(ms => ms > 3000).length).toBeLessThanOrEqual(1)
    door.set(true)
    await until(async () => (await call('PATCH', `/v1/webhooks/${id}`, { status: 'disabled' })).status === 200, WAIT_MS)
    expect(await webhooks.waitFor(id, 2, WAIT_MS)).toBe(true)
  }, 30_000)
})

describe('the start', () => {
  const startWith = (change: object) => registryService.start({ ...context(), settings: { ...settings, ...change } })

  test.each([
    ['POSTHORN_DATABASE_URL', { databaseUrl: undefined }],
    ['POSTHORN_SEALING_KEYS', { sealingKeys: [] }],
  ])('without %s is refused with a sentence', async (variable, change) => {
    await expect(startWith(change)).rejects.toThrow(variable)
  })

  test('without POSTHORN_AUTH_PLATFORM_KEY only keys that were made are taken', async () => {
    const made = await call('POST', '/v1/keys', { name: 'first', roles: ['admin'], scope: 'platform' })
    const own = await startWith({ authPlatformKey: undefined })
    const status = (key: string) =>
      fetch(`http://${own.addresses.http}/v1/tenants`, { headers: { authorization: `Bearer ${key}` } }).then(
        async answer => [answer.status, ((await answer.json()) as { code?: string }).code],
      )
    expect(await status(made.json.key as string)).toEqual([200, undefined])
    expect(await status(KEY)).toEqual([401, 'key_invalid'])
    await own.stop()
  })

  test('with the database away answers 503, and is ready once it comes', async () => {
    const own = new Door(new URL(database.url))
    own.set(false)
    const databasePort = await portOf(own.server)
    const [port] = (await freePorts(1)) as [number]
    const url = new URL(database.url)
    url.host = `127.0.0.1:${databasePort}`
    const starting = startWith({ databaseUrl: url.href, registryPort: port })
    const status = () =>
      fetch(`http://127.0.0.1:${port}/v1/webhooks`, { headers: { authorization: `Bearer ${KEY}` } }).then(
        response => response.status,
        () => 0,
      )
    let answered = 0
    await until(async () => (answered = await status()) !== 0, WAIT_MS)
    expect(answered).toBe(503)
    own.set(true)
    const started = await starting
    expect(await status()).toBe(200)
    await started.stop()
    own.server.close()
  }, 30_000)
})
