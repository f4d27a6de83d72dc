import { ApiError, type Caller, type KeyScope, type ListView } from '@posthorn/api'
import {
  TooManyAlertSettings,
  MOST_ALERT_SETTINGS,
  type AlertSettingChange,
  type AlertSettingKind,
  type AlertSettingRow,
  type AlertSettings,
} from '@posthorn/store'
import type { Problem } from '@posthorn/webhook'
import { audited } from './auditing.js'
import { pageView, placeOf, type CursorShape } from './cursor.js'
import type { TenantCases } from './tenants.js'

type Row<K extends AlertSettingKind> = AlertSettingRow<K>

interface Kind<K extends AlertSettingKind, V extends object> {
  readonly kind: K
  readonly view: (row: Row<K>) => V
}

/** What rules, channels and silences have in common: an owner, a list, an audit, and how many there may be. */
export class OwnedAlertSettings<K extends AlertSettingKind, V extends object> {
  private readonly cursor: CursorShape

  constructor(
    private readonly store: AlertSettings<K>,
    private readonly tenants: Pick<TenantCases, 'require'>,
    private readonly of: Kind<K, V>,
  ) {
    this.cursor = { list: `alert_${of.kind}s`, fields: { createdAt: 'time', id: 'text' } }
  }

  async create(caller: Caller, scope: KeyScope | null | undefined, make: (owner: string | null) => NewSetting<K>) {
    const owner = await this.owner(caller, scope)
    const { kind } = this.of
    try {
      return await this.store.insert({ tenant: owner, ...make(owner) }, this.trail(caller, owner, 'created'))
    } catch (error) {
      if (!(error instanceof TooManyAlertSettings)) throw error
      throw new ApiError('quota_reached', `There may be at most ${MOST_ALERT_SETTINGS[kind]} ${kind}s of one owner.`)
    }
  }

  async list(
    caller: Caller,
    { limit, cursor, scope }: { readonly limit: number; readonly cursor?: string; readonly scope?: KeyScope },
  ): Promise<ListView<V>> {
    const owner = await this.owner(caller, scope)
    return pageView(this.cursor, await this.store.list(owner, limit, placeOf(this.cursor, cursor)), this.of.view)
  }

  async get(caller: Caller, id: string, scope: KeyScope | undefined): Promise<Row<K>> {
    return this.found(id, await this.store.get(await this.owner(caller, scope), id))
  }

  async change(
    caller: Caller,
    id: string,
    scope: KeyScope | undefined,
    version: number | undefined,
    decide: (row: Row<K>) => AlertSettingChange<K>,
  ): Promise<Row<K>> {
    const owner = await this.owner(caller, scope)
    return this.found(id, await this.store.change(owner, id, version, decide, this.trail(caller, owner, 'updated')))
  }

  async remove(caller: Caller, id: string, scope: KeyScope | undefined, version: number | undefined): Promise<Row<K>> {
    const owner = await this.owner(caller, scope)
    return this.found(id, await this.store.remove(owner, id, version, this.trail(caller, owner, 'deleted')))
  }

  /** Throws ApiError: the platform's are for keys of the platform. */
  async owner(caller: Caller, scope: KeyScope | null | undefined): Promise<string | null> {
    if (scope === 'platform') {
      if (caller.platform) return null
      throw new ApiError('role_missing', `The ${this.of.kind}s of the platform are for keys of the platform.`)
    }
    await this.tenants.require(caller.tenant)
    return caller.tenant
  }

  missing(id: string): ApiError {
    const { kind } = this.of
    return new ApiError(`alert_${kind}_not_found`, `There is no ${kind} "${id.slice(0, 100)}".`)
  }

  private found(id: string, row: Row<K> | undefined): Row<K> {
    if (!row) throw this.missing(id)
    return row
  }

  private trail(caller: Caller, owner: string | null, done: string) {
    return audited<Row<K>>(caller, owner, `alert_${this.of.kind}.${done}`, this.of.view)
  }
}

type NewSetting<K extends AlertSettingKind> = Pick<Row<K>, 'id' | 'definition' | 'sealed'>

/** Throws ApiError request_invalid where there are faults. */
export function requireNone(faults: readonly Problem[]): void {
  const [first] = faults
  if (first) throw new ApiError('request_invalid', `${first.pointer} ${first.message}.`, faults)
}

/** What a channel or a silence is for, as it is kept: nothing named is everything. */
export function matchOf(body: MatchFields, owner: string | null) {
  const listed = (list: readonly string[] | null | undefined) => (list && list.length > 0 ? list : null)
  if (owner !== null && listed(body.tenants))
    requireNone([{ pointer: '/tenants', message: "is for the platform's: a tenant's are about itself alone" }])
  return {
    rules: listed(body.rules),
    severities: listed(body.severities),
    tenants: listed(body.tenants),
    webhook: body.webhook ?? null,
  }
}

interface MatchFields {
  readonly rules?: readonly string[] | null
  readonly severities?: readonly string[] | null
  readonly tenants?: readonly string[] | null
  readonly webhook?: string | null
}

export function matchView({ rules, severities, tenants, webhook }: ReturnType<typeof matchOf>) {
  return { rules: rules ?? [], severities: severities ?? [], tenants: tenants ?? [], webhook }
}
