import { describe, expect, it } from '@jest/globals'
import { encodeDocument } from './tables.js'
import { decodeGone, encodeGone } from './webhook-state.js'

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
