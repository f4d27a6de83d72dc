import { SpanKind, trace } from '@opentelemetry/api'
import { startSpan, traceparentOf } from '@posthorn/telemetry'
import { readTraceparent } from '@posthorn/webhook'

/** The span of one publication, and what its events carry on. */
export interface PublishSpan {
  readonly traceparent: string | undefined
  end(): void
}

export interface PublishTrace {
  /** `header` is the request's own traceparent; ignored when malformed. */
  start(header: string | string[] | undefined, events: number): PublishSpan
}

const nothing = () => undefined

function valid(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && readTraceparent(header) ? header : undefined
}

/** Without a collector the client's traceparent is passed on as it came. */
export const untraced: PublishTrace = { start: header => ({ traceparent: valid(header), end: nothing }) }

/** One span per publication, by the messaging conventions; `topic` is the full name. */
export function tracedBy(topic: string): PublishTrace {
  return {
    start(header, events) {
      // Within a request that has a span of its own, that one has the header for its parent.
      const parent = trace.getActiveSpan() ? undefined : valid(header)
      const span = startSpan(`send ${topic}`, SpanKind.PRODUCER, parent, {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'send',
        'messaging.operation.name': 'send',
        'messaging.destination.name': topic,
        'messaging.batch.message_count': events,
      })
      return { traceparent: traceparentOf(span) ?? parent, end: () => span.end() }
    },
  }
}
