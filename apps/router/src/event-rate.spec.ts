import { describe, expect, it } from '@jest/globals'
import { EventRate } from './event-rate.js'

const NOW = 1_770_000_000_000
const over = (rate: EventRate, at: number, events: number) =>
  Array.from({ length: events }, () => rate.isOver(at)).filter(Boolean).length

describe('EventRate', () => {
  it('lets so many through each second, and counts the rest as excess', () => {
    const rate = new EventRate(10)
    expect(over(rate, NOW, 25)).toBe(15)
    expect(over(rate, NOW + 999, 5)).toBe(5)
    expect(over(rate, NOW + 1000, 10)).toBe(0)
    expect(over(new EventRate(0), NOW, 3)).toBe(3)
  })

  it('goes by the time of acceptance, in whatever order partitions are caught up with', () => {
    const rate = new EventRate(2)
    const minutesOf = (partition: number) =>
      Array.from({ length: 200 }, (_, second) => over(rate, NOW + second * 1000 + partition, 1))
    expect([...minutesOf(0), ...minutesOf(1)].filter(Boolean)).toEqual([])
    expect(minutesOf(2).every(excess => excess === 1)).toBe(true)
  })

  it('starts a second anew that shares its place with one long ago', () => {
    const rate = new EventRate(1)
    expect(over(rate, NOW, 3)).toBe(2)
    expect(over(rate, NOW + 256_000, 1)).toBe(0)
    expect(over(rate, NOW, 1)).toBe(0)
  })
})
