import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { LIVE_RUN, type Delivery } from './delivery.js'
import {
  decideOutcome,
  DEFAULT_RETRY_POLICY,
  RETRY_POLICY_LIMITS,
  retryDelay,
  STANDARD_RETRY_POLICY,
  type RetryPolicy,
} from './retry-policy.js'
import { tierFor } from './tier.js'
import type { Verdict } from './verdict.js'

const NOW = 1_800_000_000_000
const failure: Verdict = { kind: 'failure', class: 'server.processing', advice: '…' }
/** The page without the spaces that pad its tables. */
const page = readFileSync(new URL('../../../docs/retries.md', import.meta.url), 'utf8').replace(/ *\| */g, ' | ')

const delivery = (changes: Partial<Delivery> = {}): Delivery => ({
  id: 'delivery_1',
  webhook: 'webhook_1',
  webhookVersion: 1,
  tenant: 'acme',
  run: LIVE_RUN,
  attempt: 1,
  due: 0,
  acceptedAt: NOW,
  origin: { partition: 0, offset: 0 },
  spills: 0,
  event: {
    tenant: 'acme',
    id: '1',
    source: '/',
    type: 'a',
    time: '2026-01-31T12:00:00Z',
    contenttype: 'application/json',
  },
  ...changes,
})

const limited = (name: keyof typeof RETRY_POLICY_LIMITS) => {
  const [min, max] = RETRY_POLICY_LIMITS[name]
  return name === 'factor' || name === 'jitter' ? fc.double({ min, max, noNaN: true }) : fc.integer({ min, max })
}
const policies: fc.Arbitrary<RetryPolicy> = fc.record({
  attempts: limited('attempts'),
  timeoutMs: limited('timeoutMs'),
  intervalMs: limited('intervalMs'),
  factor: limited('factor'),
  jitter: limited('jitter'),
  maxDelayMs: limited('maxDelayMs'),
  maxAgeMs: limited('maxAgeMs'),
})

function duration(ms: number): string {
  const parts = [
    [Math.floor(ms / 3600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'min'],
    [(ms / 1000) % 60, 's'],
  ] as const
  return parts.flatMap(([n, unit]) => (n === 0 ? [] : [`${n} ${unit}`])).join(' ') || '0 s'
}

/** The table of docs/retries.md: every attempt of a receiver that answers 500 at once. */
function defaultTable(): string[] {
  const rows = ['| 1 | at once | – | – |']
  let nominal = 0
  let earliest = 0
  let latest = 0
  for (let attempt = 1; attempt < DEFAULT_RETRY_POLICY.attempts; attempt++) {
    const delay = retryDelay(DEFAULT_RETRY_POLICY, attempt)
    nominal += delay
    earliest += delay * (1 - DEFAULT_RETRY_POLICY.jitter)
    latest += delay * (1 + DEFAULT_RETRY_POLICY.jitter)
    const tier = `\`delay.${tierFor(delay).name}\``
    rows.push(
      `| ${attempt + 1} | ${duration(nominal)} (${duration(earliest)} to ${duration(latest)}) | ${duration(delay)} | ${tier} |`,
    )
  }
  return rows
}

describe('S5 retry policy', () => {
  it('S5 has the defaults of the mission: 5 attempts, 10 s, then 5 s × 10 each time', () => {
    expect(DEFAULT_RETRY_POLICY).toMatchObject({ attempts: 5, timeoutMs: 10_000 })
    expect([1, 2, 3, 4].map(attempt => retryDelay(DEFAULT_RETRY_POLICY, attempt))).toEqual([
      5_000, 50_000, 500_000, 5_000_000,
    ])
    expect(retryDelay(DEFAULT_RETRY_POLICY, 5)).toBe(6 * 3600_000)
  })

  it('S5 is the table that docs/retries.md prints', () => {
    for (const row of defaultTable()) expect(page).toContain(row)
  })

  it('S5 has the limits that docs/retries.md prints, by the names of the API', () => {
    for (const [name, [min, max]] of Object.entries(RETRY_POLICY_LIMITS)) {
      const value = DEFAULT_RETRY_POLICY[name as keyof RetryPolicy]
      expect(page).toContain(
        `| \`${name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)}\` | ${value} | ${min} to ${max} |`,
      )
    }
  })

  it('S5 keeps its defaults within its own limits', () => {
    for (const [name, [min, max]] of Object.entries(RETRY_POLICY_LIMITS)) {
      const value = DEFAULT_RETRY_POLICY[name as keyof RetryPolicy]
      expect(value).toBeGreaterThanOrEqual(min)
      expect(value).toBeLessThanOrEqual(max)
    }
  })

  it('S5 follows a schedule, and its last delay where a delivery is past its end', () => {
    const policy = { ...DEFAULT_RETRY_POLICY, attempts: 3, scheduleMs: [1000, 60_000] }
    expect([1, 2, 3, 9].map(attempt => retryDelay(policy, attempt))).toEqual([1000, 60_000, 60_000, 60_000])
    const outcomes = [1, 2, 3].map(attempt =>
      decideOutcome({ ...policy, jitter: 0 }, delivery({ attempt }), failure, NOW),
    )
    expect(outcomes).toEqual([
      { kind: 'retry', due: NOW + 1000 },
      { kind: 'retry', due: NOW + 60_000 },
      { kind: 'exhausted' },
    ])
  })

  it('S5 has the schedule of Standard Webhooks, whose last attempt is within its age however the jitter falls', () => {
    const { scheduleMs, attempts, maxAgeMs, jitter } = STANDARD_RETRY_POLICY
    expect(attempts).toBe(scheduleMs!.length + 1)
    expect(scheduleMs!.reduce((sum, delay) => sum + delay, 0) * (1 + jitter)).toBeLessThan(maxAgeMs)
    expect(page).toContain(scheduleMs!.map(delay => duration(delay)).join(', '))
  })

  it('S5 spreads delays by the jitter and no further, and the same for every copy of the attempt', () => {
    const unbounded = { attempts: 1000, maxAgeMs: Number.MAX_SAFE_INTEGER }
    fc.assert(
      fc.property(policies, fc.string(), fc.string(), fc.integer({ min: 1, max: 100 }), (limited, id, run, attempt) => {
        const policy = { ...limited, ...unbounded }
        const outcome = decideOutcome(policy, delivery({ id, run, attempt }), failure, NOW)
        if (outcome.kind !== 'retry') throw new Error(`it was ${outcome.kind}`)
        const delay = retryDelay(policy, attempt)
        expect(outcome.due).toBeGreaterThanOrEqual(NOW + delay * (1 - policy.jitter) - 1e-3)
        expect(outcome.due).toBeLessThan(NOW + delay * (1 + policy.jitter) + 1)
        expect(Number.isSafeInteger(outcome.due)).toBe(true)
        expect(decideOutcome(policy, delivery({ id, run, attempt, spills: 3, due: 7 }), failure, NOW)).toEqual(outcome)
      }),
    )
  })

  it('S5 uses the whole width of ±20 %', () => {
    const shares = Array.from({ length: 2000 }, (_, i) => {
      const outcome = decideOutcome(DEFAULT_RETRY_POLICY, delivery({ id: `d${i}` }), failure, NOW)
      return outcome.kind === 'retry' ? (outcome.due - NOW) / 5_000 : Number.NaN
    })
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.8)
    expect(Math.min(...shares)).toBeLessThan(0.805)
    expect(Math.max(...shares)).toBeLessThanOrEqual(1.2)
    expect(Math.max(...shares)).toBeGreaterThan(1.195)
  })

  it('S5 obeys Retry-After instead of its own delay, to the ms and without jitter', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 0, max: 24 * 3600_000 }), (limited, retryAfterMs) => {
        const policy = { ...limited, attempts: 2, maxAgeMs: 24 * 3600_000 }
        expect(decideOutcome(policy, delivery(), { ...failure, retryAfterMs }, NOW)).toEqual({
          kind: 'retry',
          due: NOW + retryAfterMs,
        })
      }),
    )
  })

  it('S5 ends after the last attempt, whatever Retry-After says', () => {
    for (const verdict of [failure, { ...failure, retryAfterMs: 1 }]) {
      expect(decideOutcome(DEFAULT_RETRY_POLICY, delivery({ attempt: 4 }), verdict, NOW).kind).toBe('retry')
      expect(decideOutcome(DEFAULT_RETRY_POLICY, delivery({ attempt: 5 }), verdict, NOW)).toEqual({ kind: 'exhausted' })
      expect(decideOutcome(DEFAULT_RETRY_POLICY, delivery({ attempt: 6 }), verdict, NOW)).toEqual({ kind: 'exhausted' })
    }
  })

  it('S5 counts the age of a replay from when it was sent', () => {
    const policy = { ...DEFAULT_RETRY_POLICY, maxAgeMs: 60_000 }
    const old = { acceptedAt: NOW - 24 * 3600_000 }
    const failed = { ...failure, retryAfterMs: 1000 }
    expect(decideOutcome(policy, delivery(old), failed, NOW)).toEqual({ kind: 'expired' })
    expect(decideOutcome(policy, delivery({ ...old, replayedAt: NOW }), failed, NOW)).toMatchObject({ kind: 'retry' })
  })

  it('S5 expires at once when the next attempt would come after the age, and not a ms before', () => {
    const policy = { ...DEFAULT_RETRY_POLICY, maxAgeMs: 60_000 }
    const at = (retryAfterMs: number) => decideOutcome(policy, delivery(), { ...failure, retryAfterMs }, NOW)
    expect(at(60_000)).toEqual({ kind: 'retry', due: NOW + 60_000 })
    expect(at(60_001)).toEqual({ kind: 'expired' })
  })

  it('S5 is final at once on success and on 410', () => {
    expect(decideOutcome(DEFAULT_RETRY_POLICY, delivery(), { kind: 'success' }, NOW)).toEqual({ kind: 'delivered' })
    const gone: Verdict = { kind: 'gone', class: 'client.validation', advice: '…' }
    expect(decideOutcome(DEFAULT_RETRY_POLICY, delivery(), gone, NOW)).toEqual({ kind: 'gone' })
  })
})
