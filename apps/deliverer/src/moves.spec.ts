import { describe, expect, it } from '@jest/globals'
import type { TopicRecord } from '@posthorn/topics'
import { Moves, type Move } from './moves.js'
import { Completion } from './work.js'

const KIB = 1024
const MOST = 2 * KIB * KIB

/** Everything around it made of paper: what is sent is acknowledged, or fails, by the test. */
function setUp() {
  const state = { mayBegin: true }
  const sent: { readonly bytes: number; readonly acknowledge: () => void; readonly fail: (error: Error) => void }[] = []
  const seen = { done: [] as number[], released: 0, moved: 0, failed: [] as unknown[] }
  const owner = { done: (offset: number) => void seen.done.push(offset), revoked: new AbortController().signal }
  const moves = new Moves({
    output: {
      send: (_topic, { value }: TopicRecord) =>
        new Promise((resolve, reject) => {
          sent.push({
            bytes: value!.length,
            acknowledge: () => resolve({ partition: 0, offset: 0 }),
            fail: reject,
          })
        }),
    },
    mayBegin: () => state.mayBegin,
    moved: () => void seen.moved++,
    release: () => void seen.released++,
    failed: async (_work, error) => void seen.failed.push(error),
    track: () => undefined,
  })
  const add = (offset: number, bytes: number) =>
    moves.add({
      work: {
        delivery: { webhook: 'webhook_1', spills: 0 },
        data: Buffer.alloc(bytes),
        bytes,
        partition: 0,
        completion: new Completion(owner, offset),
      } as unknown as Move['work'],
      reason: 'queue',
      due: 60_000,
      now: 0,
    })
  return { state, sent, seen, moves, add }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

describe('S9 a flood on its way to the delay topics', () => {
  it('is encoded in order, 2 MiB at a time and the record that overfills them', async () => {
    const { sent, seen, add } = setUp()
    const sizes = Array.from({ length: 2_000 }, (_, n) => 1 + ((n * 7_919) % (4 * KIB)))
    sizes.forEach((bytes, offset) => add(offset, bytes))
    for (let ended = 0; ended < sizes.length; ended++) {
      const underWay = sizes.slice(ended, sent.length).reduce((sum, bytes) => sum + bytes, 0)
      expect(underWay).toBeLessThan(MOST + 4 * KIB)
      if (sent.length < sizes.length) expect(underWay).toBeGreaterThanOrEqual(MOST)
      sent[ended]!.acknowledge()
      await turn()
    }
    expect(seen.done).toEqual(sizes.map((_, offset) => offset))
    expect(seen).toMatchObject({ released: sizes.length, moved: sizes.length, failed: [] })
  })

  it('goes on after a failure, and with what is larger than that by itself', async () => {
    const { sent, seen, add } = setUp()
    for (const offset of [0, 1, 2]) add(offset, MOST + 1)
    expect(sent.length).toBe(1)
    const error = new Error('no')
    sent[0]!.fail(error)
    await turn()
    expect(sent.length).toBe(2)
    expect(seen).toMatchObject({ done: [], released: 0, failed: [error] })
  })

  it('waits while nothing may begin, as in a rebalance', () => {
    const { state, sent, moves, add } = setUp()
    state.mayBegin = false
    add(0, KIB)
    moves.goOn()
    expect(sent.length).toBe(0)
    state.mayBegin = true
    moves.goOn()
    expect(sent.length).toBe(1)
  })
})
