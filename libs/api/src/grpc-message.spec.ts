import { describe, expect, test } from '@jest/globals'
import { fromStruct, messageOf, patchOf, plainOf } from './grpc-message.js'

describe('an update mask', () => {
  test('names fields and entries; what is not set goes back to its default', () => {
    const message = { url: 'u', metadata: { a: '1', b: '2' } }
    expect({ ...patchOf(message, ['url', 'description', 'metadata.a', 'metadata.z']) }).toEqual({
      url: 'u',
      description: null,
      metadata: { a: '1', z: null },
    })
    expect(patchOf(message, [])).toEqual(message)
  })

  test.each(['__proto__.polluted', 'constructor.polluted', 'toString.polluted', '__proto__'])(
    'that says %s reaches no object but the patch',
    path => {
      expect(Object.keys(patchOf({}, [path]))).toEqual([path.split('.')[0]])
      expect([{}, Object, Object.prototype.toString].filter(each => 'polluted' in each)).toEqual([])
    },
  )

  test('that names what every object inherits finds it unset', () => {
    expect({ ...patchOf({ metadata: {} }, ['metadata.constructor', 'valueOf']) }).toEqual({
      metadata: Object.assign(Object.create(null) as object, { constructor: null }),
      valueOf: null,
    })
  })

  test('that names a field and an entry of it takes both', () => {
    expect({ ...patchOf({ url: 'u' }, ['url', 'url.x']) }).toEqual({ url: { x: null } })
  })
})

describe('JSON in messages', () => {
  const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) })
  const listed = (levels: number): object => ({
    a: Array.from({ length: levels - 2 }).reduce<unknown[]>(inner => [inner], []),
  })

  test.each([nested, listed])('is answered to 48 levels, and refused beyond', of => {
    const { filter } = messageOf({ filter: of(48) }) as { filter: object }
    expect(fromStruct(filter)).toEqual(of(48))
    expect(() => messageOf({ filter: of(49) })).toThrow(/more than 48 levels/)
  })

  test('is a Struct or a Value where the edge says so', () => {
    const message = { pattern: { fields: { a: { numberValue: 1 } } }, data: { listValue: {} }, other: { fields: {} } }
    expect(plainOf(message, { pattern: 'struct', data: 'value' })).toEqual({ ...message, pattern: { a: 1 }, data: [] })
  })

  test.each([NaN, Infinity, -Infinity])('has no %p', number => {
    const list = { listValue: { values: [{ nullValue: 0 }, { numberValue: number }] } }
    expect(() => plainOf({ filter: { fields: { 'a/b': list } } })).toThrow('/filter/a~1b/1 must be a finite number.')
  })
})
