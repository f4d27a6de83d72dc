import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { callApi, startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'
import kafkajs from 'kafkajs'
import { startJaeger, type Jaeger } from './jaeger/jaeger.js'

/** What is asserted of a span in OTLP's JSON. */
interface Span {
  readonly service: string
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code?: number }
}
interface Attempt {
  readonly trace_id: string
  readonly span_id: string
  readonly trace_url: string
}

const PRODUCER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const HEADER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const EXTENSION = { traceId: 'a1b2c3d4e5f60718293a4b5c6d7e8f90', spanId: '1122334455667788' }
/** Each stands in one place that a span must not show. */
const PLANTED = {
  path: 'path-7f1c',
  query: 'query-9a0d',
  data: 'data-53be',
  header: 'header-c8e4',
  baggage: 'bag-21f6',
  answer: 'answer-0d3f',
}
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const SERVER = 2
/** Given by `npm run jaeger` alone. */
const program = process.env.POSTHORN_TEST_JAEGER

const dir = mkdtempSync(join(tmpdir(), 'posthorn-traces-'))
const collected: Span[] = []
const passedOn: Promise<unknown>[] = []
let sent = ''
let jaeger: Jaeger | undefined
let collector: Server
let receiver: Receiver
let stack: Stack

beforeAll(async () => {
  if (program !== undefined) jaeger = await startJaeger(program, dir)
  collector = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      sent += body
      collected.push(...spansOf((JSON.parse(body) as { resourceSpans: ResourceSpans[] }).resourceSpans))
      if (jaeger) passedOn.push(passOn(jaeger, body))
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
  receiver = await startReceiver(({ path }, index) => ({
    status: path.includes(PLANTED.path) && index < 2 ? 500 : 200,
    body: PLANTED.answer,
  }))
  const { port } = collector.address() as AddressInfo
  stack = await startStack({
    POSTHORN_TRACE_OTLP_URL: `http://127.0.0.1:${port}`,
    POSTHORN_GRAFANA_URL: 'https://grafana.example/',
  })
}, 240_000)

afterAll(async () => {
  await stack?.stop()
  await receiver?.close()
  await new Promise(resolve => collector.close(resolve))
  await Promise.all(passedOn)
  await jaeger?.stop()
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

/** What a collector does. */
async function passOn({ otlp }: Jaeger, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const { status } = await fetch(`${otlp}/v1/traces`, { method: 'POST', headers, body })
  if (status !== 200) throw new Error(`Jaeger refused spans with ${status}`)
}

function spansOf(resourceSpans: readonly ResourceSpans[]): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')!.value.stringValue
    return scopeSpans.flatMap(({ spans }) => spans.map(span => ({ ...span, service })))
  })
}
interface ResourceSpans {
  readonly resource: { readonly attributes: { readonly key: string; readonly value: { stringValue: string } }[] }
  readonly scopeSpans: { readonly spans: Span[] }[]
}

async function attempts(event: string): Promise<readonly Attempt[]> {
  const { data } = (await callApi(stack, 'GET', `/v1/deliveries?event=${event}`)) as { data: { id: string }[] }
  if (!data[0]) return []
  return ((await callApi(stack, 'GET', `/v1/deliveries/${data[0].id}`)) as { attempts: Attempt[] }).attempts
}

const of = (service: string, name: string, spans: readonly Span[] = collected) =>
  spans.filter(span => span.service === `posthorn-${service}` && span.name === name)
const under = (parents: readonly Span[], child: Span) => parents.find(({ spanId }) => spanId === child.parentSpanId)
const place = ({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>) => ({ traceId, spanId })
const traceparentOf = ({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>) => `00-${traceId}-${spanId}-01`

/** The spans of the delivery with its retries, from a store of traces: each where it belongs. */
function expectWholeTrace(spans: readonly Span[], late: Span): void {
  const [served] = of('ingest', 'POST /v1/publish', spans)
  const [send] = of('ingest', 'send posthorn.events.v1', spans)
  const [route] = of('router', 'process posthorn.events.v1', spans)
  const [first, second, ...others] = of('deliverer', 'POST', spans)
  expect(others).toEqual([])
  expect(served).toMatchObject({ traceId: PRODUCER.traceId, parentSpanId: PRODUCER.spanId, kind: SERVER })
  expect(send).toMatchObject({ traceId: PRODUCER.traceId, parentSpanId: served!.spanId })
  expect(route).toMatchObject({ traceId: PRODUCER.traceId, parentSpanId: send!.spanId })
  for (const early of [first, second])
    expect(early).toMatchObject({ traceId: PRODUCER.traceId, parentSpanId: route!.spanId, status: { code: 2 } })
  expect(late.traceId).not.toBe(PRODUCER.traceId)
  expect(late.parentSpanId ?? '').toBe('')
  expect(late.links!.map(place)).toEqual([place(route!), place(second!)])
}

describe('Traces', () => {
  it('lead from the producer to each request; a late retry is a trace of its own, with links', async () => {
    await callApi(stack, 'POST', '/v1/webhooks', {
      url: `${receiver.url}/${PLANTED.path}?token=${PLANTED.query}`,
      events: ['traced.event'],
      secret: SECRET,
      format: 'cloudevents',
      headers: { 'x-own': PLANTED.header },
      retry_policy: { attempts: 3, interval_ms: 1000, factor: 11, jitter: 0 },
    })
    const published = await fetch(`${stack.publish}/v1/publish`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${stack.key}`,
        'content-type': 'application/json',
        traceparent: traceparentOf(PRODUCER),
        baggage: `customer=${PLANTED.baggage}`,
      },
      body: JSON.stringify({ id: 'traced', type: 'traced.event', data: { of: PLANTED.data } }),
    })
    expect(published.status).toBe(202)
    const requests = await receiver.waitFor(3, 60_000)
    const posts = () => of('deliverer', 'POST')
    await until(async () => posts().length === 3 && (await attempts('traced')).length === 3, 30_000)

    const made = await attempts('traced')
    const spans = made.map(({ span_id }) => posts().find(({ spanId }) => spanId === span_id)!)
    expect(made.map(({ trace_id }) => trace_id)).toEqual(spans.map(({ traceId }) => traceId))
    for (const { trace_id, trace_url } of made)
      expect(decodeURIComponent(trace_url)).toMatch(
        `https://grafana.example/explore?schemaVersion=1&panes={"trace":{"datasource":"tempo","queries":[{"refId":"A","datasource":{"type":"tempo","uid":"tempo"},"queryType":"traceql","query":"${trace_id}"}]`,
      )
    await until(
      () => of('ingest', 'POST /v1/publish').length === 1 && of('router', 'process posthorn.events.v1').length === 1,
      30_000,
    )
    expectWholeTrace(
      collected.filter(({ traceId }) => traceId === PRODUCER.traceId),
      spans[2]!,
    )

    for (const { headers, body } of requests) {
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['baggage']))
      expect(headers.traceparent).toBeUndefined()
      expect(Object.keys(JSON.parse(body.toString()) as object)).not.toContain('traceparent')
    }
    for (const secret of [...Object.values(PLANTED), SECRET, SECRET.slice(6), stack.key])
      expect(sent.includes(secret) ? secret : undefined).toBeUndefined()
  }, 120_000)

  it('go on in the receiver where its webhook asks for it, from a Kafka header or the CloudEvents extension', async () => {
    await callApi(stack, 'POST', '/v1/webhooks', {
      url: `${receiver.url}/asks`,
      events: ['traced.on'],
      format: 'cloudevents',
      send_traceparent: true,
    })
    const producer = new kafkajs.Kafka({ brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING }).producer()
    await producer.connect()
    const event = { ce_specversion: '1.0', ce_source: '/s', ce_type: 'traced.on', 'content-type': 'application/json' }
    const extension = { ce_traceparent: traceparentOf(EXTENSION), traceparent: traceparentOf(PRODUCER) }
    await producer.send({
      topic: 'posthorn.events.v1',
      messages: [
        { value: '1', headers: { ...event, ce_id: 'by-header', traceparent: traceparentOf(HEADER) } },
        { value: '1', headers: { ...event, ce_id: 'by-extension', ...extension } },
      ],
    })
    await producer.disconnect()
    const asked = () => receiver.requests.filter(({ path }) => path === '/asks')
    await receiver.waitFor(() => asked().length === 2, 30_000)
    const routeOf = (traceId: string) =>
      of('router', 'process posthorn.events.v1').find(span => span.traceId === traceId)
    // Each service sends its spans in its own time.
    await until(
      () => of('deliverer', 'POST').length === 5 && [HEADER, EXTENSION].every(({ traceId }) => routeOf(traceId)),
      30_000,
    )

    for (const { traceId, spanId } of [HEADER, EXTENSION]) {
      const route = routeOf(traceId)
      expect(route).toMatchObject({ parentSpanId: spanId })
      const post = of('deliverer', 'POST').find(span => span.traceId === traceId)
      expect(post).toMatchObject({ parentSpanId: route!.spanId })
      const request = asked().find(({ headers }) => headers.traceparent === traceparentOf(post!))
      expect(JSON.parse(request!.body.toString())).toMatchObject({ traceparent: traceparentOf({ traceId, spanId }) })
      expect(request!.headers).not.toHaveProperty('baggage')
    }
  }, 60_000)

  it('have what the registry asks of Postgres under its request, and batches of the monitor', async () => {
    const created = () => of('registry', 'POST /v1/webhooks')
    const inserts = () => of('registry', 'INSERT').filter(span => under(created(), span))
    await until(() => inserts().length > 0 && created().length > 0, 20_000)
    expect(created()[0]).toMatchObject({ kind: SERVER })
    const batches = () => of('monitor', 'write history')
    await until(() => of('monitor', 'INSERT').some(span => under(batches(), span)), 20_000)
  }, 60_000)

  if (program === undefined) return
  it('are in Jaeger with their parents and links across the topics, and no secret is', async () => {
    const late = of('deliverer', 'POST').find(({ links }) => links !== undefined && links.length > 0)!
    await Promise.all(passedOn)
    const stored = await Promise.all([PRODUCER, late].map(({ traceId }) => jaeger!.trace(traceId)))
    const [whole, own] = stored.map(json =>
      spansOf((JSON.parse(json!) as { result: { resourceSpans: ResourceSpans[] } }).result.resourceSpans),
    )
    expectWholeTrace(whole!, of('deliverer', 'POST', own)[0]!)
    for (const secret of [...Object.values(PLANTED), SECRET, SECRET.slice(6), stack.key])
      expect(stored.join().includes(secret) ? secret : undefined).toBeUndefined()
  }, 30_000)
})
