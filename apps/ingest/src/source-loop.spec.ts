import { describe, expect, it } from '@jest/globals'
import { ProducerClosed, RecordRefused, type ConsumedRecord, type PartitionClaim } from '@posthorn/kafka'
import { until } from '@posthorn/testkit'
import { decodePoison, EVENTS, POISON, type TopicContract, type TopicRecord } from '@posthorn/topics'
import { compileSource, type MappedRecord } from '@posthorn/webhook'
import { SourceLoop } from './source-loop.js'
import type { SourceResult } from './source-metrics.js'

const TOPIC: TopicContract = { name: 'orders', cleanup: 'delete', partitions: 'work' }

const map = compileSource({
  topic: 'orders',
  value: 'json',
  start: 'latest',
  event: { tenant: { constant: 'acme' }, type: { constant: 'order.created' } },
})

function setUp(changes: { send?: (topic: TopicContract) => Promise<void>; map?: () => MappedRecord } = {}) {
  const sent: { readonly topic: TopicContract; readonly record: TopicRecord }[] = []
  const done: number[] = []
  const results: SourceResult[] = []
  const errors: Error[] = []
  const ending = new AbortController()
  const claim: PartitionClaim = {
    topic: TOPIC,
    partition: 0,
    done: offset => done.push(offset),
    pause: () => undefined,
    resume: () => undefined,
    revoked: ending.signal,
  }
  const loop = new SourceLoop({
    source: 'orders',
    map: changes.map ?? map,
    hasTenant: tenant => tenant === 'acme',
    maxEventBytes: 1024,
    output: {
      room: async () => undefined,
      send: async (topic, record) => {
        await changes.send?.(topic)
        sent.push({ topic, record })
      },
    },
    settled: result => results.push(result),
    fatal: error => errors.push(error),
  })
  const take = (...records: ConsumedRecord[]) => loop.enqueue({ claim, records })
  return { take, sent, done, results, errors, ending }
}

function record(offset: number, value: string | null = '{}'): ConsumedRecord {
  return {
    topic: TOPIC,
    partition: 0,
    offset,
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers: undefined,
    timestamp: 5,
  }
}

const settledAs = (results: readonly SourceResult[], count: number) => until(() => results.length === count, 30_000)
const aside = (record: TopicRecord) => {
  const read = decodePoison(record.value)
  return read.kind === 'poison' ? read.head.reason : read.kind
}

describe('SourceLoop', () => {
  it('finishes an offset only when its event is acknowledged', async () => {
    let acknowledge!: () => void
    const acknowledged = new Promise<void>(resolve => (acknowledge = resolve))
    const { take, done, results } = setUp({ send: () => acknowledged })
    take(record(1), record(2, null))
    await settledAs(results, 1)
    expect([done, results]).toEqual([[2], ['skipped']])
    acknowledge()
    await settledAs(results, 2)
    expect(done).toEqual([2, 1])
  })

  it('sets aside what the log refuses as too large', async () => {
    const refuse = async (topic: TopicContract) => {
      if (topic === EVENTS) throw new RecordRefused('the record has too many bytes')
    }
    const { take, sent, done, results } = setUp({ send: refuse })
    take(record(1))
    await settledAs(results, 1)
    expect([results, done, sent.map(({ topic, record }) => [topic, aside(record)])]).toEqual([
      ['poisoned'],
      [1],
      [[POISON, 'too_large']],
    ])
  })

  it('sets aside a record on which the code fails', async () => {
    const fail = () => {
      throw new RangeError('Maximum call stack size exceeded')
    }
    const { take, sent, results, errors } = setUp({ map: fail })
    take(record(1))
    await settledAs(results, 1)
    expect([aside(sent[0]!.record), errors]).toEqual(['handler_failed', []])
  })

  it('leaves what it could not send to the next owner when it stops', async () => {
    const close = async () => {
      throw new ProducerClosed()
    }
    const { take, done, results, errors } = setUp({ send: close })
    take(record(1), record(2, null))
    await settledAs(results, 1)
    expect([done, errors]).toEqual([[2], []])
  })

  it('tells of a record that can neither be accepted nor set aside, and does not finish it', async () => {
    const refuse = async () => {
      throw new RecordRefused('no')
    }
    const { take, done, errors } = setUp({ send: refuse })
    take(record(7))
    await until(() => errors.length === 1, 30_000)
    expect([errors[0]!.message, done]).toEqual([expect.stringContaining('orders/0/7'), []])
  })

  it('sends nothing of a partition that was lost', async () => {
    const { take, sent, ending } = setUp()
    ending.abort()
    take(record(1))
    await new Promise(setImmediate)
    expect(sent).toEqual([])
  })
})
