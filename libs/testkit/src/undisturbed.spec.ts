import { expect, test } from '@jest/globals'
import { undisturbed } from './undisturbed.js'

const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

test('a scenario begins anew when it failed over a process that stood still', async () => {
  let attempts = 0
  await undisturbed(async () => {
    if (++attempts === 3) return
    standStill(300)
    throw new Error('disturbed')
  }, 200)
  expect(attempts).toBe(3)
})

test('and fails for good when it did not, or goes on failing', async () => {
  let attempts = 0
  const fail = async () => {
    attempts++
    throw new Error('a bug')
  }
  await expect(undisturbed(fail, 60_000)).rejects.toThrow('a bug')
  expect(attempts).toBe(1)
  await expect(undisturbed(async () => (standStill(300), fail()), 200)).rejects.toThrow('a bug')
  expect(attempts).toBe(4)
})
