import { IsIn, IsOptional } from 'class-validator'
import { ALERT_METRICS, ALERT_SEVERITIES, type AlertEnd, type AlertMetric, type AlertSeverity } from '@posthorn/webhook'
import { AUDIT_SCOPES, type AuditScope } from './audit.js'
import { Documented } from './documented.js'
import { Exact } from './history-lists.js'
import { ListQuery } from './lists.js'

export const ALERT_STATUSES = ['firing', 'resolved'] as const
export type AlertStatus = (typeof ALERT_STATUSES)[number]

const SCOPE = {
  enum: [...AUDIT_SCOPES],
  default: 'tenant',
  required: false,
  description: 'Alerts about what the tenant has, about the platform as a whole, or all.',
} as const
export const NOTIFICATION_KINDS = ['firing', 'repeat', 'resolved', 'test'] as const
export const NOTIFICATION_STATUSES = ['waiting', 'sent', 'failed', 'silenced'] as const
const ENDS = ['recovered', 'inactive'] as const satisfies readonly AlertEnd[]
const TIME = { type: 'string', format: 'date-time' } as const
const TEXT_OR_NULL = { type: 'string', nullable: true } as const

function Scope(): PropertyDecorator {
  return (target, property) => {
    Documented(SCOPE)(target, property)
    for (const check of [IsOptional(), IsIn(AUDIT_SCOPES, { message: `must be one of ${AUDIT_SCOPES.join(', ')}` })])
      check(target, property)
  }
}

/** GET /v1/alerts/{id} */
export class AlertScopesQuery {
  @Scope()
  scope?: AuditScope
}

/** GET /v1/alerts */
export class ListAlertsQuery extends ListQuery {
  @Documented({ enum: [...ALERT_STATUSES], required: false, description: 'Those that fire now, or those that did.' })
  @IsOptional()
  @IsIn(ALERT_STATUSES, { message: `must be one of ${ALERT_STATUSES.join(', ')}` })
  status?: AlertStatus

  @Exact('Id of a webhook.')
  webhook?: string

  @Exact('Id of a rule, or a metric: alerts of every rule about it.')
  rule?: string

  @Scope()
  scope?: AuditScope
}

/** An alert that fires, or did: what was found when it began, and against what. */
export class AlertView {
  @Documented() readonly id: string
  @Documented({ description: 'Id of the rule: of a built-in one the name of its metric.' }) readonly rule: string
  @Documented({ enum: [...ALERT_METRICS] }) readonly metric: AlertMetric
  @Documented({ enum: [...ALERT_SEVERITIES] }) readonly severity: AlertSeverity
  @Documented({ enum: [...ALERT_STATUSES] }) readonly status: AlertStatus
  @Documented({ ...TEXT_OR_NULL, description: 'null: the platform as a whole.' }) readonly tenant: string | null
  @Documented({ ...TEXT_OR_NULL, description: 'null: no webhook alone.' }) readonly webhook: string | null
  @Documented({ ...TEXT_OR_NULL, description: 'What else it is about, such as a group and a topic.' })
  readonly subject: string | null
  @Documented({ type: 'number', description: 'What was found when it began.' }) readonly value: number
  @Documented({ type: 'number', description: 'It began beyond this value.' }) readonly threshold: number
  @Documented({ type: 'integer', description: '0: nothing was counted, it is how it was then.' })
  readonly window_seconds: number
  @Documented({ type: 'object', additionalProperties: true, description: 'What else was found, by the metric.' })
  readonly details: Readonly<Record<string, string | number>>
  @Documented({ description: 'The same in a sentence.' }) readonly summary: string
  @Documented(TIME) readonly fired_at: string
  @Documented({ ...TIME, nullable: true }) readonly resolved_at: string | null
  @Documented({ enum: [...ENDS], nullable: true }) readonly resolved_by: AlertEnd | null
}

/** How a channel was told of an alert. */
export class AlertNotificationView {
  @Documented({ description: 'Id of the channel.' }) readonly channel: string
  @Documented({ enum: [...NOTIFICATION_KINDS] }) readonly what: (typeof NOTIFICATION_KINDS)[number]
  @Documented({ enum: [...NOTIFICATION_STATUSES] }) readonly status: (typeof NOTIFICATION_STATUSES)[number]
  @Documented({ type: 'integer' }) readonly tries: number
  @Documented({ ...TEXT_OR_NULL, description: 'Why the last try failed.' }) readonly error: string | null
  @Documented(TIME) readonly created_at: string
  @Documented({ ...TIME, nullable: true }) readonly ended_at: string | null
}

/** GET /v1/alerts/{id} */
export class AlertDetailView extends AlertView {
  @Documented({
    type: () => AlertNotificationView,
    isArray: true,
    description: 'Of channels of the caller, the latest first.',
  })
  readonly notifications: readonly AlertNotificationView[]
}
