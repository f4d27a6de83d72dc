import { describe, expect, it } from '@jest/globals'
import type { ConsumedRecord } from '@posthorn/kafka'
import {
  ATTEMPTS,
  DEAD_LETTERS,
  DELIVERIES,
  DUE,
  encodeAttempt,
  encodeDeadLetter,
  encodeDelivery,
  encodeEvent,
  encodePoison,
  EVENTS,
  POISON,
  type Attempt,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import { OWN_SOURCE, PROBE_TENANT, PROBE_TYPE, type Delivery, type WebhookEvent } from '@posthorn/webhook'
import { readEntry } from './read-entry.js'

const event: WebhookEvent = {
  tenant: 'acme',
  id: 'e1',
  source: '/s',
  type: 'a.b',
  time: '2026-11-24T12:00:00Z',
  contenttype: 'application/json',
}
const delivery: Delivery = {
  id: 'delivery_1',
  webhook: 'webhook_1',
  webhookVersion: 1,
  tenant: 'acme',
  run: '0',
  attempt: 1,
  due: 0,
  acceptedAt: 5,
  origin: { partition: 0, offset: 0 },
  spills: 0,
  event,
}
const attempt: Attempt = {
  delivery: 'delivery_1',
  run: '0',
  attempt: 1,
  webhook: 'webhook_1',
  webhook_version: 1,
  tenant: 'acme',
  event,
  accepted_at: '2026-11-24T12:00:00.000Z',
  outcome: 'exhausted',
  due_at: '2026-11-24T12:00:00.000Z',
  started_at: '2026-11-24T12:00:00.000Z',
  finished_at: '2026-11-24T12:00:00.010Z',
  duration_ms: 10,
}
const head = { topic: 't', partition: 0, offset: 1, timestamp: 2, reason: 'undecodable', detail: 'd', size: 1 } as const

function read(topic: TopicContract, { key, value, headers }: TopicRecord, tenant: string | undefined = 'default') {
  const record: ConsumedRecord = {
    topic,
    partition: 0,
    offset: 0,
    key,
    value,
    timestamp: 9,
    ...(headers ? { headers } : {}),
  }
  return readEntry(record, tenant)
}

const NOTHING = { kind: 'entry', entry: { kind: 'nothing' } }
// Of this version, but its head does not fit: any other first byte would be a version to come.
const garbage: TopicRecord = { key: null, value: Buffer.from([1, 0, 0, 0, 99, 1]) }
const newer: TopicRecord = { key: null, value: Buffer.from([9, 0, 0, 0, 0]) }

describe('what a record means for the history', () => {
  it('is an event, accepted when the log took it', () => {
    const data = Buffer.from('{"a":1}')
    expect(read(EVENTS, encodeEvent(event, data))).toEqual({
      kind: 'entry',
      entry: { kind: 'event', event, data, acceptedAt: 9 },
    })
  })

  it('is a delivery, an attempt, a dead letter or poison', () => {
    expect(read(DELIVERIES, encodeDelivery(delivery, Buffer.alloc(0)))).toEqual({
      kind: 'entry',
      entry: { kind: 'delivery', delivery },
    })
    expect(read(ATTEMPTS, encodeAttempt(attempt))).toEqual({ kind: 'entry', entry: { kind: 'attempt', attempt } })
    expect(read(DEAD_LETTERS, encodeDeadLetter(delivery, attempt, Buffer.alloc(0)))).toEqual({
      kind: 'entry',
      entry: { kind: 'dead-letter', attempt },
    })
    expect(read(POISON, encodePoison(head, Buffer.from('x')))).toEqual({
      kind: 'entry',
      entry: { kind: 'poison', head, value: Buffer.from('x') },
    })
  })

  it('S13 is nothing of a probe', () => {
    const probe = { tenant: PROBE_TENANT, source: OWN_SOURCE, type: PROBE_TYPE }
    const none = Buffer.alloc(0)
    const [sent, made] = [
      { ...delivery, tenant: PROBE_TENANT },
      { ...attempt, tenant: PROBE_TENANT },
    ]
    expect(read(EVENTS, encodeEvent({ ...event, ...probe }, none))).toEqual(NOTHING)
    expect(read(DELIVERIES, encodeDelivery(sent, none))).toEqual(NOTHING)
    expect(read(ATTEMPTS, encodeAttempt(made))).toEqual(NOTHING)
    expect(read(DEAD_LETTERS, encodeDeadLetter(sent, made, none))).toEqual(NOTHING)
  })

  it('is nothing where another service answers for what is bad', () => {
    for (const topic of [EVENTS, DELIVERIES, POISON]) expect(read(topic, garbage)).toEqual(NOTHING)
  })

  it('is poison where nobody else would tell', () => {
    for (const topic of [ATTEMPTS, DEAD_LETTERS])
      expect(read(topic, garbage)).toMatchObject({ kind: 'undecodable', detail: expect.any(String) })
  })

  it('is left alone in a newer frame', () => {
    for (const topic of [DELIVERIES, DEAD_LETTERS, POISON])
      expect(read(topic, newer)).toEqual({ kind: 'newer', version: 9 })
  })

  it('is a fault of ours on another topic', () => {
    expect(() => read(DUE, garbage)).toThrow('due.v1')
  })
})
