import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SHORTEST_TIER_MS, tierFor, TIERS } from './tier.js'

const edges = TIERS.flatMap(({ delayMs }) => [delayMs - 1, delayMs, delayMs + 1])
const remaining = fc.oneof(fc.integer({ min: -10_000, max: 100_000_000 }), fc.constantFrom(...edges))

describe('S5 delay tiers', () => {
  it('are seven, from shortest to longest', () => {
    expect(TIERS.map(tier => tier.name)).toEqual(['0s', '5s', '30s', '2m', '10m', '1h', '6h'])
    expect([...TIERS].sort((a, b) => a.delayMs - b.delayMs)).toEqual([...TIERS])
    expect(TIERS[1].delayMs).toBe(SHORTEST_TIER_MS)
  })

  it('S5 takes the largest tier that is not longer than what remains', () => {
    fc.assert(
      fc.property(remaining, ms => {
        const fitting = TIERS.filter(tier => tier.delayMs <= ms).map(tier => tier.delayMs)
        expect(tierFor(ms).delayMs).toBe(Math.max(0, ...fitting))
      }),
      { numRuns: 1000 },
    )
  })

  it('S5 brings any delay to less than the shortest tier in few moves and never beyond its due time', () => {
    fc.assert(
      fc.property(fc.integer({ min: SHORTEST_TIER_MS, max: 12 * 24 * 3600_000 }), ms => {
        let left = ms
        let moves = 0
        for (; left >= SHORTEST_TIER_MS; moves++) left -= tierFor(left).delayMs
        expect(left).toBeGreaterThanOrEqual(0)
        // 6 h tiers as often as they fit, then at most 5+5+4+3+5 of the shorter ones.
        expect(moves).toBeLessThanOrEqual(Math.floor(ms / 21_600_000) + 22)
      }),
    )
  })
})
