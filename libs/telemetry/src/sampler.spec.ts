import { describe, expect, it } from '@jest/globals'
import { context, ROOT_CONTEXT, SpanKind, trace, TraceFlags, type Link, type SpanContext } from '@opentelemetry/api'
import { SamplingDecision } from '@opentelemetry/sdk-trace'
import { traceSampler } from './sampler.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanContext = (traceFlags: TraceFlags): SpanContext => ({
  traceId: TRACE,
  spanId: '00f067aa0ba902b7',
  traceFlags,
})
const linkTo = (traceFlags: TraceFlags): Link => ({ context: spanContext(traceFlags) })

function isSampled(ratio: number, links: Link[] = [], parent?: TraceFlags): boolean {
  const under = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(context.active(), spanContext(parent))
  const { decision } = traceSampler(ratio).shouldSample(under, TRACE, 'POST', SpanKind.CLIENT, {}, links)
  return decision === SamplingDecision.RECORD_AND_SAMPLED
}

describe('traceSampler', () => {
  it('follows the parent, whatever the ratio', () => {
    expect(isSampled(0, [], TraceFlags.SAMPLED)).toBe(true)
    expect(isSampled(1, [], TraceFlags.NONE)).toBe(false)
  })

  it('records what goes on from a recorded trace, and nothing that goes on from another', () => {
    expect(isSampled(0, [linkTo(TraceFlags.SAMPLED)])).toBe(true)
    expect(isSampled(1, [linkTo(TraceFlags.NONE), linkTo(TraceFlags.SAMPLED)])).toBe(false)
  })

  it('takes the ratio of new traces', () => {
    expect([isSampled(1), isSampled(0)]).toEqual([true, false])
  })
})
