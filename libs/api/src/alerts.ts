import { IsIn, IsOptional } from 'class-validator'
import { ALERT_RULES, ALERT_SEVERITIES, type AlertEnd, type AlertRule, type AlertSeverity } from '@posthorn/webhook'
import { AUDIT_SCOPES, type AuditScope } from './audit.js'
import { Documented } from './documented.js'
import { Exact } from './history-lists.js'
import { ListQuery } from './lists.js'

export const ALERT_STATUSES = ['firing', 'resolved'] as const
export type AlertStatus = (typeof ALERT_STATUSES)[number]

const ENDS = ['recovered', 'inactive'] as const satisfies readonly AlertEnd[]
const TIME = { type: 'string', format: 'date-time' } as const
const TEXT_OR_NULL = { type: 'string', nullable: true } as const

/** GET /v1/alerts */
export class ListAlertsQuery extends ListQuery {
  @Documented({ enum: [...ALERT_STATUSES], required: false, description: 'Those that fire now, or those that did.' })
  @IsOptional()
  @IsIn(ALERT_STATUSES, { message: `must be one of ${ALERT_STATUSES.join(', ')}` })
  status?: AlertStatus

  @Exact('Id of a webhook.')
  webhook?: string

  @Documented({
    enum: [...AUDIT_SCOPES],
    default: 'tenant',
    required: false,
    description: 'Alerts about what the tenant has, about the platform as a whole, or all.',
  })
  @IsOptional()
  @IsIn(AUDIT_SCOPES, { message: `must be one of ${AUDIT_SCOPES.join(', ')}` })
  scope?: AuditScope
}

/** An alert that fires, or did: what was counted when it began, and against what. */
export class AlertView {
  @Documented() readonly id: string
  @Documented({ enum: [...ALERT_RULES] }) readonly rule: AlertRule
  @Documented({ enum: [...ALERT_SEVERITIES] }) readonly severity: AlertSeverity
  @Documented({ enum: [...ALERT_STATUSES] }) readonly status: AlertStatus
  @Documented({ ...TEXT_OR_NULL, description: 'null: the platform as a whole.' }) readonly tenant: string | null
  @Documented({ ...TEXT_OR_NULL, description: 'null: all webhooks.' }) readonly webhook: string | null
  @Documented({ type: 'integer', description: 'Within the window, when it began.' }) readonly attempts: number
  @Documented({ type: 'integer' }) readonly delivered: number
  @Documented({ type: 'number', description: 'It began below this share of delivered attempts.' })
  readonly success_rate: number
  @Documented({ type: 'integer' }) readonly window_seconds: number
  @Documented(TIME) readonly fired_at: string
  @Documented({ ...TIME, nullable: true }) readonly resolved_at: string | null
  @Documented({ enum: [...ENDS], nullable: true }) readonly resolved_by: AlertEnd | null
}
