import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fetchGap, paceFetches } from './kafkajs-fetches.js'

const require = createRequire(import.meta.url)
const { prototype } = require('kafkajs/src/consumer/consumerGroup') as {
  prototype: { fetch(nodeId: number): Promise<void> }
}

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

  /** How many fetches one member makes of a broker, each as soon as the last is answered, while it is busy for this share of its time. */
  async function fetchesIn(ms: number, busy: number): Promise<number> {
    const member = {}
    const until = performance.now() + ms
    began.length = 0
    while (performance.now() < until) {
      await prototype.fetch.call(member as typeof prototype, 1)
      const spin = performance.now() + busy
      while (performance.now() < spin);
      await sleep(1)
    }
    return began.length
  }

  it('are as many as there is time for, or one in eight milliseconds', async () => {
    // What goes before tells how busy it is.
    await fetchesIn(600, 0)
    const idle = await fetchesIn(400, 0)
    await fetchesIn(600, 20)
    expect(await fetchesIn(400, 20)).toBeLessThan(25)
    expect(idle).toBeGreaterThan(60)
    const gaps = began.slice(1).map((at, n) => at - began[n]!)
    expect(Math.min(...gaps)).toBeGreaterThan(7)
  }, 20_000)
})
