import { context, trace, TraceFlags, type Attributes, type Context, type Span, type SpanKind } from '@opentelemetry/api'

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The remote parent that a W3C `traceparent` names; the root context when it is absent or malformed. */
export function contextFrom(traceparent: string | undefined): Context {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent)
  if (!match) return context.active()
  return trace.setSpanContext(context.active(), {
    traceId: match[1]!,
    spanId: match[2]!,
    traceFlags: Number.parseInt(match[3]!, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  })
}

/** The span as a W3C `traceparent` for the record it causes; undefined when tracing is off. */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return /^0+$/.test(traceId) ? undefined : `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** Starts a span of this process under a record's `traceparent`. */
export function startSpan(name: string, kind: SpanKind, traceparent: string | undefined, attributes: Attributes): Span {
  return trace.getTracer('posthorn').startSpan(name, { kind, attributes }, contextFrom(traceparent))
}
