import { SpanKind, SpanStatusCode, TraceFlags, type Attributes } from '@opentelemetry/api'
import { startLinked, startSpan, traceparentOf } from '@posthorn/telemetry'
import type { Delivery, Method, Outcome, SendResult } from '@posthorn/webhook'

export interface AttemptSpan {
  /** Absent where the span is not recorded: nobody could look at it. */
  readonly ids: { readonly traceId: string; readonly spanId: string } | undefined
  /** For the receiver, if its webhook asks for it. */
  readonly traceparent: string | undefined
  end(outcome: Outcome['kind'], result: SendResult): void
  /** The attempt did not come to an outcome. */
  fail(error: Error): void
}

export interface AttemptTrace {
  start(delivery: Delivery, method: Method, now: number): AttemptSpan
}

const nothing = () => undefined

/** Without a collector a span costs 13 µs for nobody: the receiver goes on with the producer's trace. */
export const untraced: AttemptTrace = {
  start: ({ traceparent }) => ({ ids: undefined, traceparent, end: nothing, fail: nothing }),
}

/** A later attempt begins a trace of its own: trace stores decide what to keep within seconds of the first span. */
const SAME_TRACE_MS = 10_000

/** One HTTP client span per attempt. The URL is in none: the path of a webhook's URL may be a secret. */
export const traced: AttemptTrace = {
  start(delivery, method, now) {
    const span =
      now - delivery.acceptedAt <= SAME_TRACE_MS
        ? startSpan(method, SpanKind.CLIENT, delivery.traceparent, attributesOf(delivery, method))
        : startLinked(
            method,
            SpanKind.CLIENT,
            [delivery.traceparent, delivery.attemptBefore],
            attributesOf(delivery, method),
          )
    const { traceId, spanId, traceFlags } = span.spanContext()
    return {
      ids: traceFlags & TraceFlags.SAMPLED ? { traceId, spanId } : undefined,
      traceparent: traceparentOf(span),
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

function attributesOf(delivery: Delivery, method: Method): Attributes {
  return {
    'http.request.method': method,
    'webhook.id': delivery.webhook,
    'webhook.tenant.id': delivery.tenant,
    'webhook.message.id': delivery.id,
    'webhook.event.type': delivery.event.type,
    'webhook.attempt.number': delivery.attempt,
  }
}
