import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { poisonId, poisonPlace } from './poison-id.js'

const PLACE = { topic: 'events.v1', partition: 3, offset: 42, at: Date.UTC(2026, 10, 24) }

describe('the id of poison', () => {
  test('is of its place alone, and tells it', () => {
    const topic = fc.stringMatching(/^[A-Za-z0-9._-]{1,249}$/)
    const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    const place = fc.record({ topic, partition: fc.nat({ max: 2 ** 31 - 1 }), offset, at: fc.nat() })
    fc.assert(fc.property(place, one => expect(poisonPlace(poisonId(one))).toEqual(one)))
    expect(poisonId(PLACE)).toMatch(/^poison_[A-Za-z0-9_-]+$/)
  })

  test.each([
    '',
    'poison_',
    'poison_AAAA',
    `${poisonId(PLACE)}=`,
    poisonId({ ...PLACE, partition: 2 ** 31 }),
    poisonId({ ...PLACE, at: Date.UTC(9999, 1) }),
    poisonId({ ...PLACE, offset: 2 ** 53 }),
    poisonId({ ...PLACE, topic: 'a\0' }),
    poisonId({ ...PLACE, partition: -1 }),
    `poison_${'A'.repeat(600)}`,
  ])('%j is none', id => expect(poisonPlace(id)).toBeUndefined())

  test('any text is none, or the very id of its place', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const place = poisonPlace(`poison_${text}`)
        if (place) expect(poisonId(place)).toBe(`poison_${text}`)
      }),
    )
  })
})
