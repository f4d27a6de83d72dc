import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { RateMeter, spacingOf } from './rate-limit.js'

/** Starts of a webhook that always has work, asked every `everyMs`, within `forMs`. */
function starts(meter: RateMeter, everyMs: number, forMs: number): number[] {
  const at: number[] = []
  for (let now = 1_000_000; now < 1_000_000 + forMs; now += everyMs)
    while (meter.startsAt <= now) {
      meter.started(now)
      at.push(now)
    }
  return at
}

describe('S3 the rate limit', () => {
  it.each([
    [{ requests: 10, per: 'second' }, 100],
    [{ requests: 90, per: 'minute' }, 60_000 / 90],
  ] as const)('%j is one every %d ms', (limit, spacing) => {
    expect(spacingOf(limit)).toBe(spacing)
  })

  it('lets no window pass more than its share and what a tenth of a second makes up for', () => {
    const rates = fc.integer({ min: 1, max: 2_000 })
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 90 }), (perSecond, everyMs) => {
        const at = starts(new RateMeter(1000 / perSecond), everyMs, 3_000)
        let most = 0
        for (let from = 0, to = 0; to < at.length; to++) {
          while (at[to]! - at[from]! >= 1000) from++
          most = Math.max(most, to - from + 1)
        }
        expect(most).toBeLessThanOrEqual(Math.floor(perSecond * 1.1) + 1)
        // Nor is it slower than it has to be, though it is asked late.
        expect(at.length).toBeGreaterThanOrEqual(Math.floor(perSecond * 2.9) - 1)
      }),
    )
  })

  it('starts at once after a time without requests, and saves nothing up from it', () => {
    const meter = new RateMeter(1_000)
    meter.started(0)
    expect(meter.startsAt).toBeGreaterThan(800)
    expect(starts(meter, 1, 999)).toHaveLength(2)
  })

  it('without a limit never waits', () => {
    const meter = new RateMeter(0)
    for (let n = 0; n < 10; n++) meter.started(5)
    expect(meter.startsAt).toBe(0)
  })
})
