import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  advance,
  conditionOf,
  healthLimits,
  nextToTell,
  STEP_MS,
  UNKNOWN_HEALTH,
  type Health,
  type HealthSignal,
  type HealthTold,
  type Reached,
} from './health.js'

const always: Reached = () => true
const never: Reached = () => false
const after = (signals: readonly HealthSignal[], reached: Reached = always): Health =>
  signals.reduce((health, signal) => advance(health, signal, reached), UNKNOWN_HEALTH)
const fails = (...times: number[]): HealthSignal[] => times.map(at => ({ at, ok: false }))
const works = (at: number): HealthSignal => ({ at, ok: true })

/** No two at one time, as the model has no opinion of what came first then. */
const signals = fc.uniqueArray(
  fc.record({ at: fc.integer({ min: 1, max: 60 }).map(n => n * STEP_MS), ok: fc.boolean() }),
  { selector: ({ at }) => at, maxLength: 20 },
)

/** The whole history at once: the failures after the last success. */
function model(history: readonly HealthSignal[]) {
  const lastSuccess = history.filter(({ ok }) => ok).reduce((last, { at }) => Math.max(last, at), -1)
  const since = history.filter(({ ok, at }) => !ok && at > lastSuccess).map(({ at }) => at)
  return { lastSuccess, failures: since, failing: since.length > 0 }
}

describe('the health of a webhook', () => {
  test('is what the model says when attempts are told in order', () => {
    fc.assert(
      fc.property(signals, history => {
        const inOrder = [...history].sort((a, b) => a.at - b.at)
        const { lastSuccess, failures, failing } = model(inOrder)
        const health = after(inOrder)
        if (failing)
          expect(health).toEqual({
            kind: 'failing',
            since: Math.min(...failures),
            last: Math.max(...failures),
            failures: failures.length,
            countedMs: Math.max(...failures) - Math.min(...failures),
            lastSuccess: lastSuccess < 0 ? undefined : lastSuccess,
          })
        else expect(health).toEqual(lastSuccess < 0 ? { kind: 'unknown' } : { kind: 'healthy', lastSuccess })
      }),
    )
  })

  test('is failing or not as the model says in any order with repeats, and never for longer than the model says', () => {
    const disordered = signals.chain(history =>
      fc.tuple(
        fc.constant(history),
        fc.shuffledSubarray([...history, ...history], { minLength: 2 * history.length }),
        fc.func(fc.boolean()),
      ),
    )
    fc.assert(
      fc.property(disordered, ([history, told, reached]) => {
        const { lastSuccess, failures, failing } = model(history)
        const health = after(told, reached)
        expect(health.kind === 'failing').toBe(failing)
        if (health.kind === 'failing') {
          expect(health.since).toBeGreaterThanOrEqual(Math.min(...failures))
          expect(health.last).toBeLessThanOrEqual(Math.max(...failures))
          expect(health.countedMs).toBeLessThanOrEqual(health.last - health.since)
        }
        if (health.kind !== 'unknown' && lastSuccess >= 0) expect(health.lastSuccess).toBe(lastSuccess)
      }),
    )
  })

  test('counts only the time in which somebody was reached', () => {
    // From 10 s to 40 s the network was down.
    const reached: Reached = (from, to) => from < 10_000 || to > 40_000
    const health = after(fails(0, 5_000, 15_000, 25_000, 35_000, 45_000), reached)
    expect(health).toMatchObject({ since: 0, last: 45_000, countedMs: 5_000 + 10_000 + 10_000 })
    expect(after(fails(0, 50_000, 100_000), never)).toMatchObject({ since: 0, countedMs: 0, failures: 3 })
  })

  test('takes failures close together for one step of the clock, and loses no time by it', () => {
    const asked: number[][] = []
    const health = after(fails(0, 400, 800, 1_200, 1_600, 2_300), (...interval) => asked.push(interval) > 0)
    expect(health).toMatchObject({ failures: 6, last: 2_300, countedMs: 2_300 })
    expect(asked).toEqual([
      [0, 1_200],
      [1_200, 2_300],
    ])
  })

  test('is well again by one success, and starts its clock anew', () => {
    expect(after([...fails(0, 90_000), works(91_000)])).toEqual({ kind: 'healthy', lastSuccess: 91_000 })
    expect(after([...fails(0, 90_000), works(91_000), ...fails(95_000)])).toMatchObject({ since: 95_000, countedMs: 0 })
  })
})

describe('what is said of it', () => {
  const tell = (history: readonly HealthSignal[], reached: Reached = always, disableAfterSeconds = 100) => {
    const limits = healthLimits(disableAfterSeconds, 0.5)
    let health: Health = UNKNOWN_HEALTH
    let told: HealthTold = 'nothing'
    const said: [number, HealthTold][] = []
    for (const signal of history) {
      health = advance(health, signal, reached)
      const next = nextToTell(told, health, limits)
      if (next !== undefined) said.push([signal.at / 1000, (told = next)])
    }
    return said
  }

  test('a warning at half of the time, then the end, once each, and the recovery', () => {
    const history = fails(...[0, 20, 49, 50, 70, 99, 100, 130].map(s => s * 1000))
    expect(tell([...history, works(140_000), works(141_000)])).toEqual([
      [50, 'failing'],
      [100, 'due'],
      [140, 'healthy'],
    ])
  })

  test('the warning comes before the end although the time has passed for both', () => {
    expect(tell(fails(0, 500_000, 501_000))).toEqual([
      [500, 'failing'],
      [501, 'due'],
    ])
  })

  test('a warned webhook that recovers and fails again is warned of again', () => {
    expect(tell([...fails(0, 60_000), works(61_000), ...fails(70_000, 121_000)]).map(([, told]) => told)).toEqual([
      'failing',
      'healthy',
      'failing',
    ])
  })

  test('nothing of one that failed shorter, that is never to be disabled, or while nobody is reached', () => {
    expect(tell([...fails(0, 49_000), works(49_500), ...fails(51_000, 99_000)])).toEqual([])
    expect(tell(fails(0, 1e9), always, 0)).toEqual([])
    expect(tell(fails(0, 1e6, 2e6, 3e6), never)).toEqual([])
  })
})

test('a webhook is degraded from its first failure on, failing once it was warned of, and healthy after a success', () => {
  const failing = after(fails(0, 60_000))
  expect([conditionOf(UNKNOWN_HEALTH, 'nothing'), conditionOf(after([works(0)]), 'healthy')]).toEqual([
    'healthy',
    'healthy',
  ])
  expect((['nothing', 'healthy', 'failing', 'due'] as const).map(told => conditionOf(failing, told))).toEqual([
    'degraded',
    'degraded',
    'failing',
    'failing',
  ])
})
