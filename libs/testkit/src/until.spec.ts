import { expect, test } from '@jest/globals'
import { until } from './until.js'

test('waits for the condition, and no longer than the limit', async () => {
  let looks = 0
  await until(() => ++looks === 3, 5000)
  expect(looks).toBe(3)
  await expect(
    until(
      () => false,
      30,
      () => 'it is not so',
    ),
  ).rejects.toThrow('After 30 ms it is not so')
})

test('a time in which this process stood still is none in which the condition could come to hold', async () => {
  let looks = 0
  await until(() => {
    if (++looks === 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000)
    return looks === 5
  }, 4000)
  expect(looks).toBe(5)
})
