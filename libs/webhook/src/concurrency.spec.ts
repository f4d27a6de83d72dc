import { describe, expect, it } from '@jest/globals'
import { AdaptiveConcurrency, FIRST_AT_ONCE } from './concurrency.js'

/** Rounds of as many answers as may run at once. */
function rounds(of: AdaptiveConcurrency, count: number, from = 0): void {
  for (let round = 0; round < count; round++)
    for (let left = of.atOnce; left > 0; left--) of.ended('fine', from + round, from + round)
}

describe('S10 requests at once', () => {
  it('begin with 16 and are 64 two rounds of answers later, where their limit is', () => {
    const concurrency = new AdaptiveConcurrency(64)
    expect(concurrency.atOnce).toBe(FIRST_AT_ONCE)
    expect(concurrency.expected).toBe(64)
    rounds(concurrency, 2)
    expect(concurrency.atOnce).toBe(64)
    rounds(concurrency, 2)
    expect(concurrency.atOnce).toBe(64)
  })

  it('never exceed the limit of the webhook, though it is lowered', () => {
    const concurrency = new AdaptiveConcurrency(3)
    expect(concurrency.atOnce).toBe(3)
    concurrency.limit = 2
    expect(concurrency.atOnce).toBe(2)
  })

  it('are halved once by all the requests that were under way together, down to one', () => {
    const concurrency = new AdaptiveConcurrency(64)
    rounds(concurrency, 2)
    for (let n = 0; n < 64; n++) concurrency.ended('overloaded', 100, 10_100 + n)
    expect([concurrency.atOnce, concurrency.expected]).toEqual([32, 32])
    concurrency.ended('overloaded', 10_050, 20_050)
    expect(concurrency.atOnce).toBe(32)
    for (let n = 0; n < 10; n++) concurrency.ended('overloaded', 20_000 + n * 100, 20_000 + n * 100)
    expect(concurrency.atOnce).toBe(1)
  })

  it('grow by one for each round of answers after that, and not by broken answers', () => {
    const concurrency = new AdaptiveConcurrency(64)
    concurrency.ended('overloaded', 0, 0)
    expect(concurrency.atOnce).toBe(8)
    for (let n = 0; n < 100; n++) concurrency.ended('failing', 1, 1)
    expect(concurrency.atOnce).toBe(8)
    rounds(concurrency, 4, 2)
    expect(concurrency.atOnce).toBeGreaterThanOrEqual(11)
    expect(concurrency.atOnce).toBeLessThanOrEqual(12)
  })
})
