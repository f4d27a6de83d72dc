import {
  DEFAULT_RETRY_POLICY,
  escapePointer,
  RETRY_POLICY_LIMITS,
  STANDARD_RETRY_POLICY,
  type Problem,
  type RetryPolicy,
} from '@posthorn/webhook'

type NumberFields = keyof typeof RETRY_POLICY_LIMITS

/** A retry policy as the API has it. */
export interface RetryPolicyView {
  readonly attempts: number
  readonly timeout_ms: number
  readonly interval_ms: number
  readonly factor: number
  readonly jitter: number
  readonly max_delay_ms: number
  readonly max_age_ms: number
  /** Of a policy without a schedule null. */
  readonly schedule_ms: readonly number[] | null
}

/** In a request every field may be left out, and null means its default. A preset comes first, the rest over it. */
export type RetryPolicyBody = { readonly [K in keyof RetryPolicyView]?: RetryPolicyView[K] | null } & {
  readonly preset?: RetryPreset | null
}

export const RETRY_PRESETS = ['default', 'standard'] as const
export type RetryPreset = (typeof RETRY_PRESETS)[number]
const PRESETS: Readonly<Record<RetryPreset, RetryPolicy>> = {
  default: DEFAULT_RETRY_POLICY,
  standard: STANDARD_RETRY_POLICY,
}

const NUMBERS: { readonly [K in Exclude<keyof RetryPolicyView, 'schedule_ms'>]: NumberFields } = {
  attempts: 'attempts',
  timeout_ms: 'timeoutMs',
  interval_ms: 'intervalMs',
  factor: 'factor',
  jitter: 'jitter',
  max_delay_ms: 'maxDelayMs',
  max_age_ms: 'maxAgeMs',
}
const NUMBER_NAMES = Object.entries(NUMBERS) as [keyof typeof NUMBERS, NumberFields][]
/** Shares and multipliers; all other numbers are whole. */
const FRACTIONS = new Set<string>(['factor', 'jitter'])
/** What a schedule says itself. */
const OF_SCHEDULE = ['attempts', 'interval_ms', 'factor', 'max_delay_ms'] as const

const NUMBER = { type: 'number' } as const
const DELAYS = { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: RETRY_POLICY_LIMITS.attempts[1] - 1 }

/** For the OpenAPI document. */
export const RETRY_POLICY_SCHEMA = {
  body: {
    type: 'object',
    description:
      'What is absent has its default. schedule_ms names the delays one by one, instead of attempts, ' +
      'interval_ms, factor and max_delay_ms; the preset "standard" is the schedule of Standard Webhooks.',
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(NUMBER_NAMES.map(([name]) => [name, { ...NUMBER, nullable: true }])),
      schedule_ms: { ...DELAYS, nullable: true },
      preset: { enum: [...RETRY_PRESETS], nullable: true },
    },
  },
  view: {
    type: 'object',
    required: [...Object.keys(NUMBERS), 'schedule_ms'],
    properties: {
      ...Object.fromEntries(NUMBER_NAMES.map(([name]) => [name, NUMBER])),
      schedule_ms: { ...DELAYS, nullable: true },
    },
  },
} as const

const fault = (message: string, pointer: string): Problem[] => [{ pointer, message }]

export function retryPolicyFaults(policy: unknown): Problem[] {
  if (!isObject(policy)) return fault('must be an object', '')
  const faults = Object.entries(policy).flatMap(([name, value]) => fieldFaults(name, value, `/${escapePointer(name)}`))
  return faults.length > 0 ? faults : scheduleConflicts(policy as RetryPolicyBody, undefined)
}

/** What a body says that the schedule of the webhook says already. `before` is the policy that it changes, if any. */
export function scheduleConflicts(body: RetryPolicyBody, before: RetryPolicy | undefined): Problem[] {
  if (!scheduleOf(body, baseOf(body, before ?? DEFAULT_RETRY_POLICY))) return []
  const named = OF_SCHEDULE.filter(name => body[name] !== undefined && body[name] !== null)
  return named.flatMap(name => fault('is said by the schedule: leave it out, or set schedule_ms to null', `/${name}`))
}

/** The complete policy: what the body names over its preset or `before`. */
export function retryPolicyFrom(body: RetryPolicyBody, before: RetryPolicy): RetryPolicy {
  const base = baseOf(body, before)
  const scheduleMs = scheduleOf(body, base)
  const policy: { -readonly [K in NumberFields]: number } = numbersOf(base)
  // How many attempts the schedule made says nothing of what comes after it.
  if (base.scheduleMs && !scheduleMs) policy.attempts = DEFAULT_RETRY_POLICY.attempts
  for (const [name, field] of NUMBER_NAMES) {
    const value = body[name]
    if (value !== undefined) policy[field] = value ?? DEFAULT_RETRY_POLICY[field]
  }
  return scheduleMs ? { ...policy, attempts: scheduleMs.length + 1, scheduleMs } : policy
}

export function retryPolicyView(policy: RetryPolicy): RetryPolicyView {
  const numbers = Object.fromEntries(NUMBER_NAMES.map(([name, field]) => [name, policy[field]]))
  return { ...(numbers as Omit<RetryPolicyView, 'schedule_ms'>), schedule_ms: policy.scheduleMs ?? null }
}

function fieldFaults(name: string, value: unknown, pointer: string): Problem[] {
  if (name !== 'preset' && name !== 'schedule_ms' && !Object.hasOwn(NUMBERS, name))
    return fault('is not a known field', pointer)
  if (value === null) return []
  if (name === 'schedule_ms') return scheduleFaults(value, pointer)
  if (name === 'preset')
    return RETRY_PRESETS.some(each => each === value)
      ? []
      : fault(`must be one of ${RETRY_PRESETS.join(', ')}`, pointer)
  return numberFaults(value, RETRY_POLICY_LIMITS[NUMBERS[name as keyof typeof NUMBERS]], !FRACTIONS.has(name), pointer)
}

function scheduleFaults(schedule: unknown, pointer: string): Problem[] {
  const most = RETRY_POLICY_LIMITS.attempts[1] - 1
  if (!Array.isArray(schedule) || schedule.length === 0 || schedule.length > most)
    return fault(`must be an array of 1 to ${most} delays`, pointer)
  return schedule.flatMap((delay, n) => numberFaults(delay, RETRY_POLICY_LIMITS.intervalMs, true, `${pointer}/${n}`))
}

function numberFaults(value: unknown, limits: readonly [number, number], whole: boolean, pointer: string): Problem[] {
  const [least, most] = limits
  const fits = typeof value === 'number' && value >= least && value <= most
  if (fits && (!whole || Number.isInteger(value))) return []
  return fault(`must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}`, pointer)
}

function baseOf({ preset }: RetryPolicyBody, before: RetryPolicy): RetryPolicy {
  return preset === undefined ? before : PRESETS[preset ?? 'default']
}

function scheduleOf({ schedule_ms: schedule }: RetryPolicyBody, base: RetryPolicy): readonly number[] | undefined {
  return schedule === undefined ? base.scheduleMs : (schedule ?? undefined)
}

function numbersOf({ scheduleMs: _schedule, ...numbers }: RetryPolicy) {
  return { ...numbers }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
