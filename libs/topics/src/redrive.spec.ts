import { describe, expect, it } from '@jest/globals'
import {
  ALL_TOPICS,
  decodePoison,
  encodeDelivery,
  encodeEvent,
  isForMonitorAlone,
  poisonRecord,
  poisonTenant,
  REDRIVE_HEADER,
  redriveHeader,
  redriveOf,
  redriveTopic,
  type PoisonHead,
} from './index.js'

const EVENT = { tenant: 'acme', id: '1', source: '/s', type: 'a.b', time: '2026-11-24T12:00:00Z', contenttype: 'a/b' }
const CAUSE = { reason: 'undecodable', detail: 'd' } as const
const RECORD = { partition: 1, offset: 2, timestamp: 3, key: null, value: Buffer.from('x') }

function headOf(record: Parameters<typeof poisonRecord>[0]): PoisonHead {
  const read = decodePoison(poisonRecord(record, 'events.v1', CAUSE).value)
  if (read.kind !== 'poison') throw new Error(read.kind)
  return read.head
}

describe('a record that is put back', () => {
  it('says what it was, how often, and who is to read it', () => {
    const redrive = { of: 'poison_1', count: 2, reader: 'monitor', webhook: 'webhook_1' } as const
    const headers = redriveHeader(redrive)
    expect(redriveOf({ headers })).toEqual(redrive)
    expect(redriveOf({ headers: { [REDRIVE_HEADER]: Buffer.from(headers[REDRIVE_HEADER]!) } })).toEqual(redrive)
    expect(isForMonitorAlone({ headers })).toBe(true)
    expect(isForMonitorAlone({ headers: redriveHeader({ of: 'p', count: 1 }) })).toBe(false)
  })

  it.each([undefined, '', 'x', 'null', '{}', '{"of":1,"count":1}', '{"of":"p","count":0}', '{"of":"p","count":"1"}'])(
    'is a first one to whoever finds %j in the header',
    text => expect(redriveOf({ headers: { [REDRIVE_HEADER]: text } })).toBeUndefined(),
  )

  it('is set aside again with a higher count, without the header', () => {
    expect(headOf(RECORD)).not.toHaveProperty('count')
    const head = headOf({ ...RECORD, headers: { a: 'b', ...redriveHeader({ of: 'poison_1', count: 4 }) } })
    expect(head).toMatchObject({ count: 5, previous: 'poison_1', headers: { a: 'b' } })
  })

  it.each([
    ['a key that is no text', { key: Buffer.from([0xff]) }],
    ['a key that is too long', { key: Buffer.alloc(5000, 'k') }],
    ['a header that is no text', { headers: { a: Buffer.from([0xff]) } }],
    ['a header that is too long', { headers: { a: 'x'.repeat(70_000) } }],
    ['two headers of one name', { headers: { a: ['b', 'c'] } }],
  ])('was not kept whole: %s', (_, change) => expect(headOf({ ...RECORD, ...change })).toMatchObject({ partial: true }))

  it('was kept whole where all is text', () => {
    expect(headOf({ ...RECORD, key: Buffer.from('é'), headers: { a: Buffer.from('é'), b: 'c' } })).not.toHaveProperty(
      'partial',
    )
  })

  it('goes where it came from; from a delay topic to the shortest, and never where others would act again', () => {
    const found = ALL_TOPICS.flatMap(({ name }) => redriveTopic(name, undefined)?.name ?? [])
    expect([...new Set(found)].sort()).toEqual([
      ...['attempts.v1', 'bulk.v1', 'dead-letters.v1', 'delay.0s.v1', 'deliveries.v1', 'due.v1', 'events.v1'],
    ])
    expect(redriveTopic('delay.6h.v1', undefined)?.name).toBe('delay.0s.v1')
    expect(redriveTopic('deliveries.v1', 'monitor')).toBeUndefined()
    expect(redriveTopic('orders', undefined)).toBeUndefined()
  })
})

describe('the tenant of poison', () => {
  const head = (topic: string, change: Partial<PoisonHead> = {}): PoisonHead => {
    return { topic, partition: 0, offset: 0, timestamp: 0, reason: 'undecodable', detail: '', size: 0, ...change }
  }

  it('is that of the event, or the one that its header names', () => {
    const { headers, value } = encodeEvent(EVENT, Buffer.from('x'))
    expect(poisonTenant(head('events.v1', { headers: headers! }), value!, undefined)).toBe('acme')
    const { ce_tenant: _, ...nameless } = headers!
    expect(poisonTenant(head('events.v1', { headers: nameless }), value!, 'default')).toBe('default')
    const broken = { 'content-type': 'application/cloudevents+json' }
    expect(poisonTenant(head('events.v1', { headers: broken }), Buffer.from('{'), 'default')).toBeUndefined()
    const named = { ...broken, CE_Tenant: 'acme' }
    expect(poisonTenant(head('events.v1', { headers: named }), Buffer.from('{'), 'default')).toBe('acme')
    const impossible = { ...broken, ce_tenant: 'no tenant' }
    expect(poisonTenant(head('events.v1', { headers: impossible }), Buffer.from('{'), 'default')).toBeUndefined()
  })

  it('is that of the delivery; of what nobody can read, and of a topic of others, nobody', () => {
    const delivery = {
      ...{ id: 'd', webhook: 'w', webhookVersion: 1, tenant: 'acme', run: '0', attempt: 1, due: 0, acceptedAt: 0 },
      ...{ origin: { partition: 0, offset: 0 }, spills: 0, event: EVENT },
    }
    const { value } = encodeDelivery(delivery, Buffer.from('x'))
    for (const topic of ['deliveries.v1', 'due.v1', 'delay.6h.v1'])
      expect(poisonTenant(head(topic), value!, 'default')).toBe('acme')
    expect(poisonTenant(head('due.v1'), Buffer.from('?'), 'default')).toBeUndefined()
    expect(poisonTenant(head('attempts.v1'), Buffer.from('?'), 'default')).toBeUndefined()
    expect(poisonTenant(head('orders', { source: 's' }), value!, 'default')).toBeUndefined()
  })
})
