import {
  ApiError,
  type AlertDetailView,
  type AlertScopesQuery,
  type AlertView,
  type Caller,
  type ListAlertsQuery,
  type ListView,
} from '@posthorn/api'
import type { AlertRecord, Alerts, NotificationRecord } from '@posthorn/store'
import { alertSentence } from '@posthorn/webhook'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'

const ID = /^alert_([1-9]\d{0,14})$/
const CURSOR: CursorShape = { list: 'alerts', fields: { seq: 'int8' } }

/** What fires, and what did: a tenant sees what concerns itself, the platform all. */
export class AlertCases {
  constructor(private readonly alerts: Alerts) {}

  /** Newest first. */
  async list(caller: Caller, query: ListAlertsQuery): Promise<ListView<AlertView>> {
    const { limit, cursor, scope, status, webhook, rule } = query
    const { rows, before } = await this.alerts.list({
      tenant: tenantOf(caller, scope),
      firing: status && status === 'firing',
      webhook,
      rule,
      limit,
      before: positionOf(CURSOR, cursor)?.seq as number | undefined,
    })
    return { data: rows.map(alertView), next_cursor: before === undefined ? null : cursorOf(CURSOR, { seq: before }) }
  }

  /** With how the channels of the caller were told of it. */
  async get(caller: Caller, id: string, { scope }: AlertScopesQuery): Promise<AlertDetailView> {
    const [, seq] = ID.exec(id) ?? []
    const found = seq === undefined ? undefined : await this.alerts.get(tenantOf(caller, scope), Number(seq))
    if (!found) throw new ApiError('alert_not_found', `There is no alert "${id.slice(0, 100)}".`)
    return { ...alertView(found.alert), notifications: found.notifications.map(notificationView) }
  }
}

function tenantOf({ platform, tenant }: Caller, scope: ListAlertsQuery['scope']): string | null | undefined {
  if (scope === undefined || scope === 'tenant') return tenant
  if (!platform) throw new ApiError('role_missing', 'Alerts about the platform are for keys of the platform.')
  return scope === 'platform' ? null : undefined
}

function alertView(record: AlertRecord): AlertView {
  const { id, rule, metric, severity, tenant, webhook, subject, value, threshold, details, state } = record
  return {
    ...{ id, rule, metric, severity, status: state.kind, tenant, webhook, subject: subject === '' ? null : subject },
    ...{ value, threshold, window_seconds: record.windowSeconds, details, summary: alertSentence(record) },
    fired_at: iso(state.since),
    ...endOf(state),
  }
}

function notificationView({ channel, what, status, tries, error, createdAt, endedAt }: NotificationRecord) {
  const times = { created_at: createdAt.toISOString(), ended_at: endedAt && endedAt.toISOString() }
  return { channel, what, status, tries, error, ...times }
}

function endOf(state: AlertRecord['state']): Pick<AlertView, 'resolved_at' | 'resolved_by'> {
  switch (state.kind) {
    case 'firing':
      return { resolved_at: null, resolved_by: null }
    case 'resolved':
      return { resolved_at: iso(state.until), resolved_by: state.by }
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
