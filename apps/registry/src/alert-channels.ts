import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CHANNEL_DEFAULTS,
  type AlertChannelTestView,
  type AlertChannelView,
  type Caller,
  type CreateAlertChannelBody,
  type KeyScope,
  type ListAlertSettingsQuery,
  type ListView,
  type PatchAlertChannelBody,
} from '@posthorn/api'
import type { Sealer } from '@posthorn/sealing'
import type { Alerts, AlertSettingRow, AlertSettings, ChannelDefinition } from '@posthorn/store'
import { alertSettingId, channelContext } from '@posthorn/webhook'
import { matchOf, matchView, OwnedAlertSettings, requireNone } from './alert-owner.js'
import type { TenantCases } from './tenants.js'

/** A test is answered once it was sent, or after so long. */
const TESTED_WITHIN_MS = 10_000
const POLL_MS = 200

/** Where notifications of alerts go, and which. */
export class AlertChannelCases {
  private readonly owned: OwnedAlertSettings<'channel', AlertChannelView>

  constructor(
    store: AlertSettings<'channel'>,
    tenants: TenantCases,
    private readonly alerts: Pick<Alerts, 'test' | 'tested'>,
    private readonly sealer: Pick<Sealer, 'seal'>,
  ) {
    this.owned = new OwnedAlertSettings(store, tenants, { kind: 'channel', view: channelView })
  }

  async create(caller: Caller, { scope, type, ...body }: CreateAlertChannelBody): Promise<AlertChannelView> {
    const row = await this.owned.create(caller, scope, owner => {
      const id = alertSettingId('channel', randomBytes(16))
      return { id, ...this.settingOf(id, owner, type, body, undefined) }
    })
    return channelView(row)
  }

  list(caller: Caller, query: ListAlertSettingsQuery): Promise<ListView<AlertChannelView>> {
    return this.owned.list(caller, query)
  }

  async get(caller: Caller, id: string, scope?: KeyScope): Promise<AlertChannelView> {
    return channelView(await this.owned.get(caller, id, scope))
  }

  async change(
    caller: Caller,
    id: string,
    body: PatchAlertChannelBody,
    scope?: KeyScope,
    version?: number,
  ): Promise<AlertChannelView> {
    const row = await this.owned.change(caller, id, scope, version, before =>
      this.settingOf(id, before.tenant, before.definition.type, body, before),
    )
    return channelView(row)
  }

  async remove(caller: Caller, id: string, scope?: KeyScope, version?: number): Promise<void> {
    await this.owned.remove(caller, id, scope, version)
  }

  /** Has a monitor send a test, whatever the channel is for. */
  async test(caller: Caller, id: string, scope?: KeyScope): Promise<AlertChannelTestView> {
    await this.owned.get(caller, id, scope)
    const seq = await this.alerts.test(id)
    const deadline = performance.now() + TESTED_WITHIN_MS
    let tested = await this.alerts.tested(seq)
    while (tested.status === 'waiting' && performance.now() < deadline) {
      await sleep(POLL_MS)
      tested = await this.alerts.tested(seq)
    }
    return { status: tested.status, error: tested.error }
  }

  private settingOf(
    id: string,
    owner: string | null,
    type: ChannelDefinition['type'],
    body: PatchAlertChannelBody,
    before: AlertSettingRow<'channel'> | undefined,
  ): Pick<AlertSettingRow<'channel'>, 'definition' | 'sealed'> {
    const known = before ? fieldsOf(before.definition) : undefined
    const fields: PatchAlertChannelBody = { ...known, ...defined(body) }
    const to = fields.to ?? []
    const url = body.url ?? undefined
    if (type === 'email' && to.length === 0) requireNone([{ pointer: '/to', message: 'must name who is written to' }])
    if (type === 'email' && url) requireNone([{ pointer: '/url', message: 'is of slack: leave it out' }])
    if (type === 'slack' && to.length > 0) requireNone([{ pointer: '/to', message: 'is of email: leave it out' }])
    if (type === 'slack' && (body.url === null || (!url && !before)))
      requireNone([{ pointer: '/url', message: 'must be the URL of the incoming webhook' }])
    if (fields.name == null) requireNone([{ pointer: '/name', message: 'must be 1 to 256 characters' }])
    const repeat = fields.repeat_seconds ?? CHANNEL_DEFAULTS.repeat_seconds
    const definition: ChannelDefinition = {
      type,
      name: fields.name!,
      to,
      host: url ? new URL(url).host : (before?.definition.host ?? null),
      ...matchOf(fields, owner),
      enabled: fields.enabled ?? true,
      groupSeconds: fields.group_seconds ?? CHANNEL_DEFAULTS.group_seconds,
      repeatSeconds: repeat === 0 ? null : repeat,
      sendResolved: fields.send_resolved ?? true,
    }
    return { definition, sealed: url ? this.sealer.seal(url, channelContext(id)) : (before?.sealed ?? null) }
  }
}

const defined = (body: object) => Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))

/** As a body would say it. */
function fieldsOf(definition: ChannelDefinition): PatchAlertChannelBody {
  const { name, to, enabled, groupSeconds, repeatSeconds, sendResolved } = definition
  return {
    ...{ name, to: [...to], enabled, group_seconds: groupSeconds, repeat_seconds: repeatSeconds ?? 0 },
    ...{ send_resolved: sendResolved, webhook: definition.webhook },
    rules: definition.rules && [...definition.rules],
    severities: definition.severities && [...definition.severities],
    tenants: definition.tenants && [...definition.tenants],
  }
}

function channelView({
  id,
  tenant,
  definition,
  createdAt,
  updatedAt,
  version,
}: AlertSettingRow<'channel'>): AlertChannelView {
  const { type, name, to, host, enabled, groupSeconds, repeatSeconds, sendResolved } = definition
  return {
    ...{ id, type, scope: tenant === null ? 'platform' : 'tenant', tenant, name, to, host, ...matchView(definition) },
    group_seconds: groupSeconds,
    repeat_seconds: repeatSeconds ?? 0,
    send_resolved: sendResolved,
    enabled,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
    version,
  }
}
