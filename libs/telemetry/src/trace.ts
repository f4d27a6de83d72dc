import {
  context,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
} from '@opentelemetry/api'
import { readTraceparent, traceparentText } from '@posthorn/webhook'

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const read = readTraceparent(traceparent)
  if (!read) return undefined
  const { traceId, spanId, sampled } = read
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true }
}

/** The remote parent that a W3C `traceparent` names; the active context when it is absent or malformed. */
export function contextFrom(traceparent: string | undefined): Context {
  const parent = spanContextOf(traceparent)
  return parent ? trace.setSpanContext(context.active(), parent) : context.active()
}

/** The span as a W3C `traceparent` for what it causes; undefined when tracing is off. */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext()
  if (/^0+$/.test(traceId)) return undefined
  return traceparentText({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 })
}

/** Starts a span of this process under a record's `traceparent`. */
export function startSpan(name: string, kind: SpanKind, traceparent: string | undefined, attributes: Attributes): Span {
  return tracer().startSpan(name, { kind, attributes }, contextFrom(traceparent))
}

/** Starts a trace of its own, which links to what it goes on from; it is recorded if the first of them was. */
export function startLinked(
  name: string,
  kind: SpanKind,
  goesOnFrom: readonly (string | undefined)[],
  attributes: Attributes,
): Span {
  const links = goesOnFrom.flatMap((traceparent): Link[] => {
    const linked = spanContextOf(traceparent)
    return linked ? [{ context: linked }] : []
  })
  return tracer().startSpan(name, { kind, root: true, attributes, links }, ROOT_CONTEXT)
}

const tracer = () => trace.getTracer('posthorn')
