import { expect, test } from '@jest/globals'
import { RateLimit } from './rate-limit.js'

const take = (limit: RateLimit, key: string, now: number) => {
  try {
    return limit.take(key, now).remaining
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('S10 a key may send its rate, twice as many at once, and costs no other key anything', () => {
  const limit = new RateLimit(2)
  expect([1, 2, 3, 4, 5].map(() => take(limit, 'a', 0))).toEqual([3, 2, 1, 0, 'rate_limited'])
  expect(take(limit, 'b', 0)).toBe(3)
  expect([take(limit, 'a', 499), take(limit, 'a', 500), take(limit, 'a', 500)]).toEqual([
    'rate_limited',
    0,
    'rate_limited',
  ])
  expect(limit.take('a', 60_000)).toEqual({ burst: 4, remaining: 3, resetS: 1 })
})

test('a clock that is set back neither gives nor takes', () => {
  const limit = new RateLimit(1)
  expect([take(limit, 'a', 10_000), take(limit, 'a', 0), take(limit, 'a', 0)]).toEqual([1, 0, 'rate_limited'])
})
