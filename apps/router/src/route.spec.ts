import { describe, expect, it } from '@jest/globals'
import type { ConsumedRecord } from '@posthorn/kafka'
import {
  BULK,
  decodeDelivery,
  decodePoison,
  DELIVERIES,
  encodeEvent,
  EVENTS,
  POISON,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import { deliveryId, type WebhookEvent } from '@posthorn/webhook'
import { route, type RouteParts, type Target } from './route.js'
import { untraced } from './route-trace.js'

const event: WebhookEvent = {
  tenant: 'acme',
  id: 'e1',
  source: '/tests',
  type: 'agent.created',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
}

interface Sent {
  readonly topic: TopicContract
  readonly record: TopicRecord
}

class FakeOutput {
  readonly sent: Sent[] = []
  readonly waitingForRoom: (() => void)[] = []
  full = false

  async send(topic: TopicContract, record: TopicRecord): Promise<void> {
    this.sent.push({ topic, record })
  }
  room(): Promise<void> {
    return this.full ? new Promise(resolve => this.waitingForRoom.push(resolve)) : Promise.resolve()
  }
  deliveries() {
    return this.sent.map(({ record }) => {
      const read = decodeDelivery(record.value)
      if (read.kind !== 'delivery') throw new Error(read.kind)
      return read
    })
  }
  poison() {
    const read = decodePoison(this.sent[0]?.record.value ?? null)
    if (read.kind !== 'poison') throw new Error(read.kind)
    return read
  }
}

function recordOf(record: TopicRecord): ConsumedRecord {
  return { ...record, topic: EVENTS, partition: 3, offset: 41, timestamp: 1_770_000_000_000 }
}

function partsWith(output: FakeOutput, targets: Target[], extra: Partial<RouteParts> = {}): RouteParts {
  return {
    match: () => targets,
    isRefusedType: () => false,
    misfits: () => undefined,
    isOverQuota: () => false,
    output,
    defaultTenant: 'default',
    maxEventBytes: 1024,
    trace: untraced,
    ...extra,
  }
}

describe('route', () => {
  it('makes one delivery for each webhook that matches', async () => {
    const output = new FakeOutput()
    const targets = [
      { webhook: 'webhook_a', version: 7 },
      { webhook: 'webhook_b', version: 2 },
    ]
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const data = Buffer.from('{"n":  1e400}')
    const record = recordOf(encodeEvent({ ...event, extensions: { traceparent } }, data))
    const routed = await route(record, partsWith(output, targets))
    await routed.acknowledged
    expect(routed).toMatchObject({ result: 'routed', deliveries: 2 })
    expect(output.sent.every(({ topic }) => topic === DELIVERIES)).toBe(true)
    const [first, second] = output.deliveries()
    expect(first!.delivery).toEqual({
      id: deliveryId(event, 'webhook_a'),
      webhook: 'webhook_a',
      webhookVersion: 7,
      tenant: 'acme',
      run: '0',
      attempt: 1,
      due: 0,
      acceptedAt: 1_770_000_000_000,
      origin: { partition: 3, offset: 41 },
      spills: 0,
      traceparent,
      event: { ...event, extensions: { traceparent } },
    })
    expect(second!.delivery).toMatchObject({ webhook: 'webhook_b', webhookVersion: 2 })
    expect(first!.data.equals(data)).toBe(true)
    expect(output.sent[0]!.record.key!.toString()).toBe('webhook_a')
  })

  it('sends what is above the quota of its tenant through bulk.v1, and nothing else', async () => {
    const output = new FakeOutput()
    const counted: unknown[] = []
    const isOverQuota = (tenant: string, acceptedAt: number) => counted.push([tenant, acceptedAt]) > 1
    const parts = partsWith(output, [{ webhook: 'webhook_a', version: 7 }], { isOverQuota })
    for (const id of ['e1', 'e2']) await route(recordOf(encodeEvent({ ...event, id }, Buffer.from('1'))), parts)
    expect(output.sent.map(({ topic }) => topic)).toEqual([DELIVERIES, BULK])
    const [within, above] = output.deliveries()
    expect(above!.delivery).toEqual({
      ...within!.delivery,
      id: deliveryId({ ...event, id: 'e2' }, 'webhook_a'),
      event: { ...event, id: 'e2' },
    })
    expect(counted).toEqual(Array(2).fill(['acme', 1_770_000_000_000]))
  })

  it('sets an event aside for a webhook whose subscription it cannot read, and for no other', async () => {
    const output = new FakeOutput()
    const targets = [
      { webhook: 'webhook_newer', version: 7, unreadable: 'filter/data is new' },
      { webhook: 'webhook_b', version: 2 },
    ]
    const record = recordOf(encodeEvent(event, Buffer.from('1')))
    const routed = await route(record, partsWith(output, targets))
    await routed.acknowledged
    expect(routed).toMatchObject({ result: 'routed', deliveries: 1 })
    expect(output.sent.map(({ topic }) => topic)).toEqual([POISON, DELIVERIES])
    const { head, body } = output.poison()
    expect(head).toMatchObject({ topic: 'events.v1', partition: 3, offset: 41, reason: 'subscription_unreadable' })
    expect(head.detail).toMatch(/webhook_newer .*filter\/data is new/)
    expect(body).toEqual(record.value)
    expect(await route(record, partsWith(output, targets.slice(0, 1)))).toMatchObject({
      result: 'poison',
      deliveries: 0,
    })
  })

  it('is done at once with an event that nobody takes', async () => {
    const output = new FakeOutput()
    const routed = await route(recordOf(encodeEvent(event, Buffer.from('1'))), partsWith(output, []))
    await routed.acknowledged
    expect(routed.result).toBe('unmatched')
    expect(output.sent).toEqual([])
  })

  it('waits for room before each delivery of a fan-out', async () => {
    const output = new FakeOutput()
    output.full = true
    const targets = [1, 2, 3].map(version => ({ webhook: `webhook_${version}`, version }))
    const routing = route(recordOf(encodeEvent(event, Buffer.from('1'))), partsWith(output, targets))
    const seen: number[] = []
    for (const _ of targets) {
      await new Promise(resolve => setImmediate(resolve))
      seen.push(output.sent.length)
      output.waitingForRoom.shift()!()
    }
    await routing
    expect(seen).toEqual([0, 1, 2])
  })

  it('rejects its acknowledgement, and nothing else, when one delivery is not acknowledged', async () => {
    const output = new FakeOutput()
    const refused = new Error('refused')
    output.send = () => Promise.reject(refused)
    const routed = await route(
      recordOf(encodeEvent(event, Buffer.from('1'))),
      partsWith(output, [{ webhook: 'w', version: 1 }]),
    )
    await new Promise(resolve => setImmediate(resolve))
    await expect(routed.acknowledged).rejects.toBe(refused)
  })

  it.each([
    ['no CloudEvent', { key: null, value: Buffer.from('{}') }, 'undecodable', ['']],
    [
      'broken JSON',
      { key: null, value: Buffer.from('{'), headers: { 'content-type': 'application/cloudevents+json' } },
      'undecodable',
      [''],
    ],
    ['no value', { key: null, value: null }, 'undecodable', ['']],
    ['a type against the rule', encodeEvent({ ...event, type: 'a b' }, Buffer.from('1')), 'invalid_event', ['/type']],
    ['too much data', encodeEvent(event, Buffer.from(`"${'x'.repeat(1023)}"`)), 'too_large', ['/data']],
  ] as const)('sets aside a record with %s', async (_what, record, reason, pointers) => {
    const output = new FakeOutput()
    const routed = await route(recordOf(record), partsWith(output, [{ webhook: 'w', version: 1 }]))
    await routed.acknowledged
    expect(routed.result).toBe('poison')
    expect(output.sent.map(({ topic }) => topic)).toEqual([POISON])
    const { head, body } = output.poison()
    expect(head).toMatchObject({ topic: 'events.v1', partition: 3, offset: 41, reason, pointers })
    expect(head.detail.length).toBeGreaterThan(10)
    expect(body).toEqual(record.value ?? Buffer.alloc(0))
  })

  it('keeps the poison record under the record limit, whatever headers the bad one had', async () => {
    const output = new FakeOutput()
    const headers = { a: 'x'.repeat(900_000), b: 'small' }
    await route(recordOf({ key: null, value: Buffer.alloc(1_100_000), headers }), partsWith(output, []))
    expect(output.poison().head).toMatchObject({ size: 1_100_000, headers: { b: 'small' } })
    expect(output.sent[0]!.record.value!.length).toBeLessThan(100_000)
  })

  it('makes an event without a tenant poison where there is no default tenant', async () => {
    const output = new FakeOutput()
    const headers = { ce_specversion: '1.0', ce_id: '1', ce_source: '/t', ce_type: 'a' }
    await route(
      recordOf({ key: null, value: Buffer.from('1'), headers }),
      partsWith(output, [], { defaultTenant: undefined }),
    )
    expect(output.poison().head).toMatchObject({ reason: 'invalid_event', pointers: ['/tenant'] })
  })
})
