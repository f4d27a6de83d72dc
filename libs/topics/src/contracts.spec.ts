// Longer than files are here: every contract goes through the same round trips and faults.
import { describe, expect, it } from '@jest/globals'
import {
  DEFAULT_RETRY_POLICY,
  eventIdentity,
  type Delivery,
  type Source,
  type Webhook,
  type WebhookEvent,
} from '@posthorn/webhook'
import fc from 'fast-check'
import {
  decodeAttempt,
  decodeDeadLetter,
  decodeDelivery,
  decodeEvent,
  decodeEventType,
  decodeKey,
  decodePoison,
  decodeSource,
  decodeTenant,
  decodeWebhook,
  encodeAttempt,
  encodeDeadLetter,
  encodeDelivery,
  encodeEvent,
  encodeMark,
  encodePoison,
  encodeSource,
  encodeTenant,
  encodeWebhook,
  frame,
  poisonRecord,
  type Attempt,
  type PoisonHead,
  type Tenant,
  type TopicRecord,
} from './index.js'

const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const text = (maxLength: number) =>
  fc
    .string({ unit: 'grapheme-composite', minLength: 1, maxLength })
    .filter(one => one.length <= maxLength && !/[\0-\x1f\x7f]/.test(one))
const event = (contenttype: fc.Arbitrary<string>): fc.Arbitrary<WebhookEvent> =>
  fc.record(
    {
      tenant: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/),
      id: text(40),
      source: text(40),
      type: fc.stringMatching(/^[a-z_-]{1,8}(\.[A-Z0-9]{1,8}){0,3}$/),
      time: fc
        .date({ min: new Date(0), max: new Date('9999-01-01T00:00:00Z'), noInvalidDate: true })
        .map(at => at.toISOString()),
      contenttype,
      partitionkey: text(20),
      subject: text(20),
      dataschema: text(20),
      extensions: fc.dictionary(fc.stringMatching(/^x[a-z0-9]{1,9}$/), text(20), {
        minKeys: 1,
        maxKeys: 4,
        noNullPrototype: true,
      }),
    },
    { requiredKeys: ['tenant', 'id', 'source', 'type', 'time', 'contenttype'] },
  )
const json = fc.constantFrom(
  'application/json',
  'Application/JSON; charset=utf-8',
  'application/x+json',
  'application/cloudevents+json',
)
const other = fc.constantFrom(
  'text/plain',
  'application/octet-stream',
  'application/cloudevents-x',
  'application/cloudevents+xml',
)
const bytes = fc.uint8Array({ maxLength: 60 }).map(array => Buffer.from(array))

const delivery: fc.Arbitrary<Delivery> = fc.record(
  {
    id: text(40),
    webhook: text(40),
    webhookVersion: whole,
    tenant: text(10),
    run: text(10),
    attempt: whole,
    due: whole,
    acceptedAt: whole,
    origin: fc.record({ partition: whole, offset: whole }),
    spills: whole,
    bulk: fc.constant(true as const),
    traceparent: text(55),
    event: event(fc.oneof(json, other)),
  },
  {
    requiredKeys: [
      'id',
      'webhook',
      'webhookVersion',
      'tenant',
      'run',
      'attempt',
      'due',
      'acceptedAt',
      'origin',
      'spills',
      'event',
    ],
  },
)
const instant = '2026-01-31T12:00:00.000Z'
const attempt: fc.Arbitrary<Attempt> = fc.record(
  {
    delivery: text(40),
    run: text(10),
    attempt: whole,
    webhook: text(40),
    webhook_version: whole,
    tenant: text(10),
    event: fc.record({ id: text(9), source: text(9), type: text(9), time: fc.constant(instant) }),
    accepted_at: fc.constant(instant),
    outcome: fc.constantFrom('delivered', 'retry', 'exhausted', 'expired', 'gone', 'discarded'),
    due_at: fc.constant(instant),
    started_at: fc.constant(instant),
    finished_at: fc.constant(instant),
    duration_ms: whole,
    url: fc.webUrl(),
    status_code: fc.integer({ min: 100, max: 599 }),
    error: text(40),
    response_body: fc.string({ unit: 'grapheme' }),
  },
  {
    requiredKeys: [
      'delivery',
      'run',
      'attempt',
      'webhook',
      'webhook_version',
      'tenant',
      'event',
      'accepted_at',
      'outcome',
      'due_at',
      'started_at',
      'finished_at',
      'duration_ms',
    ],
  },
)

/** As a consumer sees the record: other timestamp, headers as bytes. */
const asRead = ({ key, value, headers = {} }: TopicRecord) => ({
  key,
  value,
  timestamp: 5,
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)])),
})

describe('events.v1', () => {
  it('brings JSON events back with the very bytes of their data', () => {
    const data = fc
      .tuple(fc.stringMatching(/^[ \n]{0,2}$/), fc.json(), fc.stringMatching(/^[ \n]{0,2}$/))
      .map(parts => Buffer.from(parts.join('')))
    fc.assert(
      fc.property(event(json), data, (written, data) => {
        const read = decodeEvent(asRead(encodeEvent(written, data)), undefined)
        expect(read).toEqual({ kind: 'event', event: written, data })
      }),
    )
  })

  it('brings all other events back, whatever their bytes', () => {
    fc.assert(
      fc.property(event(other), bytes, (written, data) => {
        expect(decodeEvent(asRead(encodeEvent(written, data)), undefined)).toEqual({
          kind: 'event',
          event: written,
          data,
        })
      }),
    )
  })

  it('keeps the absence of data', () => {
    fc.assert(
      fc.property(event(fc.oneof(json, other)), written => {
        const read = decodeEvent(asRead(encodeEvent(written, Buffer.alloc(0))), undefined)
        expect(read).toEqual({ kind: 'event', event: written, data: Buffer.alloc(0) })
      }),
    )
  })

  it('has the key of the ordering key, else of the identity', () => {
    fc.assert(
      fc.property(event(json), written => {
        const key = encodeEvent(written, Buffer.from('1')).key!.toString()
        const { partitionkey } = written
        expect(key).toBe(partitionkey === undefined ? eventIdentity(written) : `${written.tenant}:${partitionkey}`)
      }),
    )
  })
})

describe('deliveries.v1, due.v1, bulk.v1, delay.*.v1', () => {
  it('round-trips under the key of the webhook, without headers', () => {
    fc.assert(
      fc.property(delivery, bytes, (written, data) => {
        const record = encodeDelivery(written, data)
        expect(record.key).toEqual(Buffer.from(written.webhook))
        expect(record.headers).toBeUndefined()
        expect(decodeDelivery(record.value)).toEqual({ kind: 'delivery', delivery: written, data })
      }),
    )
  })

  it('keeps what a newer writer of the same version added', () => {
    const [written] = fc.sample(delivery, 1) as [Delivery]
    const read = decodeDelivery(frame({ ...written, later: { a: 1 } }, Buffer.from('x')))
    if (read.kind !== 'delivery') throw new Error(read.kind)
    const again = decodeDelivery(encodeDelivery(read.delivery, read.data).value)
    expect(again).toEqual({ kind: 'delivery', delivery: { ...written, later: { a: 1 } }, data: Buffer.from('x') })
  })

  it('names the member that is missing or of the wrong type', () => {
    const [written] = fc.sample(delivery, 1) as [Delivery]
    for (const name of [
      'id',
      'webhook',
      'webhookVersion',
      'tenant',
      'run',
      'attempt',
      'due',
      'acceptedAt',
      'spills',
      'origin',
    ])
      for (const value of [undefined, null, true, 1.5])
        expect(decodeDelivery(frame({ ...written, [name]: value }, Buffer.alloc(0)))).toEqual({
          kind: 'bad',
          detail: expect.stringContaining(`head.${name} must`),
        })
    for (const name of ['tenant', 'id', 'source', 'type', 'time', 'contenttype'])
      expect(decodeDelivery(frame({ ...written, event: { ...written.event, [name]: 1 } }, Buffer.alloc(0)))).toEqual({
        kind: 'bad',
        detail: `head.event.${name} must be a string`,
      })
  })
})

describe('dead-letters.v1', () => {
  it('round-trips the delivery and its last attempt', () => {
    fc.assert(
      fc.property(delivery, attempt, bytes, (written, last, data) => {
        const record = encodeDeadLetter(written, last, data)
        expect(record.key).toEqual(Buffer.from(written.webhook))
        expect(decodeDeadLetter(record.value)).toEqual({
          kind: 'dead-letter',
          delivery: written,
          lastAttempt: last,
          data,
        })
      }),
    )
  })

  it('is bad without the attempt', () => {
    const [written] = fc.sample(delivery, 1) as [Delivery]
    for (const lastAttempt of [undefined, null, 1])
      expect(decodeDeadLetter(frame({ ...written, lastAttempt }, Buffer.alloc(0))).kind).toBe('bad')
  })
})

describe('attempts.v1', () => {
  it('round-trips as one structured CloudEvent', () => {
    fc.assert(
      fc.property(attempt, written => {
        const record = encodeAttempt(written)
        expect(record.key).toEqual(Buffer.from(written.webhook))
        expect(record.headers).toEqual({ 'content-type': 'application/cloudevents+json' })
        expect(decodeAttempt(record.value)).toEqual({ kind: 'attempt', attempt: written })
        expect(JSON.parse(record.value!.toString())).toMatchObject({
          specversion: '1.0',
          id: `${written.delivery}/${written.run}/${written.attempt}`,
          type: 'posthorn.attempt',
          subject: written.webhook,
          tenant: written.tenant,
        })
      }),
    )
  })

  it.each([
    null,
    '',
    'null',
    '1',
    '[]',
    '{}',
    '{"type":"posthorn.attempt"}',
    '{"type":"posthorn.attempt","data":null}',
  ])('calls %j bad', value => {
    expect(decodeAttempt(value === null ? null : Buffer.from(value)).kind).toBe('bad')
  })
})

describe('poison.v1', () => {
  const head: fc.Arbitrary<PoisonHead> = fc.record(
    {
      topic: text(20),
      partition: whole,
      offset: whole,
      timestamp: whole,
      reason: fc.constantFrom('undecodable', 'invalid_event', 'too_large', 'handler_failed'),
      detail: text(40),
      pointers: fc.array(text(9)),
      key: text(9),
      headers: fc.dictionary(text(9), text(9), { noNullPrototype: true }),
      size: whole,
    },
    { requiredKeys: ['topic', 'partition', 'offset', 'timestamp', 'reason', 'detail', 'size'] },
  )

  it('round-trips under the position of the record', () => {
    fc.assert(
      fc.property(head, bytes, (written, value) => {
        const record = encodePoison(written, value)
        expect(record.key!.toString()).toBe(`${written.topic}/${written.partition}/${written.offset}`)
        expect(decodePoison(record.value)).toEqual({ kind: 'poison', head: written, body: value })
      }),
    )
  })

  it('leaves out what is too large to keep, and says how large it was', () => {
    const [written] = fc.sample(head, 1) as [PoisonHead]
    for (const [size, kept] of [
      [1024 * 1024, 1024 * 1024],
      [1024 * 1024 + 1, 0],
    ] as const) {
      const read = decodePoison(encodePoison({ ...written, size }, Buffer.alloc(size)).value)
      expect(read).toMatchObject({ kind: 'poison', head: { size }, body: { length: kept } })
    }
    expect(decodePoison(encodePoison(written, null).value)).toMatchObject({ body: { length: 0 } })
  })

  it('bounds what a foreign record brings, so that it always fits', () => {
    const record = {
      partition: 1,
      offset: 2,
      timestamp: 3,
      key: Buffer.alloc(600_000, 'k'),
      value: Buffer.alloc(1024 * 1024, 'v'),
      headers: { long: 'h'.repeat(700_000), short: [Buffer.from('one'), 'two'] },
    }
    const detail = 'd'.repeat(100_000)
    const pointers = Array.from({ length: 1000 }, (_, i) => `/${i}`)
    const { value } = poisonRecord(record, 'orders', { reason: 'invalid_event', detail, pointers, source: 's' })
    expect(value!.length).toBeLessThan(1.2 * 1024 * 1024)
    const read = decodePoison(value)
    if (read.kind !== 'poison') throw new Error(read.kind)
    const { head, body } = read
    expect(head).toMatchObject({ topic: 'orders', source: 's', size: 1024 * 1024, headers: { short: 'one' } })
    expect([head.key!.length, head.detail.length, head.pointers!.length]).toEqual([4096, 4096, 100])
    expect(body.equals(record.value)).toBe(true)
  })
})

describe('sources.v1', () => {
  it('round-trips under the id of the source', () => {
    const written: Source = {
      id: 'source_1',
      version: 3,
      status: 'active',
      pattern: 'shop\\..*',
      value: 'json',
      start: 'latest',
      since: 5,
      event: { tenant: { header: 'tenant' }, type: { pointer: '/a~1b' }, key: { record: 'key' } },
    }
    expect(encodeSource(written).key).toEqual(Buffer.from('source_1'))
    expect(decodeSource(encodeSource(written).value)).toEqual({ kind: 'document', document: written })
  })
})

describe('webhooks.v1 and tenants.v1', () => {
  const webhook: fc.Arbitrary<Webhook> = fc.record({
    id: text(40),
    tenant: text(10),
    version: whole,
    status: fc.constantFrom('pending', 'active', 'paused', 'disabled', 'deleted'),
    url: fc.webUrl(),
    method: fc.constant('POST'),
    events: fc.array(text(10)),
    format: fc.constant('standard'),
    sealedSecrets: fc.array(text(20)),
    retryPolicy: fc.constant(DEFAULT_RETRY_POLICY),
  })

  it('round-trip under their ids', () => {
    fc.assert(
      fc.property(webhook, whole, (written, version) => {
        expect(encodeWebhook(written).key).toEqual(Buffer.from(written.id))
        expect(decodeWebhook(encodeWebhook(written).value)).toEqual({ kind: 'document', document: written })
        const tenant: Tenant = {
          id: written.tenant,
          version,
          status: 'active',
          eventsPerSecond: version,
          unknownEventTypes: 'refuse',
        }
        expect(decodeTenant(encodeTenant(tenant).value)).toEqual({ kind: 'document', document: tenant })
      }),
    )
  })

  it.each([
    [null, 'tombstone'],
    ['', 'tombstone'],
    ['{', 'bad'],
    ['null', 'bad'],
    ['7', 'bad'],
    ['{"v":1,"id":"a","status":"active"}', 'bad'],
    ['{"v":1,"id":"a","version":1}', 'bad'],
    ['{"v":1,"id":"a","version":1.5,"status":"active"}', 'bad'],
    ['{"v":2}', 'newer'],
    ['{"v":1,"id":"a","version":1,"status":"active","later":1}', 'document'],
  ])('reads %j as %s', (value, kind) => {
    expect(decodeTenant(value === null ? null : Buffer.from(value)).kind).toBe(kind)
  })
})

describe('the mark of a table', () => {
  it.each(['publishing', 'published'] as const)('%s is read as such by the readers of all tables', mark => {
    const { key, value } = encodeMark(mark)
    expect(key!.toString()).toBe('#registry')
    for (const decode of [decodeWebhook, decodeTenant, decodeKey, decodeSource, decodeEventType])
      expect(decode(value)).toEqual({ kind: 'mark', mark })
  })

  it('is something deleted, without secrets, to a reader from before there were marks', () => {
    const json = JSON.parse(encodeMark('published').value!.toString()) as unknown
    expect(json).toMatchObject({ v: 1, id: '#registry', version: 1, status: 'deleted', sealedSecrets: [] })
  })
})

describe('frames of a newer version', () => {
  it('are told apart by every reader of framed topics', () => {
    const value = Buffer.from([2, 0, 0, 0, 0])
    for (const decode of [decodeDelivery, decodeDeadLetter, decodePoison])
      expect(decode(value)).toEqual({ kind: 'newer', version: 2 })
    for (const decode of [decodeDelivery, decodeDeadLetter, decodePoison]) expect(decode(null).kind).toBe('bad')
  })
})
