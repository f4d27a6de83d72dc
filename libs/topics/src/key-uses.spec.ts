import { describe, expect, it } from '@jest/globals'
import {
  decodeKeyUse,
  decodeWrongKeys,
  encodeKeyUse,
  encodeWrongKeys,
  keyUse,
  keyUsedAt,
  wrongKeysAt,
  wrongKeyStep,
} from './key-uses.js'
import { encodeDocument } from './tables.js'

describe('key-uses.v1', () => {
  it('round-trips under the id of the key, to the minute', () => {
    const use = keyUse('key_1', Date.parse('2026-11-24T12:34:56.789Z'))
    const { key, value } = encodeKeyUse(use)
    expect(key).toEqual(Buffer.from('key_1'))
    expect(decodeKeyUse(value)).toEqual({ kind: 'document', document: use })
    expect(new Date(keyUsedAt(use)).toISOString()).toBe('2026-11-24T12:34:00.000Z')
  })

  it.each([
    [{ id: 'key_1', version: -1, status: 'used' }],
    [{ id: 'key_1', version: Number.MAX_SAFE_INTEGER, status: 'used' }],
    [{ id: 'key_1', version: 'now', status: 'used' }],
    [{ id: 'key_1', version: 1 }],
  ])('%j is bad', document => expect(decodeKeyUse(encodeDocument(document).value).kind).toBe('bad'))

  it('has wrong keys beside them, each unseen by the readers of the other', () => {
    const version = wrongKeyStep(Date.parse('2026-11-24T12:34:56.789Z'))
    const count = { id: 'wrong-keys/a', version, count: 3 }
    const { value } = encodeWrongKeys(count)
    expect(decodeWrongKeys(value)).toEqual({ kind: 'document', document: count })
    expect(new Date(wrongKeysAt(count)).toISOString()).toBe('2026-11-24T12:34:50.000Z')
    expect(decodeKeyUse(value)).toEqual({ kind: 'tombstone' })
    expect(decodeWrongKeys(encodeKeyUse(keyUse('key_1', 0)).value)).toEqual({ kind: 'tombstone' })
    expect(decodeWrongKeys(encodeWrongKeys({ ...count, count: 0 }).value).kind).toBe('bad')
  })

  it('is a tombstone once the key is forgotten', () => expect(decodeKeyUse(null)).toEqual({ kind: 'tombstone' }))
})
