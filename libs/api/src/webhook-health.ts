import { CONDITIONS, type Problem } from '@posthorn/webhook'

/** A year: longer than that nobody remembers why. */
export const MAX_DISABLE_AFTER_S = 365 * 24 * 3600

const TIME = { type: 'string', format: 'date-time' } as const

export const HEALTH_SCHEMA = {
  disableAfter: {
    type: 'integer',
    minimum: 0,
    maximum: MAX_DISABLE_AFTER_S,
    description:
      'It is disabled after so long of nothing but failures; 0: never. Unless set, what the deployment says: 5 days by default.',
  },
  health: {
    enum: [...CONDITIONS],
    description:
      'Of its requests: healthy, degraded (the last one failed), or failing (nothing but failures for so long that it will be disabled), see docs/webhook-health.md.',
  },
  failingSince: { ...TIME, description: 'When the first failure after the last success ended; null if it is healthy.' },
  disabledReason: {
    type: 'object',
    description: 'Why Posthorn disabled it: failing (nothing but failures for too long) or gone (it answered 410).',
    properties: {
      rule: { enum: ['failing', 'gone'] },
      disabled_at: TIME,
      failing_since: { ...TIME, nullable: true },
    },
  },
} as const

/** Faults of `disable_after_seconds`. */
export function disableAfterFaults(value: unknown): Problem[] {
  const fits = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_DISABLE_AFTER_S
  return fits ? [] : [{ pointer: '', message: `must be a whole number from 0 to ${MAX_DISABLE_AFTER_S}` }]
}

/** Why Posthorn itself disabled a webhook. Times are RFC 3339. */
export interface DisabledReasonView {
  readonly rule: 'failing' | 'gone'
  readonly disabled_at: string
  /** When the first failure after the last success ended; null with the rule `gone`. */
  readonly failing_since: string | null
}
