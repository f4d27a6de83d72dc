import { describe, expect, it } from '@jest/globals'
import { DUE } from '@posthorn/topics'
import fc from 'fast-check'
import type { KafkaMessage } from 'kafkajs'
import { RecordCopier } from './record-copy.js'

function message(key: Buffer | null, value: Buffer | null, headers: KafkaMessage['headers'] = {}): KafkaMessage {
  return { key, value, timestamp: '1', attributes: 0, offset: '0', headers }
}

function same(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other)
}

describe('RecordCopier', () => {
  it('holds nothing but its bytes for a record that comes alone: it may wait for hours', () => {
    const response = Buffer.alloc(1024 * 1024, 'x')
    const { key, value } = new RecordCopier(DUE, 0).copy(
      message(response.subarray(0, 9), response.subarray(9, 1033)),
      0,
    )
    expect([key!.buffer.byteLength, value!.buffer.byteLength]).toEqual([9, 1024])
  })

  it('copies every byte, and takes no more than three times what a batch has', () => {
    const size = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 3000 }), fc.nat({ max: 100_000 }))
    const record = fc.record({ key: fc.option(size), value: fc.option(size) })
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), sizes => {
        const copier = new RecordCopier(DUE, 0)
        let bytes = 0
        const made = sizes.map(({ key, value }, i) => {
          const fill = (length: number | null) => (length === null ? null : Buffer.alloc(length, i + 1))
          const source = message(fill(key), fill(value))
          const copy = copier.copy(source, i)
          const expected = { key: fill(key), value: fill(value) }
          bytes += (key ?? 0) + (value ?? 0)
          source.key?.fill(0)
          source.value?.fill(0)
          return { copy, expected }
        })
        const slabs = new Set<ArrayBufferLike>()
        for (const { copy, expected } of made) {
          // Not toEqual: it compares byte by byte in JavaScript.
          expect(same(copy.key, expected.key) && same(copy.value, expected.value)).toBe(true)
          for (const part of [copy.key, copy.value]) if (part?.length) slabs.add(part.buffer)
        }
        const taken = [...slabs].reduce((sum, { byteLength }) => sum + byteLength, 0)
        expect(taken).toBeLessThanOrEqual(3 * bytes)
      }),
      { numRuns: 200 },
    )
  })

  it('leaves out what is no value of a header', () => {
    const inherited = Object.prototype.constructor as unknown as Buffer
    const headers = {
      one: Buffer.from('1'),
      none: null as unknown as Buffer,
      both: [null as unknown as Buffer, Buffer.from('2')],
      constructor: [inherited, Buffer.from('3')],
    }
    const copy = new RecordCopier(DUE, 0).copy(message(null, null, headers), 0)
    expect(copy.headers).toEqual({
      one: Buffer.from('1'),
      none: undefined,
      both: [Buffer.from('2')],
      constructor: [Buffer.from('3')],
    })
  })
})
