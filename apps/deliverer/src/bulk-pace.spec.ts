import { describe, expect, it } from '@jest/globals'
import { BulkPace } from './bulk-pace.js'

const TICK_MS = 250
const STEP_MS = 10
/** Of live work that waits for nobody. */
const YOUNG_MS = 10

interface Load {
  /** Deliveries a second that all of the platform can take. */
  readonly capacity: number
  /** Live deliveries a second at a time (s). */
  readonly live: (s: number) => number
  /** Bulk there is to do, deliveries. */
  readonly bulk?: number
  /** Most of what is added to a live delivery's age by chance, ms. */
  readonly noiseMs?: number
}

interface Seen {
  /** Per second: bulk let in, and the live ages that second, ms. */
  readonly bulk: number[]
  readonly ages: number[][]
}

/** Numbers in [0, 1) that look random and are the same each time. */
function chance(): () => number {
  let state = 1
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
}

/** One queue for everything, first come first served: live work waits for the bulk that is before it. */
function run(seconds: number, { capacity, live, bulk = Infinity, noiseMs = 0 }: Load): Seen {
  const pace = new BulkPace()
  const random = chance()
  const seen: Seen = { bulk: Array(seconds).fill(0), ages: Array.from({ length: seconds }, () => []) }
  let [queue, left, due] = [0, bulk, 0]
  for (let now = 0; now < seconds * 1000; now += STEP_MS) {
    const second = Math.floor(now / 1000)
    queue = Math.max(0, queue - (capacity * STEP_MS) / 1000)
    for (; left > 0 && pace.opensAt <= now; left--) {
      pace.letIn(now)
      queue++
      seen.bulk[second]!++
    }
    for (due += (live(second) * STEP_MS) / 1000; due >= 1; due--) {
      queue++
      const age = YOUNG_MS + (queue / capacity) * 1000 + noiseMs * random() ** 3
      pace.live(age)
      seen.ages[second]!.push(age)
    }
    if (now % TICK_MS === 0) pace.observe(now)
  }
  return seen
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const share = (ages: readonly number[], above: number) => ages.filter(age => age > above).length / ages.length

describe('S10 bulk beside live traffic', () => {
  it('takes most of the room that is left, and live work is hardly older for it', () => {
    const { bulk, ages } = run(120, { capacity: 2000, live: () => 500, noiseMs: 30 })
    expect(sum(bulk.slice(20)) / 100).toBeGreaterThan(0.6 * 1500)
    expect(sum(bulk.slice(20)) / 100).toBeLessThan(1500)
    expect(share(ages.flat(), YOUNG_MS + 80)).toBeLessThan(0.01)
  })

  it('has all that the process takes while there is no live work', () => {
    const { bulk } = run(20, { capacity: 5000, live: () => 0 })
    expect(Math.max(...bulk)).toBeGreaterThan(5000)
  })

  it('gives way when live work comes back, within seconds', () => {
    const { ages } = run(120, { capacity: 1000, live: s => (s >= 60 ? 700 : 50) })
    expect(share(ages.slice(66).flat(), YOUNG_MS + 100)).toBeLessThan(0.01)
  })

  it('is never held back altogether, however late live work is', () => {
    const { bulk } = run(60, { capacity: 2000, live: () => 2200 })
    expect(sum(bulk.slice(30)) / 30).toBeGreaterThan(0.04 * 2200)
    expect(sum(bulk.slice(30)) / 30).toBeLessThan(0.06 * 2200)
  })

  it('takes for usual what live work is like while bulk rests, and so gets over any other change', () => {
    const pace = new BulkPace()
    busy(pace, 0, 5, 5, false)
    expect(busy(pace, 5, 60, 5)).toBeGreaterThan(1000)
    // A clock that was put forward by a second makes all live work a second older.
    expect(busy(pace, 60, 64, 1005)).toBe(50)
    expect(busy(pace, 64, 230, 1005)).toBeGreaterThan(1000)
  })

  it('is not stopped by ages that vary by themselves', () => {
    const { bulk, ages } = run(180, { capacity: 2000, live: () => 100, noiseMs: 1000 })
    expect(sum(bulk.slice(30)) / 150).toBeGreaterThan(0.5 * 1900)
    expect(share(ages.flat(), 1200)).toBeLessThan(0.01)
  })

  it('rests once a minute', () => {
    const { bulk } = run(180, { capacity: 2000, live: () => 500 })
    expect(bulk.flatMap((count, second) => (count === 0 ? [second] : [])).length).toBeGreaterThan(3)
    expect(bulk.flatMap((count, second) => (count === 0 ? [second] : [])).length).toBeLessThan(9)
  })

  it('begins slowly again after a rest', () => {
    const pace = new BulkPace()
    expect(busy(pace, 0, 20)).toBeGreaterThan(1000)
    pace.letIn(40_000)
    expect(pace.rate).toBe(50)
  })
})

/** As much bulk as may be, from one second to another, beside live work of an age (ms); returns the rate at the end. */
function busy(pace: BulkPace, from: number, to: number, liveAge?: number, bulk = true): number {
  for (let now = from * 1000; now < to * 1000; now += STEP_MS) {
    while (bulk && pace.opensAt <= now) pace.letIn(now)
    if (liveAge !== undefined) pace.live(liveAge)
    if (now % TICK_MS === 0) pace.observe(now)
  }
  return pace.rate
}
