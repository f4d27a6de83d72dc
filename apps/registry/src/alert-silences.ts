import { randomBytes } from 'node:crypto'
import type {
  AlertSilenceView,
  Caller,
  CreateAlertSilenceBody,
  KeyScope,
  ListAlertSettingsQuery,
  ListView,
} from '@posthorn/api'
import type { AlertSettingRow, AlertSettings } from '@posthorn/store'
import { alertSettingId } from '@posthorn/webhook'
import { matchOf, matchView, OwnedAlertSettings, requireNone } from './alert-owner.js'
import type { TenantCases } from './tenants.js'

/** Which alerts nobody is told of for a time. */
export class AlertSilenceCases {
  private readonly owned: OwnedAlertSettings<'silence', AlertSilenceView>

  constructor(store: AlertSettings<'silence'>, tenants: TenantCases) {
    this.owned = new OwnedAlertSettings(store, tenants, { kind: 'silence', view: silenceView })
  }

  async create(caller: Caller, { scope, ...body }: CreateAlertSilenceBody): Promise<AlertSilenceView> {
    const row = await this.owned.create(caller, scope, owner => {
      const startsAt = body.starts_at == null ? new Date() : new Date(body.starts_at)
      const endsAt = new Date(body.ends_at)
      if (endsAt <= startsAt) requireNone([{ pointer: '/ends_at', message: 'must be after starts_at' }])
      const times = { startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() }
      const definition = { ...matchOf(body, owner), ...times, comment: body.comment ?? null }
      return { id: alertSettingId('silence', randomBytes(16)), definition, sealed: null }
    })
    return silenceView(row)
  }

  list(caller: Caller, query: ListAlertSettingsQuery): Promise<ListView<AlertSilenceView>> {
    return this.owned.list(caller, query)
  }

  async get(caller: Caller, id: string, scope?: KeyScope): Promise<AlertSilenceView> {
    return silenceView(await this.owned.get(caller, id, scope))
  }

  /** Ends it at once. */
  async remove(caller: Caller, id: string, scope?: KeyScope, version?: number): Promise<void> {
    await this.owned.remove(caller, id, scope, version)
  }
}

function silenceView({ id, tenant, definition, createdAt, version }: AlertSettingRow<'silence'>): AlertSilenceView {
  const { startsAt, endsAt, comment } = definition
  return {
    ...{ id, scope: tenant === null ? 'platform' : 'tenant', tenant, ...matchView(definition) },
    ...{ starts_at: startsAt, ends_at: endsAt, comment, created_at: createdAt.toISOString(), version },
  }
}
