import { ServerInterceptingCall, status, type Metadata, type ServerInterceptor } from '@grpc/grpc-js'
import { context, SpanKind, SpanStatusCode, trace, TraceFlags, type Attributes, type Span } from '@opentelemetry/api'
import { readTraceparent } from '@posthorn/webhook'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/*
 * One span for each request and call, by the conventions for HTTP and RPC, under the client's `traceparent`. What is
 * made on the way to the answer (queries, what is sent to Kafka) is a child of it. Paths, queries and messages are in
 * none: they hold what is the customer's, and the route says enough.
 */

function serverSpan(name: string, traceparent: unknown, attributes: Attributes): Span {
  const parent = readTraceparent(traceparent)
  const remote = parent && {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  }
  const under = remote ? trace.setSpanContext(context.active(), remote) : context.active()
  return trace.getTracer('posthorn').startSpan(name, { kind: SpanKind.SERVER, attributes }, under)
}

const within = (span: Span, next: () => void) => context.with(trace.setSpan(context.active(), span), next)

/** Of HTTP; a request that ends without an answer has a span, too. */
export function traceRequests(fastify: FastifyInstance): void {
  const spans = new WeakMap<FastifyRequest, Span>()
  const end = (request: FastifyRequest, finish: (span: Span) => void) => {
    const span = spans.get(request)
    spans.delete(request)
    if (!span) return
    finish(span)
    span.end()
  }
  fastify
    .addHook('onRequest', (request, _reply, done) => {
      const { method } = request
      const { url: route } = request.routeOptions
      const span = serverSpan(route === undefined ? method : `${method} ${route}`, request.headers.traceparent, {
        'http.request.method': method,
        'url.scheme': request.protocol,
        ...(route === undefined ? {} : { 'http.route': route }),
      })
      spans.set(request, span)
      within(span, done)
    })
    .addHook('onResponse', (request, { statusCode }, done) => {
      end(request, span => {
        span.setAttribute('http.response.status_code', statusCode)
        if (statusCode >= 500) fail(span, String(statusCode))
      })
      done()
    })
    .addHook('onRequestAbort', (request, done) => {
      end(request, span => fail(span, 'aborted'))
      done()
    })
}

/** Of gRPC; health checks and reflection are for machines that look every second. */
export const traceCalls: ServerInterceptor = ({ path }, call) => {
  const [, service = '', method = ''] = path.split('/')
  if (!service.startsWith('posthorn.')) return new ServerInterceptingCall(call)
  let span: Span | undefined
  const under = (next: () => void) => (span ? within(span, next) : next())
  return new ServerInterceptingCall(call, {
    start: next =>
      next({
        onReceiveMetadata: (metadata, go) => {
          span = serverSpan(`${service}/${method}`, firstOf(metadata, 'traceparent'), {
            'rpc.system': 'grpc',
            'rpc.service': service,
            'rpc.method': method,
          })
          under(() => go(metadata))
        },
        onReceiveMessage: (message, go) => under(() => go(message)),
        onReceiveHalfClose: go => under(go),
        onCancel: () => {
          if (span) fail(span, 'cancelled')
          span?.end()
          span = undefined
        },
      }),
    sendStatus: (ended, next) => {
      span?.setAttribute('rpc.grpc.status_code', ended.code)
      if (span && OUR_FAULTS.has(ended.code)) fail(span, status[ended.code])
      span?.end()
      span = undefined
      next(ended)
    },
  })
}

const OUR_FAULTS: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
])

function fail(span: Span, what: string): void {
  span.setAttribute('error.type', what)
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function firstOf(metadata: Metadata, name: string): unknown {
  return metadata.get(name)[0]
}
