import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import { fastify } from 'fastify'
import { until } from '@posthorn/testkit'
import { traceCalls, traceRequests } from './server-spans.js'

const CLIENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const traceparent = `00-${CLIENT.traceId}-${CLIENT.spanId}-01`
const exporter = new InMemorySpanExporter()
const sdk = new NodeSDK({
  autoDetectResources: false,
  textMapPropagator: null,
  metricReaders: [],
  logRecordProcessors: [],
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
  instrumentations: [],
})
/** Trace ids of what was active when an answer was made. */
const active: (string | undefined)[] = []
const note = async () => {
  await new Promise(setImmediate)
  active.push(trace.getActiveSpan()?.spanContext().traceId)
}

beforeAll(() => sdk.start())
afterAll(() => sdk.shutdown())
afterEach(() => {
  exporter.reset()
  active.length = 0
})

/** The one span that there is, once it has ended. */
async function theSpan() {
  await until(() => exporter.getFinishedSpans().length > 0, 5000)
  const [span, ...others] = exporter.getFinishedSpans()
  expect(others).toEqual([])
  return span!
}

describe('Spans of HTTP requests', () => {
  const app = fastify()
  traceRequests(app)
  app.get('/things/:id', async ({ params }) => {
    await note()
    if ((params as { id: string }).id === 'broken') throw new Error('planted-message')
    return 'ok'
  })
  afterAll(() => app.close())

  it('have the route, go on with the client’s trace, and are active while the answer is made', async () => {
    const answer = await app.inject({ url: '/things/planted-id?token=planted-query', headers: { traceparent } })
    expect(answer.statusCode).toBe(200)
    const span = await theSpan()
    expect(span).toMatchObject({ name: 'GET /things/:id', parentSpanContext: CLIENT, status: { code: 0 } })
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'http.route': '/things/:id',
      'http.response.status_code': 200,
    })
    expect(active).toEqual([CLIENT.traceId])
  })

  it('fail with what is our fault alone, and have no path without a route', async () => {
    await app.inject({ url: '/planted-path', headers: { traceparent: 'nonsense' } })
    const unknown = await theSpan()
    expect(unknown).toMatchObject({ name: 'GET', status: { code: SpanStatusCode.UNSET } })
    expect(unknown.parentSpanContext).toBeUndefined()
    exporter.reset()
    await app.inject({ url: '/things/broken' })
    const broken = await theSpan()
    expect(broken).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': '500' } })
    expect(JSON.stringify([broken.attributes, broken.status, broken.events])).not.toContain('planted')
  })
})

describe('Spans of gRPC calls', () => {
  const server = new Server({ interceptors: [traceCalls] })
  const bytes = { requestSerialize: Buffer.from, requestDeserialize: Buffer.from } as const
  const method = (path: string) => ({
    ...{ path, requestStream: false, responseStream: false, ...bytes },
    ...{ responseSerialize: Buffer.from, responseDeserialize: Buffer.from },
  })
  const Ours = method('/posthorn.test.v1.Things/Get')
  const Foreign = method('/grpc.health.v1.Health/Check')
  const answer: handleUnaryCall<Buffer, Buffer> = ({ request }, done) => {
    void note().then(() => {
      if (request.length === 0) return done(null, request)
      return done({ code: status[request.toString() as 'INTERNAL'], details: 'planted-details' })
    })
  }
  let port: number

  beforeAll(async () => {
    server.addService({ Ours, Foreign } as never, { Ours: answer, Foreign: answer } as never)
    port = await new Promise((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    )
  })
  afterAll(() => server.forceShutdown())

  async function call({ path }: { readonly path: string }, wanted = '', metadata = new Metadata()): Promise<void> {
    const { makeGenericClientConstructor } = await import('@grpc/grpc-js')
    const Client = makeGenericClientConstructor({}, 'test')
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
    await new Promise<void>(resolve =>
      client.makeUnaryRequest(
        path,
        Buffer.from,
        Buffer.from,
        Buffer.from(wanted),
        metadata,
        (_e: ServiceError | null) => resolve(),
      ),
    )
    client.close()
  }

  it('have the method, go on with the client’s trace, and are active while the answer is made', async () => {
    const metadata = new Metadata()
    metadata.set('traceparent', traceparent)
    metadata.set('authorization', 'planted-key')
    await call(Ours, '', metadata)
    const span = await theSpan()
    expect(span).toMatchObject({ name: 'posthorn.test.v1.Things/Get', parentSpanContext: CLIENT, status: { code: 0 } })
    expect(span.attributes).toEqual({
      'rpc.system': 'grpc',
      'rpc.service': 'posthorn.test.v1.Things',
      'rpc.method': 'Get',
      'rpc.grpc.status_code': 0,
    })
    expect(active).toEqual([CLIENT.traceId])
  })

  it('fail with what is our fault alone', async () => {
    await call(Ours, 'NOT_FOUND')
    expect(await theSpan()).toMatchObject({ status: { code: SpanStatusCode.UNSET } })
    exporter.reset()
    await call(Ours, 'INTERNAL')
    const broken = await theSpan()
    expect(broken).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'INTERNAL' } })
    expect(JSON.stringify([broken.attributes, broken.status])).not.toContain('planted')
  })

  it('are not of health checks', async () => {
    await call(Foreign)
    expect(active).toEqual([undefined])
    expect(exporter.getFinishedSpans()).toEqual([])
  })
})
