import { ApiError, type AlertView, type Caller, type ListAlertsQuery, type ListView } from '@posthorn/api'
import type { AlertRecord, Alerts } from '@posthorn/store'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'

const CURSOR: CursorShape = { list: 'alerts', fields: { seq: 'int8' } }

/** What fires, and what did: a tenant sees what concerns itself, the platform all. */
export class AlertCases {
  constructor(private readonly alerts: Alerts) {}

  /** Newest first. */
  async list(caller: Caller, { limit, cursor, scope, status, webhook }: ListAlertsQuery): Promise<ListView<AlertView>> {
    const { rows, before } = await this.alerts.list({
      tenant: tenantOf(caller, scope),
      firing: status && status === 'firing',
      webhook,
      limit,
      before: positionOf(CURSOR, cursor)?.seq as number | undefined,
    })
    return { data: rows.map(alertView), next_cursor: before === undefined ? null : cursorOf(CURSOR, { seq: before }) }
  }
}

function tenantOf({ platform, tenant }: Caller, scope: ListAlertsQuery['scope']): string | null | undefined {
  if (scope === undefined || scope === 'tenant') return tenant
  if (!platform) throw new ApiError('role_missing', 'Alerts about the platform are for keys of the platform.')
  return scope === 'platform' ? null : undefined
}

function alertView({ id, rule, severity, tenant, webhook, attempts, delivered, ...rest }: AlertRecord): AlertView {
  const { state, successRate, windowSeconds } = rest
  return {
    id,
    rule,
    severity,
    status: state.kind,
    tenant,
    webhook,
    attempts,
    delivered,
    success_rate: successRate,
    window_seconds: windowSeconds,
    fired_at: iso(state.since),
    ...endOf(state),
  }
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
