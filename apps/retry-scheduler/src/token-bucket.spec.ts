import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { TokenBucket } from './token-bucket.js'

describe('TokenBucket', () => {
  it('gives a burst at once, then its rate', () => {
    const bucket = new TokenBucket(100, 5, 0)
    const taken = (now: number) => {
      let n = 0
      while (bucket.take(now)) n++
      return n
    }
    expect([taken(0), taken(9), taken(10), taken(30), taken(10_000)]).toEqual([5, 0, 1, 2, 5])
  })

  it('never gives more than burst and rate allow, nor keeps back what is ready, whatever the clock does', () => {
    const moves = fc.array(fc.integer({ min: -50, max: 200 }), { maxLength: 50 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), moves, (perSecond, deltas) => {
        const bucket = new TokenBucket(perSecond, 10, 1000)
        let now = 1000
        let forward = 0
        let taken = 0
        for (const delta of deltas) {
          now += delta
          forward += Math.max(0, delta)
          while (bucket.take(now)) taken++
          expect(bucket.readyAt(now)).toBeGreaterThan(now)
        }
        expect(taken).toBeLessThanOrEqual(10 + (forward * perSecond) / 1000 + 1e-6)
      }),
    )
    expect(new TokenBucket(1, 1, 7).readyAt(7)).toBe(7)
  })
})
