import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Shelf, SlabPool, type KeptBytes } from './slab-pool.js'

const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 4096 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4096, max: 60_000 }) },
)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ keep: size, shelf: fc.nat({ max: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ free: fc.nat() }) },
)

describe('SlabPool', () => {
  it('never writes over what is still needed, whatever is freed in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), steps => {
        const pool = new SlabPool()
        const shelves = [0, 1, 2].map(() => new Shelf(pool))
        const needed: { kept: KeptBytes; expected: Buffer }[] = []
        for (const [i, one] of steps.entries()) {
          if ('keep' in one) {
            const expected = Buffer.alloc(one.keep, i + 1)
            const source = Buffer.from(expected)
            needed.push({ kept: shelves[one.shelf]!.keep(source), expected })
            source.fill(0)
          } else if (needed.length > 0) {
            const [{ kept }] = needed.splice(one.free % needed.length, 1) as [(typeof needed)[number]]
            if (kept.slab) pool.free(kept.slab)
          }
        }
        for (const { kept, expected } of needed) expect(kept.value!.equals(expected)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('takes no new memory for what passes through in order, however much it is', () => {
    const pool = new SlabPool()
    const shelf = new Shelf(pool)
    const slabs = new Set<object>()
    const waiting: KeptBytes[] = []
    for (let i = 0; i < 20_000; i++) {
      const kept = shelf.keep(Buffer.alloc(1000))
      slabs.add(kept.slab!)
      waiting.push(kept)
      if (waiting.length > 320) pool.free(waiting.shift()!.slab!)
    }
    // 320 of them fill ten slabs; one is being written, one has its last copies read.
    expect(slabs.size).toBeLessThanOrEqual(12)
  })

  it('keeps nothing as nothing', () => {
    expect(new Shelf(new SlabPool()).keep(null)).toEqual({ value: null, slab: undefined })
  })
})
