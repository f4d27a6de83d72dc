import { describe, expect, it } from '@jest/globals'
import { encodeDocument } from './tables.js'
import {
  decodeGone,
  decodeParked,
  encodeGone,
  encodeParked,
  encodeUnparked,
  parkedId,
  parkedName,
} from './webhook-state.js'

const GONE = {
  webhook: 'webhook_1',
  tenant: 'acme',
  version: 7,
  delivery: 'delivery_1',
  at: '2026-11-24T12:00:00.000Z',
}

describe('the facet gone', () => {
  it('round-trips under the webhook and its name', () => {
    const { key, value } = encodeGone(GONE)
    expect(key).toEqual(Buffer.from('webhook_1/gone'))
    expect(decodeGone(value)).toEqual({
      kind: 'document',
      document: { ...GONE, id: 'webhook_1/gone', status: 'gone' },
    })
  })

  it('is told from other facets, and bad when something of it is not there', () => {
    const other = { id: 'webhook_1/circuit', version: 1, status: 'open' }
    expect(decodeGone(encodeDocument(other).value).kind).toBe('tombstone')
    const { delivery: _, ...less } = GONE
    const incomplete = { ...less, id: 'webhook_1/gone', status: 'gone' }
    expect(decodeGone(encodeDocument(incomplete).value).kind).toBe('bad')
    expect(decodeGone(Buffer.from('{')).kind).toBe('bad')
    expect(decodeGone(null).kind).toBe('tombstone')
  })
})

const PARKED = {
  webhook: 'webhook_1',
  key: 'customer/7',
  version: 12,
  partition: 3,
  next: 40,
  left: [7, 9],
  tried: [[7, 3, 1_790_000_000_000]] as const,
  due: 1_790_000_000_000,
  since: 1_780_000_000_000,
}

describe('the facets parked', () => {
  it('round-trip under the webhook and, where there is one, the key', () => {
    const { key, value } = encodeParked(PARKED)
    expect(key).toEqual(Buffer.from('webhook_1/parked/customer/7'))
    expect(encodeUnparked(PARKED)).toEqual({ key, value: null })
    expect(decodeParked(value)).toEqual({
      kind: 'document',
      document: { ...PARKED, id: 'webhook_1/parked/customer/7', status: 'parked' },
    })
    const { key: _, ...whole } = PARKED
    expect(encodeParked(whole).key).toEqual(Buffer.from('webhook_1/parked'))
    expect(encodeParked({ ...whole, key: '' }).key).toEqual(Buffer.from('webhook_1/parked/'))
    for (const name of [{ webhook: 'w' }, { webhook: 'w', key: '' }, { webhook: 'w', key: 'a/b' }])
      expect(parkedName(parkedId(name))).toEqual(name)
    expect(parkedName('w/gone')).toBeUndefined()
  })

  it('are told from other facets, and bad when something of them is not there', () => {
    expect(decodeParked(encodeGone(GONE).value).kind).toBe('tombstone')
    const bad = (more: object) =>
      decodeParked(encodeDocument(Object.assign({ id: 'x', status: 'parked' }, PARKED, more)).value)
    expect(bad({}).kind).toBe('document')
    expect(bad({ next: '4' })).toEqual({ kind: 'bad', detail: 'next must be a whole number' })
    expect(bad({ webhook: 4 })).toEqual({ kind: 'bad', detail: 'the document must have webhook' })
    expect(bad({ left: [1, null] })).toEqual({ kind: 'bad', detail: 'left must be offsets' })
    for (const tried of [undefined, [[1, 2]], [1], [[1, 2, 'x']]])
      expect(bad({ tried })).toEqual({
        kind: 'bad',
        detail: 'tried must be offsets with the attempt and when it is due',
      })
  })
})
