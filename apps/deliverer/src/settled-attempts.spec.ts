import { describe, expect, it } from '@jest/globals'
import { SettledAttempts } from './settled-attempts.js'

describe('SettledAttempts', () => {
  it('tells apart what differs in one word, also where all begin at the same slot', () => {
    const settled = new SettledAttempts(100)
    const prints = [0, 1, 2].flatMap(word =>
      [1, 2, 0xffffffff].map(value => new Uint32Array(4).fill(value, word, word + 1)),
    )
    prints.forEach((print, i) => settled.set(print, { kind: 'tier', attempt: i + 1 }))
    expect(prints.map(print => settled.get(print))).toEqual(prints.map((_, i) => ({ kind: 'tier', attempt: i + 1 })))
    expect(settled.get(new Uint32Array(4))).toBeUndefined()
  })

  it('shows the newest of what was set for one print, in whatever generation', () => {
    const settled = new SettledAttempts(4)
    const print = Uint32Array.of(1, 2, 3, 4)
    settled.set(print, { kind: 'in_place', attempt: 1, due: Date.parse('2100-01-01') })
    expect(settled.get(print)).toEqual({ kind: 'in_place', attempt: 1, due: Date.parse('2100-01-01') })
    settled.set(print, { kind: 'tier', attempt: 1000 })
    settled.set(Uint32Array.of(9, 9, 9, 9), { kind: 'final' })
    expect(settled.get(print)).toEqual({ kind: 'tier', attempt: 1000 })
    settled.set(print, { kind: 'final' })
    expect(settled.get(print)).toEqual({ kind: 'final' })
  })
})
