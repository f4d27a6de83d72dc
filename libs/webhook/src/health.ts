/**
 * How the requests of a webhook have been ending. Times in ms since the epoch. Attempts may be told in any
 * order and more than once: by their times alone, what comes late never makes a failure seem longer.
 */
export type Health =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'healthy'; readonly lastSuccess: number }
  | {
      readonly kind: 'failing'
      /** The first failure after the last success. */
      readonly since: number
      /** The latest failure that was looked at; others follow it by less than STEP_MS. */
      readonly last: number
      /** Failures in a row, repeats of one after a crash counted again. */
      readonly failures: number
      /** How much of the time from `since` to `last` counts: see `advance`. */
      readonly countedMs: number
      readonly lastSuccess: number | undefined
    }

/** One request that was made, and when it ended. */
export interface HealthSignal {
  readonly at: number
  readonly ok: boolean
}

/** Whether a request of anybody had reached a receiver after `from` and not after `to`. */
export type Reached = (from: number, to: number) => boolean

export const UNKNOWN_HEALTH: Health = { kind: 'unknown' }

/** Failures that follow one another faster are one step of the clock: there may be thousands. */
export const STEP_MS = 1000

/**
 * The health after one more request. The clock of a failing webhook runs from failure to failure, and only
 * where `reached` says that our own network worked in between: when nobody can be reached, nobody is to blame.
 */
export function advance(health: Health, { at, ok }: HealthSignal, reached: Reached): Health {
  if (ok) return succeeded(health, at)
  switch (health.kind) {
    case 'unknown':
      return failingFrom(at, undefined)
    case 'healthy':
      return at <= health.lastSuccess ? health : failingFrom(at, health.lastSuccess)
    case 'failing': {
      if (health.lastSuccess !== undefined && at <= health.lastSuccess) return health
      const failures = health.failures + 1
      if (at - health.last < STEP_MS) return { ...health, failures }
      const counted = reached(health.last, at) ? at - health.last : 0
      return { ...health, failures, last: at, countedMs: health.countedMs + counted }
    }
  }
}

function succeeded(health: Health, at: number): Health {
  switch (health.kind) {
    case 'unknown':
      return { kind: 'healthy', lastSuccess: at }
    case 'healthy':
      return at <= health.lastSuccess ? health : { kind: 'healthy', lastSuccess: at }
    case 'failing': {
      const lastSuccess = Math.max(at, health.lastSuccess ?? at)
      if (at >= health.last) return { kind: 'healthy', lastSuccess }
      // Told late: of the failures after it only the latest is known.
      return at >= health.since ? failingFrom(health.last, lastSuccess) : { ...health, lastSuccess }
    }
  }
}

function failingFrom(at: number, lastSuccess: number | undefined): Health {
  return { kind: 'failing', since: at, last: at, failures: 1, countedMs: 0, lastSuccess }
}

/** After how much counted time a failing webhook is warned of, and disabled, in ms. */
export interface HealthLimits {
  readonly warnAfterMs: number
  readonly disableAfterMs: number
}

/** The limits for a webhook that is disabled after so many seconds; undefined for 0, which is never. */
export function healthLimits(disableAfterSeconds: number, warnAt: number): HealthLimits | undefined {
  const disableAfterMs = disableAfterSeconds * 1000
  return disableAfterMs === 0 ? undefined : { warnAfterMs: disableAfterMs * warnAt, disableAfterMs }
}

/** What has been said of a webhook's health: nothing, that it is failing, that it is to be disabled, that it is well again. */
export type HealthTold = 'nothing' | 'failing' | 'due' | 'healthy'

/**
 * What is to be said next, undefined when nothing is: one thing at a time, so that the warning always comes
 * before the end. Without limits only a recovery is.
 */
export function nextToTell(told: HealthTold, health: Health, limits: HealthLimits | undefined): HealthTold | undefined {
  const warned = told === 'failing' || told === 'due'
  if (health.kind !== 'failing') return warned ? 'healthy' : undefined
  if (!limits) return undefined
  if (!warned) return health.countedMs >= limits.warnAfterMs ? 'failing' : undefined
  return told === 'failing' && health.countedMs >= limits.disableAfterMs ? 'due' : undefined
}

export const CONDITIONS = ['healthy', 'degraded', 'failing'] as const
/** A webhook's health in a word: degraded is one whose last request failed, failing one that was warned of. */
export type Condition = (typeof CONDITIONS)[number]

export function conditionOf(health: Health, told: HealthTold): Condition {
  if (health.kind !== 'failing') return 'healthy'
  return told === 'failing' || told === 'due' ? 'failing' : 'degraded'
}
