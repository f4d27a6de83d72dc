import { describe, expect, it } from '@jest/globals'
import { isOver } from './bounds.js'

describe('isOver', () => {
  it('begins above the one bound and ends below the other, and nothing between them changes it', () => {
    const told: boolean[] = []
    let over = false
    for (const value of [0.39, 0.5, 0.51, 0.45, 0.4, 0.39, 0.5]) {
      over = isOver(over, value, { over: 0.5, under: 0.4 })
      told.push(over)
    }
    expect(told).toEqual([false, false, true, true, true, false, false])
  })
})
