import type { WebhookEvent } from './event.js'

/** What a W3C `traceparent` names; ids in lower-case hex. */
export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

const TRACEPARENT = /^00-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})$/

/** Undefined when the text is none. */
export function readTraceparent(text: unknown): TraceParent | undefined {
  const match = typeof text === 'string' ? TRACEPARENT.exec(text) : null
  return match
    ? { traceId: match[1]!, spanId: match[2]!, sampled: Number.parseInt(match[3]!, 16) % 2 === 1 }
    : undefined
}

export function traceparentText({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** The event without the extensions that say which trace it belongs to, for receivers who did not ask. */
export function withoutTrace(event: WebhookEvent): WebhookEvent {
  const { extensions } = event
  if (extensions?.traceparent === undefined && extensions?.tracestate === undefined) return event
  const { traceparent: _parent, tracestate: _state, ...others } = extensions
  return { ...event, extensions: others }
}
