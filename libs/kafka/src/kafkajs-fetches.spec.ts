import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { until } from '@posthorn/testkit'
import { fetchGap, paceFetches } from './kafkajs-fetches.js'

const require = createRequire(import.meta.url)
const { prototype } = require('kafkajs/src/consumer/consumerGroup') as {
  prototype: { fetch(nodeId: number): Promise<void> }
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!

it('a process with time to spare fetches at once, and the busier it is the less often', () => {
  expect([0, 0.1, 0.3].map(fetchGap)).toEqual([0, 0, 0])
  expect(fetchGap(0.45)).toBeCloseTo(4)
  expect([0.6, 0.9, 1].map(fetchGap)).toEqual([8, 8, 8])
})

describe("kafkajs's fetches, paced", () => {
  const { fetch: original } = prototype
  const began: number[] = []

  beforeAll(() => {
    prototype.fetch = () => {
      began.push(performance.now())
      return Promise.resolve()
    }
    paceFetches()
  })
  afterAll(() => void (prototype.fetch = original))

  /** The gaps between the fetches of one member from a broker, each asked for as soon as it has worked on the last one for so long. */
  async function gapsIn(ms: number, workMs: number): Promise<number[]> {
    const member = {}
    const end = performance.now() + ms
    began.length = 0
    while (performance.now() < end) {
      await prototype.fetch.call(member as typeof prototype, 1)
      const spin = performance.now() + workMs
      while (performance.now() < spin);
      await sleep(1)
    }
    return began.slice(1).map((at, n) => at - began[n]!)
  }

  it('are as many as there is time for, or one in eight milliseconds', async () => {
    // What goes before tells how busy it is: also of a machine that takes its core from it for some time.
    const idle = async () => (await gapsIn(600, 0), median(await gapsIn(400, 0)))
    await until(async () => (await idle()) < 5, 60_000)
    await gapsIn(600, 5)
    // One by one they would be little more than 6 ms apart; timers leave out parts of a millisecond.
    expect(median(await gapsIn(400, 5))).toBeGreaterThan(6.8)
  }, 60_000)
})
