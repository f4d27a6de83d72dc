import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { callApi, startReceiver, startStack, until, type Receiver, type Stack } from '@posthorn/testkit'

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

const PRODUCER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
/** Each stands in one place that a span must not show. */
const PLANTED = {
  path: 'path-7f1c',
  query: 'query-9a0d',
  data: 'data-53be',
  header: 'header-c8e4',
  baggage: 'bag-21f6',
}
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

let collector: Server
let collected: Span[] = []
let sent = ''
let receiver: Receiver
let stack: Stack

beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      sent += body
      collected = [...collected, ...spansOf(body)]
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
  receiver = await startReceiver((_request, index) => ({ status: index < 2 ? 500 : 200 }))
  const { port } = collector.address() as AddressInfo
  stack = await startStack({ POSTHORN_TRACE_OTLP_URL: `http://127.0.0.1:${port}` })
}, 120_000)

afterAll(async () => {
  await stack?.stop()
  await receiver?.close()
  collector.close()
}, 60_000)

function spansOf(body: string): Span[] {
  interface Resource {
    readonly resource: { readonly attributes: { readonly key: string; readonly value: { stringValue: string } }[] }
    readonly scopeSpans: { readonly spans: Span[] }[]
  }
  const { resourceSpans } = JSON.parse(body) as { resourceSpans: Resource[] }
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')!.value.stringValue
    return scopeSpans.flatMap(({ spans }) => spans.map(span => ({ ...span, service })))
  })
}

interface Attempt {
  readonly trace_id: string
  readonly span_id: string
}

async function attempts(): Promise<readonly Attempt[]> {
  const { data } = (await callApi(stack, 'GET', '/v1/deliveries?event=traced')) as { data: { id: string }[] }
  if (!data[0]) return []
  return ((await callApi(stack, 'GET', `/v1/deliveries/${data[0].id}`)) as { attempts: Attempt[] }).attempts
}

describe('Traces', () => {
  it('lead from the producer to each request; a late retry is a trace of its own, with a link', async () => {
    await callApi(stack, 'POST', '/v1/webhooks', {
      url: `${receiver.url}/${PLANTED.path}?token=${PLANTED.query}`,
      events: ['traced.event'],
      secret: SECRET,
      headers: { 'x-own': PLANTED.header },
      retry_policy: { attempts: 3, interval_ms: 1000, factor: 11, jitter: 0 },
    })
    const published = await fetch(`${stack.publish}/v1/publish`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${stack.key}`,
        'content-type': 'application/json',
        traceparent: `00-${PRODUCER.traceId}-${PRODUCER.spanId}-01`,
        baggage: `customer=${PLANTED.baggage}`,
      },
      body: JSON.stringify({ id: 'traced', type: 'traced.event', data: { of: PLANTED.data } }),
    })
    expect(published.status).toBe(202)
    const requests = await receiver.waitFor(3, 60_000)
    const posts = () => collected.filter(({ service, name }) => service === 'posthorn-deliverer' && name === 'POST')
    await until(async () => posts().length === 3 && (await attempts()).length === 3, 30_000)

    const [send] = collected.filter(({ service }) => service === 'posthorn-ingest')
    const [route] = collected.filter(({ service }) => service === 'posthorn-router')
    expect(send).toMatchObject({ traceId: PRODUCER.traceId, parentSpanId: PRODUCER.spanId })
    expect(route).toMatchObject({ traceId: PRODUCER.traceId, parentSpanId: send!.spanId })
    const origin = { traceId: PRODUCER.traceId, spanId: route!.spanId }
    const [first, second, late] = (await attempts()).map(({ span_id }) => posts().find(span => span.spanId === span_id))
    for (const early of [first, second])
      expect(early).toMatchObject({ traceId: origin.traceId, parentSpanId: origin.spanId, status: { code: 2 } })
    expect(late!.traceId).not.toBe(origin.traceId)
    expect(late!.parentSpanId ?? '').toBe('')
    expect(late!.links).toMatchObject([origin])
    expect((await attempts()).map(({ trace_id }) => trace_id)).toEqual([first, second, late].map(span => span!.traceId))

    for (const { headers } of requests) expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['baggage']))
    for (const { headers } of requests) expect(headers.traceparent).toBeUndefined()
    for (const secret of [...Object.values(PLANTED), SECRET, SECRET.slice(6), stack.key])
      expect(sent.includes(secret) ? secret : undefined).toBeUndefined()
  }, 120_000)
})
