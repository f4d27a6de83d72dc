import { expect, test } from '@jest/globals'
import { ManualClock } from './manual-clock.js'

test('timers fire in the order of their due times, at these times, and not when cancelled', () => {
  const clock = new ManualClock(1000)
  const fired: string[] = []
  const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`)
  clock.after(30, note('late'))
  clock.after(10, () => {
    note('early')()
    clock.after(5, note('nested'))
  })
  clock.after(20, note('cancelled'))()
  clock.advance(29)
  expect([fired, clock.now()]).toEqual([['early@1010', 'nested@1015'], 1029])
  clock.advance(1)
  expect(fired.at(-1)).toBe('late@1030')
})
