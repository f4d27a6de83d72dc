import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createHttpApp, listen } from '@posthorn/api'
import { KafkaConnection, kafkaOptionsFrom, ProduceTimeout, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings } from '@posthorn/process'
import { createLogger, NestLogger } from '@posthorn/telemetry'
import { KEY_USES } from '@posthorn/topics'
import { IngestModule } from './ingest.module.js'
import { Schemas } from './schemas.js'
import { Tenants } from './tenants.js'

// The whole HTTP edge without a broker: what it refuses, and that nothing of that is produced.

const KEY = randomBytes(18).toString('base64url')
const settings = readSettings({ POSTHORN_AUTH_PLATFORM_KEY: KEY, POSTHORN_LOG_LEVEL: 'silent' })
const logger = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'ingest-test'))
const context = {
  settings,
  logger,
  health: new Health({ scrape: () => undefined, shutdown: async () => undefined }),
  fatal: (error: Error) => {
    throw error
  },
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly json: {
    readonly code?: string
    readonly detail?: string
    readonly errors?: readonly { readonly pointer: string }[]
  }
}

type Headers = Record<string, string>

let address: string
let close: () => Promise<void>
let producer: SafeProducer
let tenants: Tenants
let schemas: Schemas

/** node:http reads an answer that comes before the upload has ended. */
function send(body: string | Buffer, headers: Headers, path = '/v1/publish', method = 'POST'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`http://${address}${path}`, { method, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const json = JSON.parse(Buffer.concat(chunks).toString())
        resolve({ status: response.statusCode!, headers: response.headers, json })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** The count of wrong keys is told in between, each second in which there was one. */
function eventsOf(calls: readonly Parameters<SafeProducer['send']>[]): Parameters<SafeProducer['send']>[] {
  return calls.filter(([topic]) => topic.name !== KEY_USES.name)
}

const authorization = `Bearer ${KEY}`
const json = { authorization, 'content-type': 'application/json' }
const good = '{"type":"a","data":1}'

beforeAll(async () => {
  const app = await createHttpApp(IngestModule.with(connection, context, []), {
    nestLogger: new NestLogger(logger),
    log: logger,
    trustedProxies: [],
    bodyLimit: settings.ingestMaxEventBytes * 10,
  })
  producer = app.get(SafeProducer)
  tenants = app.get(Tenants)
  schemas = app.get(Schemas)
  close = () => app.close()
  address = await listen(app, '127.0.0.1', 0)
})

afterAll(() => close())
afterEach(() => void jest.restoreAllMocks())

describe('POST /v1/publish: what is refused is answered by its code and where it is', () => {
  const cases: [string, string | Buffer, Headers, number, string, string[]][] = [
    ['an unknown field', '{"type":"a","data":1,"color":"red"}', json, 400, 'event_invalid', ['/color']],
    ['wrong types', '{"type":7,"id":{},"data":1}', json, 400, 'event_invalid', ['/type', '/id']],
    ['an empty array', '[]', json, 400, 'batch_size', []],
    ['1,001 events', `[${Array(1001).fill(good).join()}]`, json, 400, 'batch_size', []],
    ['a bad event in an array', `[${good},${good},${good},{"data":1}]`, json, 400, 'event_invalid', ['/3/type']],
    ['invalid JSON', '{"type":', json, 400, 'body_invalid', []],
    ['broken UTF-8', Buffer.from([0x22, 0xff, 0x22]), json, 400, 'body_invalid', []],
    ['no body', '', json, 400, 'body_invalid', []],
    ['a body that is no object', '"text"', json, 400, 'event_invalid', ['']],
    ['deep nesting', '['.repeat(200_000), json, 400, 'body_invalid', []],
    [
      'deep nesting of data',
      `{"type":"a b","data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      json,
      400,
      'event_invalid',
      ['/type'],
    ],
    ['another content type', good, { authorization, 'content-type': 'text/plain' }, 415, 'media_type_unsupported', []],
    ['no content type', good, { authorization }, 415, 'media_type_unsupported', []],
    ['an encoded body', good, { ...json, 'content-encoding': 'gzip' }, 415, 'media_type_unsupported', []],
    ['no key', good, { 'content-type': 'application/json' }, 401, 'key_missing', []],
    ['a wrong key', good, { ...json, authorization: 'Bearer nope' }, 401, 'key_invalid', []],
    ['another scheme', good, { ...json, authorization: 'Basic bm9wZTpub3Bl' }, 401, 'key_missing', []],
    ['a type against the rule', '{"type":"a b","data":1}', json, 400, 'event_invalid', ['/type']],
    ['a reserved type', '{"type":"posthorn.attempt","data":1}', json, 400, 'event_invalid', ['/type']],
    ['a bad time', '{"type":"a","time":"2026-13-01","data":1}', json, 400, 'event_invalid', ['/time']],
    ['no data', '{"type":"a"}', json, 400, 'event_invalid', ['/data']],
    ['the tenant of another', '{"type":"a","tenant":"acme","data":1}', json, 400, 'event_invalid', ['/tenant']],
    ['what is no tenant id', good, { ...json, 'posthorn-tenant': 'a b' }, 404, 'tenant_not_found', []],
    ['an empty Idempotency-Key', good, { ...json, 'idempotency-key': '' }, 400, 'request_invalid', []],
    [
      'broken JSON in binary mode',
      '{',
      { ...json, 'ce-id': '1', 'ce-specversion': '1.0', 'ce-source': '/', 'ce-type': 'a' },
      400,
      'event_invalid',
      ['/data'],
    ],
    [
      'binary mode without attributes',
      '1',
      { ...json, 'ce-id': '1' },
      400,
      'event_invalid',
      ['/specversion', '/source', '/type'],
    ],
    [
      'a structured CloudEvent without id',
      '{"specversion":"1.0","source":"/","type":"a"}',
      { authorization, 'content-type': 'application/cloudevents+json' },
      400,
      'event_invalid',
      ['/id'],
    ],
    [
      'a batch that is no array',
      '{}',
      { authorization, 'content-type': 'application/cloudevents-batch+json' },
      400,
      'event_invalid',
      [],
    ],
    ['data over the limit', `{"type":"a","data":"${'x'.repeat(262_144)}"}`, json, 413, 'body_too_large', ['/data']],
    [
      'data over the limit in an array',
      `[${good},{"type":"a","data":"${'x'.repeat(262_144)}"}]`,
      json,
      413,
      'body_too_large',
      ['/1/data'],
    ],
  ]

  it.each(cases)('%s', async (_what, body, headers, status, code, pointers) => {
    const produced = jest.spyOn(producer, 'send').mockResolvedValue({ partition: 0, offset: 0 })
    jest.spyOn(tenants, 'require').mockReturnValue()
    jest.spyOn(schemas, 'faults').mockReturnValue(undefined)
    const answer = await send(body, headers)
    expect([answer.status, answer.json.code]).toEqual([status, code])
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect((answer.json.errors ?? []).map(({ pointer }) => pointer)).toEqual(pointers)
    expect(eventsOf(produced.mock.calls)).toEqual([])
  })

  it.each([
    ['with its length', {}],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('a body of 20 MB %s, while it is still being uploaded', async (_how, headers) => {
    jest.spyOn(tenants, 'require').mockReturnValue()
    jest.spyOn(schemas, 'faults').mockReturnValue(undefined)
    const answer = await send(Buffer.alloc(20 * 1024 * 1024, 0x20), { ...json, ...headers })
    expect([answer.status, answer.json.code]).toEqual([413, 'body_too_large'])
  })

  it('an upload of 20 MB without a valid key', async () => {
    const answer = await send(Buffer.alloc(20 * 1024 * 1024, 0x20), { ...json, authorization: 'Bearer nope' })
    expect([answer.status, answer.json.code]).toEqual([401, 'key_invalid'])
  })

  it('another path, and another method', async () => {
    const path = await send('', json, '/v1/nothing')
    expect([path.status, path.json.code]).toEqual([404, 'route_not_found'])
    const method = await send('', json, '/v1/publish', 'GET')
    expect([method.status, method.json.code, method.headers.allow]).toEqual([405, 'method_not_allowed', 'POST'])
  })
})

describe('POST /v1/publish: what cannot be taken now is answered with Retry-After', () => {
  it('before the tenants are read', async () => {
    const answer = await send(good, json)
    expect([answer.status, answer.json.code, answer.headers['retry-after']]).toEqual([503, 'starting', '1'])
  })

  it('when Kafka does not acknowledge in time', async () => {
    jest.spyOn(tenants, 'require').mockReturnValue()
    jest.spyOn(schemas, 'faults').mockReturnValue(undefined)
    const produced = jest.spyOn(producer, 'send').mockRejectedValue(new ProduceTimeout())
    const answer = await send(good, json)
    expect([answer.status, answer.json.code, answer.headers['retry-after']]).toEqual([503, 'kafka_unavailable', '1'])
    expect(eventsOf(produced.mock.calls)[0]![2]!.timeoutMs).toBeLessThanOrEqual(10_000)
  })

  it('when too much waits for Kafka', async () => {
    jest.spyOn(tenants, 'require').mockReturnValue()
    jest.spyOn(schemas, 'faults').mockReturnValue(undefined)
    jest.spyOn(producer, 'queuedBytes', 'get').mockReturnValue(1e9)
    const answer = await send(good, json)
    expect([answer.status, answer.json.code, answer.headers['retry-after']]).toEqual([503, 'kafka_unavailable', '1'])
  })
})
