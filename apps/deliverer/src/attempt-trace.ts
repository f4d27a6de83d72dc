import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes } from '@opentelemetry/api'
import { contextFrom, startSpan } from '@posthorn/telemetry'
import type { Delivery, Method, Outcome, SendResult } from '@posthorn/webhook'

export interface AttemptSpan {
  readonly ids: { readonly traceId: string; readonly spanId: string } | undefined
  end(outcome: Outcome['kind'], result: SendResult): void
  /** The attempt did not come to an outcome. */
  fail(error: Error): void
}

export interface AttemptTrace {
  start(delivery: Delivery, method: Method, now: number): AttemptSpan
}

const NO_SPAN: AttemptSpan = { ids: undefined, end: () => undefined, fail: () => undefined }

/** Without a collector a span costs 13 µs for nobody. */
export const untraced: AttemptTrace = { start: () => NO_SPAN }

/** A later attempt begins a trace of its own: trace stores decide what to keep within seconds of the first span. */
const SAME_TRACE_MS = 10_000

/** One HTTP client span per attempt. The URL is in none: the path of a webhook's URL may be a secret. */
export const traced: AttemptTrace = {
  start(delivery, method, now) {
    const attributes: Attributes = {
      'http.request.method': method,
      'webhook.id': delivery.webhook,
      'webhook.tenant.id': delivery.tenant,
      'webhook.message.id': delivery.id,
      'webhook.event.type': delivery.event.type,
      'webhook.attempt.number': delivery.attempt,
    }
    const span =
      now - delivery.acceptedAt <= SAME_TRACE_MS
        ? startSpan(method, SpanKind.CLIENT, delivery.traceparent, attributes)
        : startLinked(method, delivery.traceparent, attributes)
    const { traceId, spanId, traceFlags } = span.spanContext()
    return {
      ids: trace.isSpanContextValid({ traceId, spanId, traceFlags }) ? { traceId, spanId } : undefined,
      end(outcome, result) {
        span.setAttribute('webhook.attempt.outcome', outcome)
        if (result.kind === 'response') span.setAttribute('http.response.status_code', result.status)
        if (outcome !== 'delivered') {
          span.setAttribute('error.type', result.kind === 'response' ? String(result.status) : result.cause)
          span.setStatus({ code: SpanStatusCode.ERROR })
        }
        span.end()
      },
      fail(error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.name })
        span.end()
      },
    }
  },
}

function startLinked(method: Method, traceparent: string | undefined, attributes: Attributes) {
  const origin = trace.getSpanContext(contextFrom(traceparent))
  return trace
    .getTracer('posthorn')
    .startSpan(
      method,
      { kind: SpanKind.CLIENT, root: true, attributes, links: origin ? [{ context: origin }] : [] },
      ROOT_CONTEXT,
    )
}
