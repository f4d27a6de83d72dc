import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { PartitionClaim } from '@posthorn/kafka'
import { BulkGate } from './bulk-gate.js'
import type { Work } from './work.js'

const BYTES = 1_000_000

interface TestClaim {
  readonly claim: PartitionClaim
  readonly paused: () => boolean
}

function claimOf(): TestClaim {
  let paused = false
  const claim = { pause: () => (paused = true), resume: () => (paused = false) } as unknown as PartitionClaim
  return { claim, paused: () => paused }
}

const workOf = (n: number, bytes = 100, owned = true) => ({ n, bytes, completion: { owned } }) as unknown as Work

let passed: Work[]
let gate: BulkGate

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 })
  passed = []
  gate = new BulkGate({ bytes: BYTES, letIn: work => void passed.push(work) })
})

afterEach(() => {
  gate.stop()
  expect(jest.getTimerCount()).toBe(0)
  jest.useRealTimers()
})

describe('S10 the gate for bulk', () => {
  it('lets work in at its rate, in order, each once, and without anything that would wake it', () => {
    for (let n = 0; n < 100; n++) gate.add(workOf(n))
    expect(passed.length).toBeLessThan(5)
    jest.advanceTimersByTime(1000)
    expect(passed.length).toBeGreaterThan(45)
    expect(passed.length).toBeLessThan(55)
    jest.advanceTimersByTime(2000)
    expect(passed.map(work => (work as unknown as { n: number }).n)).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(gate.size).toBe(0)
  })

  it('leaves in Kafka what is more than a second of it, until half of that is gone', () => {
    const first = claimOf()
    gate.assigned([first.claim])
    for (let n = 0; n < 199; n++) gate.add(workOf(n))
    expect(first.paused()).toBe(false)
    for (let n = 0; n < 10; n++) gate.add(workOf(n))
    expect(first.paused()).toBe(true)
    // Also of a partition that comes meanwhile.
    const later = claimOf()
    gate.assigned([later.claim])
    expect(later.paused()).toBe(true)
    jest.advanceTimersByTime(1000)
    expect([first.paused(), gate.size > 100]).toEqual([true, true])
    jest.advanceTimersByTime(2000)
    expect([first.paused(), later.paused(), gate.size < 101]).toEqual([false, false, true])
  })

  it('holds few large ones', () => {
    const { claim, paused } = claimOf()
    gate.assigned([claim])
    for (let n = 0; n < 12; n++) gate.add(workOf(n, BYTES / 10))
    expect(paused()).toBe(true)
    jest.advanceTimersByTime(1000)
    expect([paused(), gate.size]).toEqual([false, 0])
  })

  it('drops what is of another process by now, and does not count it', () => {
    for (let n = 0; n < 100; n++) gate.add(workOf(n, 100, n >= 90))
    jest.advanceTimersByTime(300)
    expect(passed).toHaveLength(10)
    expect(gate.size).toBe(0)
  })

  it('does not wait for the time of day', () => {
    for (let n = 0; n < 100; n++) gate.add(workOf(n))
    const before = passed.length
    jest.setSystemTime(1_000_000 - 3600_000)
    jest.advanceTimersByTime(1000)
    expect(passed.length).toBeGreaterThan(before + 40)
  })

  it('is as quick as the process where there is no live work', () => {
    let n = 0
    for (let ms = 0; ms < 5000; ms += 10) {
      while (gate.size < 200) gate.add(workOf(n++))
      if (ms % 250 === 0) gate.tick()
      jest.advanceTimersByTime(10)
    }
    expect(gate.rate).toBeGreaterThan(5000)
  })
})
