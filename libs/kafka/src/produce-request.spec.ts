import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { registerCodecs } from './codecs.js'
import { leanProduceRequest, type ProduceArguments, type ProduceRequest } from './produce-request.js'

const require = createRequire(import.meta.url)
const original = require('kafkajs/src/protocol/requests/produce/v3/request') as (
  args: ProduceArguments,
) => ProduceRequest

const NONE = 0
const GZIP = 1
const ZSTD = 4

const bytes = fc
  .oneof(fc.nat({ max: 70 }), fc.nat({ max: 9000 }), fc.constantFrom(63, 64, 8191, 8192))
  .map(length => Buffer.alloc(length, 'posthorn'))
const text = fc.string({ unit: 'grapheme', maxLength: 80 })
const headerValue = fc.oneof(text, bytes)
const message = fc.record({
  key: fc.oneof(bytes, text, fc.constant(null)),
  value: fc.oneof(bytes, text, fc.constant(null)),
  headers: fc.oneof(
    fc.constant(undefined),
    fc.dictionary(text, fc.oneof(headerValue, fc.array(headerValue, { maxLength: 3 })), { maxKeys: 4 }),
  ),
})
const topicData = fc.array(
  fc.record({
    topic: fc.string({ unit: fc.constantFrom(...'abc.-_'), minLength: 1, maxLength: 40 }),
    partitions: fc.array(
      fc.record({ partition: fc.nat({ max: 200 }), messages: fc.array(message, { minLength: 1, maxLength: 80 }) }),
      { maxLength: 4 },
    ),
  }),
  { maxLength: 3 },
)
const request = fc.record({
  acks: fc.constantFrom(-1, 1),
  timeout: fc.nat(),
  compression: fc.constantFrom(NONE, GZIP, ZSTD),
  topicData,
}) as fc.Arbitrary<ProduceArguments>

async function sameBytes(args: ProduceArguments): Promise<boolean> {
  const theirs = original(args)
  const [ours, wanted] = await Promise.all([leanProduceRequest(theirs, args).encode(), theirs.encode()])
  return ours.buffer.equals(wanted.buffer) && ours.size() === wanted.size()
}

describe('leanProduceRequest', () => {
  beforeAll(() => {
    registerCodecs()
    // Both write the time of the call.
    jest.spyOn(Date, 'now').mockReturnValue(1_795_000_000_000)
  })
  afterAll(() => void jest.restoreAllMocks())

  it('writes the very bytes of kafkajs, whatever the records, headers and compression', async () => {
    await fc.assert(
      fc.asyncProperty(request, async args => expect(await sameBytes(args)).toBe(true)),
      { numRuns: 300 },
    )
  })

  it('writes the very bytes of kafkajs for records of megabytes', async () => {
    for (const length of [1_048_575, 1_048_576, 2_000_000]) {
      const messages = [{ key: null, value: Buffer.alloc(length, 'x') }]
      const args = { acks: -1, timeout: 30_000, topicData: [{ topic: 't', partitions: [{ partition: 1, messages }] }] }
      expect(await sameBytes(args)).toBe(true)
    }
  })

  it.each([
    ['transactions', { transactionalId: 't' }],
    ['idempotence', { producerId: 7 }],
  ])('leaves %s to kafkajs', async (_what, more) => {
    const messages = [{ key: null, value: Buffer.from('x') }]
    const args = {
      acks: -1,
      timeout: 1,
      topicData: [{ topic: 't', partitions: [{ partition: 1, messages }] }],
      ...more,
    }
    expect(await sameBytes(args)).toBe(true)
  })

  it('leaves time stamps of the caller to kafkajs', async () => {
    const messages = [{ key: null, value: Buffer.from('x'), timestamp: '1700000000000' }]
    const args = { acks: -1, timeout: 1, topicData: [{ topic: 't', partitions: [{ partition: 1, messages }] }] }
    expect(await sameBytes(args)).toBe(true)
  })
})
