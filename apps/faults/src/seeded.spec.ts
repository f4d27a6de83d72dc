import { describe, expect, it } from '@jest/globals'
import { Seeded } from './seeded.js'

describe('Seeded', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    const numbers = (seed: number) => {
      const seeded = new Seeded(seed)
      return Array.from({ length: 50 }, () => seeded.between(0, 1000))
    }
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(7)).not.toEqual(numbers(8))
  })

  it('reaches both ends of a range and nothing beyond', () => {
    const seeded = new Seeded(1)
    const seen = new Set(Array.from({ length: 200 }, () => seeded.between(3, 5)))
    expect([...seen].sort()).toEqual([3, 4, 5])
  })

  it('shuffles without losing or doubling anything', () => {
    const list = Array.from({ length: 20 }, (_, n) => n)
    const shuffled = new Seeded(3).shuffled(list)
    expect(shuffled).not.toEqual(list)
    expect(shuffled.sort((one, other) => one - other)).toEqual(list)
  })
})
