import { IsIn, IsOptional } from 'class-validator'
import {
  ALERT_METRICS,
  ALERT_SEVERITIES,
  ALERT_WINDOWS,
  type AlertMetric,
  type AlertSeverity,
  type Problem,
} from '@posthorn/webhook'
import { Documented, type FieldSchema } from './documented.js'
import { Faults } from './http-validation.js'
import { KEY_SCOPES, type KeyScope } from './keys.js'
import { ListQuery } from './lists.js'

const TIME = { type: 'string', format: 'date-time' } as const
const MAX_TEXT = 256
const ONE_SCOPE = { message: 'must be tenant or platform' }

/** Whose a rule, channel or silence is. */
const SCOPE = {
  enum: [...KEY_SCOPES],
  default: 'tenant',
  required: false,
  description: "Whose it is: the tenant's, or the platform's.",
} as const

/** An optional text of at most 256 characters. */
export function textFaults(text: unknown): Problem[] {
  return typeof text === 'string' && text.length <= MAX_TEXT
    ? []
    : [{ pointer: '', message: `must have at most ${MAX_TEXT} characters` }]
}

const numberFaults = (value: unknown): Problem[] =>
  typeof value === 'number' && value >= 0 ? [] : [{ pointer: '', message: 'must be a number of 0 or more' }]

/** A field that may be absent, or null: it has its default then. */
export function Maybe(check: (value: unknown) => readonly Problem[], schema: FieldSchema): PropertyDecorator {
  return (target, property) => {
    IsOptional()(target, property)
    Faults(check, { ...schema, required: false, nullable: true })(target, property)
  }
}

export function flagFaults(value: unknown): Problem[] {
  return typeof value === 'boolean' ? [] : [{ pointer: '', message: 'must be true or false' }]
}

const oneOf = (values: readonly unknown[]) => (value: unknown) =>
  values.includes(value) ? [] : [{ pointer: '', message: `must be one of ${values.join(', ')}` }]

/** PATCH /v1/alert-rules/{id}, by merge-patch: null is the default. */
export class PatchAlertRuleBody {
  static readonly example: object = { threshold: 0.8, severity: 'critical' }

  @Maybe(numberFaults, { type: 'number', minimum: 0, description: 'Beyond it an alert fires.' })
  threshold?: number | null

  @Maybe(numberFaults, { type: 'number', minimum: 0, description: 'Back at this value it ends.' })
  clear?: number | null

  @Maybe(oneOf(ALERT_WINDOWS), { enum: [...ALERT_WINDOWS], description: 'For what is counted within a window.' })
  window_seconds?: number | null

  @Maybe(numberFaults, {
    type: 'integer',
    minimum: 0,
    maximum: 86_400,
    description: 'So long beyond it until it fires.',
  })
  for_seconds?: number | null

  @Maybe(oneOf(ALERT_SEVERITIES), { enum: [...ALERT_SEVERITIES] })
  severity?: AlertSeverity | null

  @Maybe(flagFaults, { type: 'boolean', default: true })
  enabled?: boolean | null

  @Maybe(textFaults, { type: 'string', maxLength: MAX_TEXT })
  description?: string | null
}

/** POST /v1/alert-rules */
export class CreateAlertRuleBody extends PatchAlertRuleBody {
  static override readonly example = { metric: 'webhook_success_rate', threshold: 0.5, severity: 'critical' }

  @Documented({ enum: [...ALERT_METRICS], description: 'What is watched.' })
  @IsIn(ALERT_METRICS, { message: `must be one of ${ALERT_METRICS.join(', ')}` })
  metric: AlertMetric

  @Maybe(textFaults, { type: 'string', description: 'Id of the only webhook that it is about.' })
  webhook?: string | null

  @Documented({ ...SCOPE, nullable: true })
  @IsOptional()
  @IsIn(KEY_SCOPES, ONE_SCOPE)
  scope?: KeyScope | null
}

/** What names the owner of rules, channels and silences: GET, PATCH, DELETE and POST …/test. */
export class AlertScopeQuery {
  @Documented(SCOPE)
  @IsOptional()
  @IsIn(KEY_SCOPES, ONE_SCOPE)
  scope?: KeyScope
}

/** GET /v1/alert-rules, /v1/alert-channels and /v1/alert-silences */
export class ListAlertSettingsQuery extends ListQuery {
  @Documented(SCOPE)
  @IsOptional()
  @IsIn(KEY_SCOPES, ONE_SCOPE)
  scope?: KeyScope
}

/** The owner of what is created by a body. */
export const ALERT_SCOPE = { ...SCOPE, nullable: true } as const

/** A rule as it holds. */
export class AlertRuleView {
  @Documented() readonly id: string
  @Documented({ type: 'boolean', description: 'Its id is its metric, and deleting it undoes what was changed.' })
  readonly built_in: boolean
  @Documented({ enum: [...KEY_SCOPES] }) readonly scope: KeyScope
  @Documented({ type: 'string', nullable: true }) readonly tenant: string | null
  @Documented({ enum: [...ALERT_METRICS] }) readonly metric: AlertMetric
  @Documented({ type: 'string', nullable: true }) readonly webhook: string | null
  @Documented({ type: 'number' }) readonly threshold: number
  @Documented({ type: 'number' }) readonly clear: number
  @Documented({ type: 'integer', description: '0: nothing is counted, it is how it is now.' })
  readonly window_seconds: number
  @Documented({ type: 'integer' }) readonly for_seconds: number
  @Documented({ enum: [...ALERT_SEVERITIES] }) readonly severity: AlertSeverity
  @Documented({ type: 'boolean' }) readonly enabled: boolean
  @Documented({ type: 'string', nullable: true }) readonly description: string | null
  @Documented({ ...TIME, nullable: true, description: 'null: a built-in one that nobody has changed.' })
  readonly updated_at: string | null
  @Documented({ type: 'integer', description: '0: a built-in one that nobody has changed.' }) readonly version: number
}
