import { describe, expect, test } from '@jest/globals'
import { DEFAULT_RETRY_POLICY, STANDARD_RETRY_POLICY } from '@posthorn/webhook'
import { retryPolicyFaults, retryPolicyFrom, retryPolicyView, scheduleConflicts } from './retry-policy.js'

const pointersOf = (body: unknown) => retryPolicyFaults(body).map(({ pointer }) => pointer)
const SCHEDULED = { ...DEFAULT_RETRY_POLICY, attempts: 3, scheduleMs: [1000, 60_000] }

describe('S5 the retry policy of a request', () => {
  test('merges, and null is its default', () => {
    const before = { ...DEFAULT_RETRY_POLICY, attempts: 9, factor: 2 }
    const after = retryPolicyFrom({ attempts: null, jitter: 0 }, before)
    expect(after).toEqual({ ...DEFAULT_RETRY_POLICY, factor: 2, jitter: 0 })
    expect(retryPolicyView(after)).toMatchObject({ attempts: 5, timeout_ms: 10_000, factor: 2, schedule_ms: null })
  })

  test('names its delays one by one, and so its attempts', () => {
    const after = retryPolicyFrom({ schedule_ms: [1000, 60_000], jitter: 0 }, DEFAULT_RETRY_POLICY)
    expect(after).toEqual({ ...SCHEDULED, jitter: 0 })
    expect(retryPolicyView(after)).toMatchObject({ attempts: 3, schedule_ms: [1000, 60_000] })
  })

  test('keeps the schedule while other things change, and takes it away by null', () => {
    expect(retryPolicyFrom({ timeout_ms: 500 }, SCHEDULED)).toEqual({ ...SCHEDULED, timeoutMs: 500 })
    expect(retryPolicyFrom({ schedule_ms: null }, SCHEDULED)).toEqual(DEFAULT_RETRY_POLICY)
    expect(retryPolicyFrom({ schedule_ms: null, attempts: 7 }, SCHEDULED)).toMatchObject({ attempts: 7 })
  })

  test('has presets, with the rest over them', () => {
    expect(retryPolicyFrom({ preset: 'standard' }, SCHEDULED)).toEqual(STANDARD_RETRY_POLICY)
    expect(retryPolicyFrom({ preset: 'standard', jitter: 0 }, SCHEDULED)).toMatchObject({ attempts: 10, jitter: 0 })
    for (const preset of ['default', null] as const)
      expect(retryPolicyFrom({ preset, factor: 2 }, SCHEDULED)).toEqual({ ...DEFAULT_RETRY_POLICY, factor: 2 })
  })

  test.each<[unknown, string[]]>([
    [{ schedule_ms: [] }, ['/schedule_ms']],
    [{ schedule_ms: 5 }, ['/schedule_ms']],
    [{ schedule_ms: Array(100).fill(1000) }, ['/schedule_ms']],
    [{ schedule_ms: [1000, 99, '1', 1.5, 86_400_001, null] }, [1, 2, 3, 4, 5].map(n => `/schedule_ms/${n}`)],
    [{ preset: 'svix' }, ['/preset']],
    [{ preset: 1, retries: 2 }, ['/preset', '/retries']],
    [{ schedule_ms: [1000], attempts: 3, factor: null, jitter: 0 }, ['/attempts']],
    [{ preset: 'standard', interval_ms: 500, max_delay_ms: 500 }, ['/interval_ms', '/max_delay_ms']],
    [{ preset: 'standard', schedule_ms: null, interval_ms: 500 }, []],
    [{ preset: 'default', attempts: 3 }, []],
  ])('%j is at fault at %j', (body, pointers) => {
    expect(pointersOf(body)).toEqual(pointers)
  })

  test('may not say of a webhook with a schedule what that says', () => {
    expect(scheduleConflicts({ attempts: 3, timeout_ms: 500 }, SCHEDULED)).toMatchObject([{ pointer: '/attempts' }])
    expect(scheduleConflicts({ attempts: 3, schedule_ms: null }, SCHEDULED)).toEqual([])
    expect(scheduleConflicts({ attempts: 3, preset: 'default' }, SCHEDULED)).toEqual([])
    expect(scheduleConflicts({ attempts: null }, SCHEDULED)).toEqual([])
  })
})
