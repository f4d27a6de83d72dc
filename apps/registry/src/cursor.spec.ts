import { describe, expect, test } from '@jest/globals'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'

const SHAPE: CursorShape = { list: 'things', fields: { at: 'time', id: 'text', partition: 'int4', offset: 'int8' } }
const coded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a cursor', () => {
  test('comes back as the position it was made of', () => {
    const position = { at: Date.UTC(2026, 0, 1), id: 'ünicode/id', partition: 7, offset: 2 ** 40 }
    expect(positionOf(SHAPE, cursorOf(SHAPE, position))).toEqual(position)
    expect(positionOf(SHAPE, undefined)).toBeUndefined()
  })

  test.each([
    '',
    'nonsense',
    coded(null),
    coded({ at: 1 }),
    coded(['others', 1, 'a', 1, 1]),
    coded(['things', 1, 'a']),
    coded(['things', 1, 'a', 1, 1, 1]),
    coded(['things', '1', 'a', 1, 1]),
    coded(['things', -1, 'a', 1, 1]),
    coded(['things', 8.64e15, 'a', 1, 1]),
    coded(['things', 1, 'a\0', 1, 1]),
    coded(['things', 1, '\ud800', 1, 1]),
    coded(['things', 1, 'a'.repeat(1025), 1, 1]),
    coded(['things', 1, 'a', 1, 1.5]),
    coded(['things', 1, 'a', 2 ** 31, 1]),
  ])('made up is refused (%#)', cursor => {
    expect(() => positionOf(SHAPE, cursor)).toThrow('not one that this list gave')
  })
})
