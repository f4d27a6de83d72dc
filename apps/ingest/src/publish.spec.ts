import { describe, expect, it } from '@jest/globals'
import { ApiError } from '@posthorn/api'
import { ProducerClosed, ProduceTimeout, RecordRefused } from '@posthorn/kafka'
import { decodeEvent, type TopicRecord } from '@posthorn/topics'
import type { WebhookEvent } from '@posthorn/webhook'
import { MAX_QUEUED_BYTES, publish, type PublishRequest } from './publish.js'
import { PublishMetrics } from './publish-metrics.js'
import { untraced } from './publish-trace.js'

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

function setUp(fail?: Error) {
  const sent: TopicRecord[] = []
  const output = {
    queuedBytes: 0,
    send: async (_topic: unknown, record: TopicRecord) => {
      if (fail) throw fail
      sent.push(record)
    },
  }
  const misfits = ({ type }: WebhookEvent) =>
    type === 'unfit' ? [{ pointer: '/data/a', message: 'is required' }] : undefined
  const parts = {
    output,
    maxEventBytes: 1024,
    metrics: new PublishMetrics(() => 0),
    trace: untraced,
    isRefusedType: ({ type }: WebhookEvent) => type === 'unknown',
    misfits,
  }
  return { parts, sent, output }
}

function request(body: string, headers: Record<string, string> = {}): PublishRequest {
  return { tenant: 'acme', mode: 'plain', headers, body: Buffer.from(body) }
}

function extensionsOf(record: TopicRecord) {
  const read = decodeEvent({ ...record, timestamp: 0 }, undefined)
  if (read.kind === 'bad') throw new Error(JSON.stringify(read.problems))
  return read.event.extensions
}

const codeOf = (error: unknown) => (error instanceof ApiError ? error.code : String(error))

describe('publish', () => {
  it('answers one event by its id and source, and an array in its order', async () => {
    const { parts, sent } = setUp()
    expect(await publish(request('{"id":"1","type":"a","data":1}'), parts)).toEqual({ id: '1', source: '/v1/publish' })
    const body = '[{"id":"2","type":"a","data":1},{"id":"3","source":"/x","type":"a","data":1}]'
    expect(await publish(request(body), parts)).toEqual({
      data: [
        { id: '2', source: '/v1/publish' },
        { id: '3', source: '/x' },
      ],
    })
    expect(sent).toHaveLength(3)
  })

  it('produces nothing of an array with one bad event', async () => {
    const { parts, sent } = setUp()
    await expect(publish(request('[{"type":"a","data":1},{"type":"a b","data":1}]'), parts)).rejects.toThrow('/1/type')
    expect(sent).toEqual([])
  })

  it.each([
    ['one event', '{"type":"unfit","data":1}', ['/data/a']],
    [
      'an array',
      '[{"type":"a","data":1},{"type":"unfit","data":1},{"type":"unfit","data":1}]',
      ['/1/data/a', '/2/data/a'],
    ],
  ])('S7 refuses %s that does not fit the schema of its type, as a whole', async (_name, body, pointers) => {
    const { parts, sent } = setUp()
    const error = await publish(request(body), parts).catch((thrown: unknown) => thrown as ApiError)
    expect(error).toMatchObject({ code: 'event_schema_mismatch', status: 422 })
    expect((error as ApiError).errors.map(({ pointer }) => pointer)).toEqual(pointers)
    expect(sent).toEqual([])
  })

  it.each([
    ['one event', '{"type":"unknown","data":1}', ['/type']],
    ['an array', '[{"type":"unfit","data":1},{"type":"unknown","data":1}]', ['/1/type']],
  ])('S1 refuses %s of a type outside the catalogue, as a whole, where the tenant wants that', async (_, body, at) => {
    const { parts, sent } = setUp()
    const error = await publish(request(body), parts).catch((thrown: unknown) => thrown as ApiError)
    expect(error).toMatchObject({ code: 'event_type_unknown', status: 422 })
    expect((error as ApiError).errors.map(({ pointer }) => pointer)).toEqual(at)
    expect(sent).toEqual([])
  })

  it("carries the request's trace unless the event has its own", async () => {
    const { parts, sent } = setUp()
    const headers = { traceparent: TRACE }
    await publish(request('{"type":"a","data":1}', headers), parts)
    const own = TRACE.replace('b7', 'aa')
    const event = { specversion: '1.0', id: '1', source: '/s', type: 'a', traceparent: own, data: 1 }
    await publish(request(JSON.stringify(event), headers), parts)
    await publish(request('{"type":"a","data":1}', { traceparent: 'nonsense' }), parts)
    expect(sent.map(extensionsOf)).toEqual([{ traceparent: TRACE }, { traceparent: own }, undefined])
  })

  it.each([
    [new ProduceTimeout(), 'kafka_unavailable'],
    [new ProducerClosed(), 'kafka_unavailable'],
    [new RecordRefused(), 'body_too_large'],
  ])('answers %s with %s', async (failure, code) => {
    const error = await publish(request('[{"type":"a","data":1},{"type":"a","data":1}]'), setUp(failure).parts).catch(
      codeOf,
    )
    expect(error).toBe(code)
  })

  it('refuses at once while too much waits for Kafka', async () => {
    const { parts, output, sent } = setUp()
    output.queuedBytes = MAX_QUEUED_BYTES
    expect(await publish(request('{"type":"a","data":1}'), parts).catch(codeOf)).toBe('kafka_unavailable')
    expect(sent).toEqual([])
  })
})
