import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { frame, FRAME_VERSION, unframe } from './frame.js'

const head = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())

describe('frame', () => {
  it('is a version byte, the length of the head, the head and the body', () => {
    expect(frame({ a: 'ä' }, Buffer.from('xy'))).toEqual(Buffer.from('\x01\0\0\0\x0a{"a":"ä"}xy'))
  })

  it('gives back head and body, whatever they are', () => {
    fc.assert(
      fc.property(head, fc.uint8Array(), (written, body) => {
        const read = unframe(frame(written, body))
        expect(read).toEqual({ kind: 'frame', head: JSON.parse(JSON.stringify(written)), body: Buffer.from(body) })
      }),
    )
  })

  it('tells a newer version from a bad value, without reading on', () => {
    for (let version = FRAME_VERSION + 1; version <= 15; version++)
      expect(unframe(Buffer.from([version, 9, 9, 9, 9, 9]))).toEqual({ kind: 'newer', version })
    for (let version = 16; version <= 255; version++)
      expect(unframe(Buffer.from([version, 9, 9, 9, 9, 9]))).toMatchObject({ kind: 'bad' })
  })

  it.each([
    ['nothing', null, 'this value has 0'],
    ['too little', Buffer.from([1, 0, 0, 0]), 'this value has 4'],
    ['version 0', Buffer.from([0, 0, 0, 0, 0]), 'version 0'],
    ['a head beyond the value', Buffer.from([1, 0, 0, 0, 1]), 'should end at byte 6'],
    ['a head of 4 GiB', Buffer.from([1, 255, 255, 255, 255]), 'should end at byte 4294967300'],
    ['no head', Buffer.from([1, 0, 0, 0, 0, 65]), 'not JSON'],
    ['a head that is no JSON', Buffer.from('\x01\0\0\0\x02{]'), 'not JSON'],
    ['a head that is an array', Buffer.from('\x01\0\0\0\x02[]'), 'not a JSON object'],
    ['a head that is null', Buffer.from('\x01\0\0\0\x04null'), 'not a JSON object'],
  ])('calls %s bad and says why', (_what, value, detail) => {
    expect(unframe(value)).toEqual({ kind: 'bad', detail: expect.stringContaining(detail) })
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, framed) => {
        const value = Buffer.from(framed ? [1, 0, 0, 0, bytes.length >> 1, ...bytes] : bytes)
        expect(['frame', 'newer', 'bad']).toContain(unframe(value).kind)
      }),
    )
  })
})
