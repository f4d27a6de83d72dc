import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { sliceElements, sliceMember, type Slice } from './json-slice.js'

/** JSON text with random white space at every place that allows it, escapes, and members named twice. */
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
// No name with a backslash: once Node 24.21 has parsed a member named "\\", its JSON.parse reads later names that start
// with an escape as that one, and is no model to compare with. The fixed cases below have such names.
const name = fc.constantFrom('data', 'a', 'dat', 'data ', '"', 'ä', '{', ']', ',')
const quoted = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.boolean()).map(([plain, escape]) => {
    const json = JSON.stringify(plain)
    return escape ? json.replace(/[a-z]/i, letter => `\\u00${letter.charCodeAt(0).toString(16)}`) : json
  })
const scalar = fc.oneof(
  fc.constantFrom(
    'true',
    'false',
    'null',
    '0',
    '-0',
    '1e5',
    '-1.5E-3',
    '12345678901234567890',
    '""',
    '"\\""',
    '"\\\\"',
  ),
  fc.string({ unit: 'grapheme' }).map(text => JSON.stringify(text)),
)
const { value } = fc.letrec<{ value: string; object: string; array: string }>(tie => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, tie('object'), tie('array')),
  object: fc
    .array(fc.tuple(space, name, space, space, tie('value'), space), { maxLength: 4 })
    .map(members => `{${members.map(([a, n, b, c, v, d]) => `${a}${JSON.stringify(n)}${b}:${c}${v}${d}`).join(',')}}`),
  array: fc
    .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
    .map(elements => `[${elements.map(([a, v, b]) => a + v + b).join(',')}]`),
}))
const member = fc.tuple(space, quoted(name), space, space, value, space)
const objectText = fc
  .tuple(space, fc.array(member, { maxLength: 6 }), space)
  .map(
    ([before, members, after]) =>
      `${before}{${members.map(([a, n, b, c, v, d]) => `${a}${n}${b}:${c}${v}${d}`).join(',')}}${after}`,
  )
const arrayText = fc
  .tuple(space, fc.array(fc.tuple(space, value, space), { maxLength: 6 }), space)
  .map(([before, elements, after]) => `${before}[${elements.map(([a, v, b]) => a + v + b).join(',')}]${after}`)

const cut = (text: Buffer, { start, end }: Slice) => text.subarray(start, end).toString()

describe('json-slice', () => {
  it('finds in any object the member that JSON.parse finds, repeated names included', () => {
    fc.assert(
      fc.property(objectText, name, (text, wanted) => {
        const bytes = Buffer.from(text)
        const parsed = JSON.parse(text) as Record<string, unknown>
        const slice = sliceMember(bytes, wanted)
        expect(slice !== undefined).toBe(Object.hasOwn(parsed, wanted))
        if (slice) {
          expect(JSON.parse(cut(bytes, slice))).toEqual(parsed[wanted])
          expect(cut(bytes, slice)).toBe(cut(bytes, slice).trim())
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('finds in any array the elements that JSON.parse finds', () => {
    fc.assert(
      fc.property(arrayText, text => {
        const bytes = Buffer.from(text)
        expect(sliceElements(bytes).map(slice => JSON.parse(cut(bytes, slice)))).toEqual(JSON.parse(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('takes the bytes as they were sent', () => {
    const text = Buffer.from(' {"data" :1,"d\\u0061ta": { "x" : [1.0, 1e2] , "x":"}\\"" } , "z":"data"}')
    expect(cut(text, sliceMember(text, 'data')!)).toBe('{ "x" : [1.0, 1e2] , "x":"}\\"" }')
  })

  it('is not led astray by names that are quotes, backslashes and brackets', () => {
    const text = Buffer.from('{"\\\\":1,"\\\\\\"":2,"\\"":3,"}":4,"data\\\\":5,"data":6}')
    const values = ['\\', '\\"', '"', '}', 'data\\', 'data', 'none'].map(wanted => sliceMember(text, wanted))
    expect(values.map(slice => slice && cut(text, slice))).toEqual(['1', '2', '3', '4', '5', '6', undefined])
  })

  it('looks inside an object that stands further on', () => {
    const text = Buffer.from('[{"data":1},  {"data":2}]')
    const second = sliceElements(text)[1]!
    expect(cut(text, sliceMember(text, 'data', second.start)!)).toBe('2')
  })

  it('reads a view at an offset of a larger buffer', () => {
    const view = Buffer.from('xxx{"data":[7]}').subarray(3)
    expect(cut(view, sliceMember(view, 'data')!)).toBe('[7]')
  })
})
