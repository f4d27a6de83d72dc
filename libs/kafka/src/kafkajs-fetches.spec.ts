import { createRequire } from 'node:module'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { fetchGap, measuredUtilization, paceFetches } from './kafkajs-fetches.js'

const require = createRequire(import.meta.url)
const { prototype } = require('kafkajs/src/consumer/consumerGroup') as {
  prototype: { fetch(nodeId: number): Promise<void> }
}

it('a process with time to spare fetches at once, and the busier it is the less often', () => {
  expect([0, 0.1, 0.3].map(fetchGap)).toEqual([0, 0, 0])
  expect(fetchGap(0.45)).toBeCloseTo(4)
  expect([0.6, 0.75, 0.9, 1].map(fetchGap)).toEqual([8, expect.closeTo(24), 40, 40])
})

it('a process that computes all the time is busy for all of it', () => {
  const utilization = measuredUtilization()
  const until = performance.now() + 600
  while (performance.now() < until);
  expect(utilization()).toBeGreaterThan(0.95)
})

describe("kafkajs's fetches, paced", () => {
  const { fetch: original } = prototype
  const began: number[] = []
  const fetch = (member: object, nodeId = 1) => prototype.fetch.call(member as typeof prototype, nodeId)
  let utilization = 0

  beforeAll(() => {
    prototype.fetch = () => {
      began.push(performance.now())
      return Promise.resolve()
    }
    paceFetches(() => utilization)
  })
  afterAll(() => void (prototype.fetch = original))
  beforeEach(() => void (began.length = 0))

  it('begin at once in a process with time to spare', async () => {
    utilization = 0
    const member = {}
    const fetches = Array.from({ length: 20 }, () => fetch(member))
    expect(began).toHaveLength(20)
    await Promise.all(fetches)
  })

  it('begin forty milliseconds apart in a busy one, those of each broker and member by themselves', async () => {
    utilization = 1
    const member = {}
    for (let n = 0; n < 20; n++) await fetch(member)
    // Timers of Node know whole milliseconds, and may be one short.
    expect(began.at(-1)! - began[0]!).toBeGreaterThan(19 * 38)
    const others = [fetch(member, 2), fetch({})]
    expect(began).toHaveLength(22)
    await Promise.all(others)
  })
})
