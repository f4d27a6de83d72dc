import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { context, trace, TraceFlags } from '@opentelemetry/api'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import { createLogger, describeError } from './logger.js'

describe('describeError', () => {
  it('keeps what an error says and its plain values, with its causes', () => {
    const error = Object.assign(new TypeError('no row', { cause: new Error('connection lost') }), { code: '57P01' })
    const described = describeError(error) as Record<string, string>
    expect(described).toMatchObject({ type: 'TypeError', code: '57P01' })
    expect(described.message).toBe('no row: connection lost')
    expect(described.stack).toContain('logger.spec')
    expect(described.stack).toContain('connection lost')
  })

  it('leaves out the objects that libraries hang on it', () => {
    const error = Object.assign(new Error('broke'), { client: { secretKey: 4711, queries: ['select 1'] } })
    expect(JSON.stringify(describeError(error))).not.toMatch(/4711|select 1|client/)
  })

  it('leaves out where Postgres says the values of a row', () => {
    const error = Object.assign(new Error('violates check constraint'), { code: '23514', detail: 'Failing row (4711)' })
    expect(describeError(error)).toMatchObject({ code: '23514' })
    expect(JSON.stringify(describeError(error))).not.toContain('4711')
  })

  it('passes on what is thrown and is no error', () => {
    expect(describeError('text')).toBe('text')
  })
})

describe('createLogger', () => {
  const sdk = new NodeSDK({
    autoDetectResources: false,
    metricReaders: [],
    logRecordProcessors: [],
    spanProcessors: [new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() })],
    instrumentations: [],
  })
  beforeAll(() => sdk.start())
  afterAll(() => sdk.shutdown())

  it('says which trace a line is of, where it is recorded', () => {
    const lines: string[] = []
    const logger = createLogger('info', 'test', { write: line => void lines.push(line) })
    const ids = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
    const span = trace
      .getTracer('test')
      .startSpan('work', {}, trace.setSpanContext(context.active(), { ...ids, traceFlags: TraceFlags.SAMPLED }))
    context.with(trace.setSpan(context.active(), span), () => logger.info('within'))
    span.end()
    logger.info({ trace_id: 'its own' }, 'without')
    const [within, without] = lines.map(line => JSON.parse(line) as Record<string, unknown>)
    expect(within).toMatchObject({ msg: 'within', trace_id: ids.traceId, span_id: span.spanContext().spanId })
    expect(without).toMatchObject({ trace_id: 'its own' })
    expect(without).not.toHaveProperty('span_id')
  })
})
