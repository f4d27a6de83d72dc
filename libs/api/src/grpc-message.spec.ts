import { describe, expect, test } from '@jest/globals'
import { patchOf } from './grpc-message.js'

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
