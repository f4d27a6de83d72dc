import { attemptFraction } from './ids.js'
import { ageStart, type Delivery, type Outcome } from './delivery.js'
import type { Verdict } from './verdict.js'

/** When and how often a failed delivery is attempted again. Times in milliseconds. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number
  /** How long one attempt may take, from connecting to the last byte of the answer. */
  readonly timeoutMs: number
  /** Delay before the second attempt. */
  readonly intervalMs: number
  /** Each further delay is this many times the one before. */
  readonly factor: number
  /** Delays are spread evenly by this share in both directions: 0.2 is ±20 %. */
  readonly jitter: number
  /** No delay is longer than this, before jitter. */
  readonly maxDelayMs: number
  /** No attempt is made later than this after the event was accepted, or replayed. */
  readonly maxAgeMs: number
  /** The delays one by one, before jitter, instead of interval, factor and maximum; `attempts` is one more. */
  readonly scheduleMs?: readonly number[]
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attempts: 5,
  timeoutMs: 10_000,
  intervalMs: 5_000,
  factor: 10,
  jitter: 0.2,
  maxDelayMs: 6 * 3600_000,
  maxAgeMs: 3 * 24 * 3600_000,
}

const MINUTE = 60_000
const HOUR = 3600_000

/** The schedule that the specification of Standard Webhooks recommends; its age leaves room for jitter. */
export const STANDARD_RETRY_POLICY: RetryPolicy = {
  ...DEFAULT_RETRY_POLICY,
  attempts: 10,
  scheduleMs: [5_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
  maxAgeMs: 4 * 24 * HOUR,
}

/** Smallest and largest value of each setting; `attempts` is a whole number, and so are all times. */
export const RETRY_POLICY_LIMITS: {
  readonly [K in Exclude<keyof RetryPolicy, 'scheduleMs'>]: readonly [number, number]
} = {
  attempts: [1, 100],
  timeoutMs: [100, 60_000],
  intervalMs: [100, 24 * 3600_000],
  factor: [1, 100],
  jitter: [0, 1],
  maxDelayMs: [100, 24 * 3600_000],
  maxAgeMs: [1000, 12 * 24 * 3600_000],
}

/** The policy's delay in ms after attempt number `attempt` failed, before jitter. */
export function retryDelay(policy: RetryPolicy, attempt: number): number {
  const { scheduleMs, intervalMs, factor, maxDelayMs } = policy
  // A delivery may have made more attempts before its webhook got a shorter schedule.
  if (scheduleMs) return scheduleMs[Math.min(attempt, scheduleMs.length) - 1]!
  return Math.min(intervalMs * factor ** (attempt - 1), maxDelayMs)
}

/**
 * What follows an attempt: a pure function of policy, delivery, verdict and the time the attempt
 * ended (ms). A receiver's Retry-After replaces the policy's delay; the due time is a whole ms,
 * rounded up so that it is never early. A retry past the policy's age expires at once instead
 * of waiting for it.
 */
export function decideOutcome(policy: RetryPolicy, delivery: Delivery, verdict: Verdict, now: number): Outcome {
  switch (verdict.kind) {
    case 'success':
      return { kind: 'delivered' }
    case 'gone':
      return { kind: 'gone' }
    case 'failure': {
      if (delivery.attempt >= policy.attempts) return { kind: 'exhausted' }
      const due = Math.ceil(now + (verdict.retryAfterMs ?? jittered(policy, delivery)))
      return due > ageStart(delivery) + policy.maxAgeMs ? { kind: 'expired' } : { kind: 'retry', due }
    }
  }
}

function jittered(policy: RetryPolicy, delivery: Delivery): number {
  const spread = 2 * attemptFraction(delivery.id, delivery.run, delivery.attempt) - 1
  return retryDelay(policy, delivery.attempt) * (1 + policy.jitter * spread)
}
