import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { partitionFor } from './partition.js'

/** Of Kafka's own UtilsTest.testMurmur2. */
const VECTORS: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

describe('partitionFor', () => {
  it.each(VECTORS)('places %s where the Java client does', (key, hash) => {
    const positive = hash & 0x7fffffff
    // With 2^31 partitions the partition is the hash itself.
    expect(partitionFor(key, 2 ** 31)).toBe(positive)
    for (const partitions of [1, 4, 12, 251])
      expect(partitionFor(Buffer.from(key), partitions)).toBe(positive % partitions)
  })

  it('places any bytes where the default partitioner of kafkajs does', () => {
    const theirs = Partitioners.DefaultPartitioner()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.integer({ min: 1, max: 300 }), (bytes, partitions) => {
        const key = Buffer.from(bytes)
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
          partitionId,
          partitionErrorCode: 0,
          leader: 0,
          replicas: [0],
          isr: [0],
        }))
        expect(partitionFor(key, partitions)).toBe(
          theirs({ topic: 't', partitionMetadata, message: { key, value: null } }),
        )
      }),
    )
  })

  it('takes text as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), key => {
        expect(partitionFor(key, 1 << 20)).toBe(partitionFor(Buffer.from(key), 1 << 20))
      }),
    )
  })
})
