const TIME = { type: 'string', format: 'date-time', nullable: true } as const

export const OWNERSHIP_SCHEMA = {
  type: 'object',
  description:
    'What the receiver said to the handshake since the webhook has this URL, see docs/ownership.md; null: it was not asked.',
  properties: {
    verified_at: { ...TIME, description: 'When it agreed; null: not yet.' },
    allowed_rate: {
      type: 'integer',
      nullable: true,
      description: 'Requests a minute that it permits; null: no bound.',
    },
    attempts: { type: 'integer' },
    last_attempt_at: TIME,
    next_attempt_at: { ...TIME, description: 'Null: it is asked no more, unless by POST /v1/webhooks/{id}/verify.' },
    status_code: { type: 'integer', nullable: true },
    error: { type: 'string', nullable: true, description: 'What was wrong the last time.' },
    advice: { type: 'string', nullable: true, description: 'What to do about it.' },
  },
} as const

/** What the receiver said to the handshake. Times are RFC 3339. */
export interface OwnershipView {
  readonly verified_at: string | null
  readonly allowed_rate: number | null
  readonly attempts: number
  readonly last_attempt_at: string | null
  readonly next_attempt_at: string | null
  readonly status_code: number | null
  readonly error: string | null
  readonly advice: string | null
}
