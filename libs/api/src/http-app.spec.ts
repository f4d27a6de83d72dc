import { once } from 'node:events'
import { Agent, get, type IncomingMessage, type Server } from 'node:http'
import { connect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Controller, Get, HttpCode, Module, Post, type LoggerService } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { ApiKey } from '@posthorn/topics'
import { IsInt, IsOptional, IsString } from 'class-validator'
import { apiKeyFrom, apiKeyHash } from './api-key.js'
import { Authentication, type Caller } from './authentication.js'
import { createHttpApp, listen } from './http-app.js'
import { BodyBytes, JsonBody, QueryOf } from './http-body.js'
import { CalledBy, KeyGuard, Needs, PlatformOnly, TenantName } from './http-guard.js'
import { RateLimit } from './rate-limit.js'
import { Faults } from './http-validation.js'
import { WrongKeys } from './wrong-keys.js'

const KEY = 'key-of-the-platform-0123456789'
const READER = apiKeyFrom(new Uint8Array(32).fill(7))
const READING: ApiKey = {
  id: 'key_1',
  version: 1,
  status: 'active',
  hash: apiKeyHash(READER),
  tenant: 'acme',
  roles: ['read'],
  allowedIps: [],
  expiresAt: null,
}
const LIMIT = 100_000
const WRONG = 3
const SILENT: LoggerService = { log() {}, error() {}, warn() {} }

class Thing {
  @IsString({ message: 'must be a string' })
  name: string

  @IsOptional()
  @Faults(value => (value as unknown[]).flatMap((one, i) => (one === 1 ? [] : [{ pointer: `/${i}`, message: 'bad' }])))
  ones?: number[]
}

class Query {
  @IsOptional()
  @IsInt({ message: 'must be a whole number' })
  limit?: number
}

@Controller('v1')
class ThingController {
  @Post('things')
  @HttpCode(201)
  create(@TenantName() tenant: string, @JsonBody(Thing, 'application/merge-patch+json') thing: Thing) {
    return { tenant, name: thing.name }
  }
  @Post('reads')
  @Needs('read')
  reads(@TenantName() tenant: string) {
    return { tenant }
  }
  @Post('all')
  @Needs('read')
  @PlatformOnly()
  all() {
    return {}
  }
  @Post('bytes')
  bytes(@BodyBytes() body: Buffer) {
    return { size: body.length }
  }
  @Get('where')
  where(@CalledBy() caller: Caller) {
    return { address: caller.address }
  }
  @Get('things/:id')
  read(@QueryOf(Query) _query: Query) {
    throw new Error('broken')
  }
}

@Module({})
class ThingModule {}

const logged: object[] = []
const refused: string[] = []
let app: NestFastifyApplication
let address: string

beforeAll(async () => {
  const module = {
    module: ThingModule,
    controllers: [ThingController],
    providers: [
      {
        provide: APP_GUARD,
        useValue: new KeyGuard(
          new Authentication({
            platformKey: KEY,
            find: async hash => (hash === apiKeyHash(READER) ? READING : undefined),
            rateLimit: new RateLimit(1000),
            wrongKeys: new WrongKeys(WRONG),
            onRefused: code => void refused.push(code),
          }),
        ),
      },
    ],
  }
  app = await createHttpApp(module, {
    nestLogger: SILENT,
    log: { error: fields => void logged.push(fields) },
    bodyLimit: LIMIT,
    trustedProxies: ['127.0.0.0/8'],
  })
  address = await listen(app, '127.0.0.1', 0)
})
afterAll(() => app.close())

interface Answer {
  status: number
  headers: Headers
  body: Record<string, unknown>
}

async function call(method: string, path: string, body?: string | Buffer, headers = {}): Promise<Answer> {
  const response = await fetch(`http://${address}${path}`, {
    method,
    body: body as string,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: JSON.parse(text) }
}

describe('the HTTP edge', () => {
  test('answers a good request, with its request id', async () => {
    const answer = await call('POST', '/v1/things', '{"name":"a"}', { 'x-request-id': 'mine-1' })
    expect(answer).toMatchObject({ status: 201, body: { tenant: 'default', name: 'a' } })
    expect(answer.headers.get('request-id')).toBe('mine-1')
    expect(answer.headers.get('ratelimit')).toMatch(/^"key";r=1\d\d\d;t=\d$/)
  })

  test('takes no x-request-id that could not be logged safely', async () => {
    const answer = await call('POST', '/v1/things', '{"name":"a"}', { 'x-request-id': 'a b' })
    expect(answer.headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('names every fault by its JSON Pointer', async () => {
    const answer = await call('POST', '/v1/things', '{"name":1,"ones":[1,2,3],"preset":{},"a/b":1}')
    expect(answer).toMatchObject({ status: 400, body: { code: 'request_invalid' } })
    expect(answer.headers.get('content-type')).toMatch('application/problem+json')
    expect(answer.body.errors).toEqual(
      expect.arrayContaining([
        { pointer: '/name', detail: 'must be a string' },
        { pointer: '/ones/1', detail: 'bad' },
        { pointer: '/ones/2', detail: 'bad' },
        { pointer: '/preset', detail: 'is not supported by this version yet' },
        { pointer: '/a~1b', detail: 'is not a known field' },
      ]),
    )
  })

  test.each([
    ['malformed JSON', 'POST', '/v1/things', '{"name":', {}, 400, 'body_invalid'],
    [
      'JSON too deep to look at',
      'POST',
      '/v1/things',
      `{"name":${'['.repeat(500)}${']'.repeat(500)}}`,
      {},
      400,
      'body_invalid',
    ],
    ['no UTF-8', 'POST', '/v1/things', Buffer.from([0x22, 0xff, 0x22]), {}, 400, 'body_invalid'],
    ['no body', 'POST', '/v1/things', undefined, {}, 400, 'body_invalid'],
    ['an array', 'POST', '/v1/things', '[]', {}, 400, 'request_invalid'],
    ['U+0000', 'POST', '/v1/things', '{"name":"\\u0000"}', {}, 400, 'request_invalid'],
    ['a prototype', 'POST', '/v1/things', '{"name":"a","__proto__":1}', {}, 400, 'request_invalid'],
    ['half a surrogate pair', 'POST', '/v1/things', '{"name":"\\ud800"}', {}, 400, 'request_invalid'],
    ['another type', 'POST', '/v1/things', 'a=b', { 'content-type': 'text/plain' }, 415, 'media_type_unsupported'],
    ['no type at all', 'POST', '/v1/things', '{}', { 'content-type': 'nonsense' }, 415, 'media_type_unsupported'],
    ['a coded body', 'POST', '/v1/things', '{}', { 'content-encoding': 'gzip' }, 415, 'media_type_unsupported'],
    ['a wrong key', 'POST', '/v1/things', '{', { authorization: 'Bearer no' }, 401, 'key_invalid'],
    ['another scheme', 'POST', '/v1/things', '{', { authorization: 'Basic bm8=' }, 401, 'key_missing'],
    ['a bad tenant', 'POST', '/v1/things', '{}', { 'posthorn-tenant': 'a b' }, 404, 'tenant_not_found'],
    ['an unknown path', 'POST', '/v2/things', '{}', {}, 404, 'route_not_found'],
    ['an unknown method', 'DELETE', '/v1/things', undefined, {}, 405, 'method_not_allowed'],
    ['a method that has to have a body', 'QUERY', '/v1/things', undefined, {}, 405, 'method_not_allowed'],
    ['a malformed path', 'GET', '/v1/things/%ff', undefined, {}, 400, 'request_invalid'],
    ['an unknown parameter', 'GET', '/v1/things/1?limits=1', undefined, {}, 400, 'request_invalid'],
    ['a failure of ours', 'GET', '/v1/things/1', undefined, {}, 500, 'internal'],
    ['a body over the limit', 'POST', '/v1/bytes', Buffer.alloc(LIMIT + 1), {}, 413, 'body_too_large'],
  ])('answers %s with a problem', async (_what, method, path, body, headers, status, code) => {
    const answer = await call(method, path, body, headers)
    expect(answer).toMatchObject({ status, body: { status, code, type: `urn:posthorn:error:${code}` } })
    expect(answer.body.request_id).toBe(answer.headers.get('request-id'))
    expect(answer.headers.get('content-type')).toMatch('application/problem+json')
  })

  test('believes a trusted proxy where a request came from', async () => {
    expect(await call('GET', '/v1/where')).toMatchObject({ body: { address: '127.0.0.1' } })
    const headers = { 'x-forwarded-for': '192.0.2.9, 203.0.113.7' }
    expect(await call('GET', '/v1/where', undefined, headers)).toMatchObject({ body: { address: '203.0.113.7' } })
  })

  test('S7 wrong keys of one address are limited, and the others behind it go on working', async () => {
    const from = (address: string, key: string) =>
      call('GET', '/v1/where', undefined, { 'x-forwarded-for': address, authorization: `Bearer ${key}` })
    expect((await from('198.51.100.1', READER)).status).toBe(200)
    for (let n = 0; n < WRONG; n++)
      expect(await from('198.51.100.1', apiKeyFrom(new Uint8Array(32).fill(n)))).toMatchObject({ status: 401 })
    const limited = await from('198.51.100.1', 'guess')
    expect(limited).toMatchObject({ status: 429, body: { code: 'wrong_keys_limited' } })
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(1)
    // Also the right key of the platform: it was not seen from there, and is not looked at.
    expect((await from('198.51.100.1', KEY)).status).toBe(429)
    expect((await from('198.51.100.1', READER)).status).toBe(200)
    expect((await from('198.51.100.2', KEY)).status).toBe(200)
    expect(refused.slice(-5)).toEqual([
      ...Array<string>(WRONG).fill('key_invalid'),
      ...Array<string>(2).fill('wrong_keys_limited'),
    ])
  })

  test('a problem names the trace that the request belongs to', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const answer = await call('GET', '/v1/nothing', undefined, { traceparent })
    expect(answer.body.trace_id).toBe('0af7651916cd43dd8448eb211c80319c')
    expect((await call('GET', '/v1/nothing', undefined, { traceparent: 'x' })).body).not.toHaveProperty('trace_id')
  })

  test('a key of a tenant acts for its tenant, in its roles', async () => {
    const authorization = `Bearer ${READER}`
    expect(await call('POST', '/v1/reads', undefined, { authorization })).toMatchObject({ body: { tenant: 'acme' } })
    const head = await fetch(`http://${address}/v1/where`, { method: 'HEAD', headers: { authorization } })
    expect(head.status).toBe(200)
    for (const [path, headers, code] of [
      ['/v1/reads', { 'posthorn-tenant': 'other' }, 'tenant_not_found'],
      ['/v1/things', {}, 'role_missing'],
      ['/v1/all', {}, 'role_missing'],
    ] as const)
      expect(await call('POST', path, '{}', { ...headers, authorization })).toMatchObject({ body: { code } })
  })

  test('says which methods a path takes', async () => {
    expect((await call('PUT', '/v1/things', '{}')).headers.get('allow')).toBe('POST')
  })

  test('logs failures of its own and keeps them to itself', async () => {
    const answer = await call('GET', '/v1/things/1')
    expect(JSON.stringify(answer.body)).not.toContain('broken')
    expect(logged.at(-1)).toMatchObject({ request_id: answer.body.request_id })
  })

  test('answers a body at the limit', async () => {
    expect(await call('POST', '/v1/bytes', Buffer.alloc(LIMIT))).toMatchObject({ status: 201, body: { size: LIMIT } })
  })

  test.each(['content-length: 3000000', 'transfer-encoding: chunked'])(
    'a body over the limit is answered before the upload ends, and read on without a reset (%s)',
    async framing => {
      const { answered, sent } = await upload(framing, 30)
      expect(answered).toMatch(/^HTTP\/1\.1 413 /)
      expect(answered).toContain('"body_too_large"')
      expect(sent).toBe('whole')
    },
  )

  test('answers what is no HTTP with a problem', async () => {
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
    socket.write('nonsense\r\n\r\n')
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 400 [^]*"request_invalid"/)
  })
})

/** Sends chunks of 100,000 bytes; after the third waits for the answer, then sends the rest. */
async function upload(framing: string, chunks: number): Promise<{ answered: string; sent: string }> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
  const closed = once(socket, 'close').then(
    () => 'whole',
    (error: Error) => error.message,
  )
  let answered = ''
  socket.on('data', chunk => (answered += chunk))
  socket.write(`POST /v1/bytes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n${framing}\r\n\r\n`)
  const chunked = framing.endsWith('chunked')
  for (let i = 0; i < chunks; i++) {
    if (i === 3) while (!answered.includes('\r\n\r\n{')) await once(socket, 'data')
    const piece = Buffer.alloc(100_000)
    const framed = chunked ? Buffer.concat([Buffer.from('186a0\r\n'), piece, Buffer.from('\r\n')]) : piece
    if (!socket.write(framed)) await once(socket, 'drain')
  }
  if (chunked) socket.write('0\r\n\r\n')
  return { answered, sent: await closed }
}

test('the close waits for a request under way, and not for its connection', async () => {
  let begun!: () => void
  const arrived = new Promise<void>(resolve => (begun = resolve))
  let answer!: () => void
  const answered = new Promise<void>(resolve => (answer = resolve))
  @Controller()
  class SlowController {
    @Get('slow')
    async slow() {
      begun()
      await answered
      return {}
    }
  }
  @Module({ controllers: [SlowController] })
  class SlowModule {}
  const options = { nestLogger: SILENT, log: { error: () => undefined }, bodyLimit: LIMIT, trustedProxies: [] }
  const slow = await createHttpApp({ module: SlowModule }, options)
  const agent = new Agent({ keepAlive: true })
  const asked = get(`http://${await listen(slow, '127.0.0.1', 0)}/slow`, { agent })
  const response = once(asked, 'response') as Promise<[IncomingMessage]>
  await arrived
  const closed = slow.close()
  while ((slow.getHttpServer() as Server).listening) await nextTurn()
  answer()
  const [message] = await response
  message.resume()
  expect([message.statusCode, message.headers.connection]).toEqual([200, 'close'])
  await closed
  agent.destroy()
}, 20_000)
