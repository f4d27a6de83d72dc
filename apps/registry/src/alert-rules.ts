import { randomBytes } from 'node:crypto'
import type {
  AlertRuleView,
  Caller,
  CreateAlertRuleBody,
  KeyScope,
  ListAlertSettingsQuery,
  ListView,
  PatchAlertRuleBody,
} from '@posthorn/api'
import {
  MOST_ALERT_SETTINGS,
  rulesInForce,
  type AlertSettingRow,
  type AlertSettings,
  type RuleDefinition,
} from '@posthorn/store'
import { alertRuleConflicts, alertRuleFaults, alertSettingId, type AlertRule } from '@posthorn/webhook'
import { OwnedAlertSettings, requireNone } from './alert-owner.js'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'
import type { TenantCases } from './tenants.js'

type Row = AlertSettingRow<'rule'>
type Fields = Omit<RuleDefinition, 'metric'>

const CURSOR: CursorShape = { list: 'alert_rules', fields: { id: 'text' } }
const MOST_RULES = MOST_ALERT_SETTINGS.rule

/** The rules that say when alerts fire: the built-in ones, which the platform may change, and others of anybody. */
export class AlertRuleCases {
  private readonly owned: OwnedAlertSettings<'rule', AlertRuleView>

  constructor(
    private readonly store: AlertSettings<'rule'>,
    tenants: TenantCases,
    private readonly builtIn: readonly AlertRule[],
  ) {
    this.owned = new OwnedAlertSettings(store, tenants, { kind: 'rule', view: row => this.view(row) })
  }

  async create(caller: Caller, { scope, metric, ...fields }: CreateAlertRuleBody): Promise<AlertRuleView> {
    const row = await this.owned.create(caller, scope, owner => {
      const definition: RuleDefinition = { ...named(fields), description: fields.description ?? null, metric }
      const id = alertSettingId('rule', randomBytes(16))
      this.check({ id, tenant: owner, definition })
      return { id, definition, sealed: null }
    })
    return this.view(row)
  }

  /** Those of the platform begin with the built-in ones. There are few: a page is cut out of all. */
  async list(caller: Caller, { limit, cursor, scope }: ListAlertSettingsQuery): Promise<ListView<AlertRuleView>> {
    const after = positionOf(CURSOR, cursor)?.id
    const { rows } = await this.store.list(await this.owned.owner(caller, scope), MOST_RULES, undefined)
    const changed = new Map(rows.map(row => [row.id, row]))
    const builtIn = scope === 'platform' ? this.builtIn.map(rule => changed.get(rule.id) ?? unchanged(rule)) : []
    const all = [...builtIn, ...rows.filter(({ id }) => !this.builtIn.some(rule => rule.id === id))]
    const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1
    const page = all.slice(from, from + limit)
    const last = from + limit < all.length ? page.at(-1) : undefined
    return { data: page.map(row => this.view(row)), next_cursor: last ? cursorOf(CURSOR, { id: last.id }) : null }
  }

  async get(caller: Caller, id: string, scope?: KeyScope): Promise<AlertRuleView> {
    const rule = this.builtInOf(id, scope)
    if (!rule) return this.view(await this.owned.get(caller, id, scope))
    await this.owned.owner(caller, scope)
    return this.view((await this.store.get(null, id)) ?? unchanged(rule))
  }

  async change(
    caller: Caller,
    id: string,
    body: PatchAlertRuleBody,
    scope?: KeyScope,
    version?: number,
  ): Promise<AlertRuleView> {
    const rule = this.builtInOf(id, scope)
    const decide = (row: Row) => {
      const definition = { ...row.definition, ...named(body) }
      this.check({ ...row, definition })
      return { definition }
    }
    if (rule && !(await this.store.get(null, id))) {
      if (version !== undefined && version !== 0) throw this.owned.missing(id)
      const { definition } = decide(unchanged(rule))
      return this.view(await this.owned.create(caller, 'platform', () => ({ id, definition, sealed: null })))
    }
    return this.view(await this.owned.change(caller, id, scope, version, decide))
  }

  /** Of a built-in one what was changed. */
  async remove(caller: Caller, id: string, scope?: KeyScope, version?: number): Promise<void> {
    const isUnchanged = this.builtInOf(id, scope) && !(await this.store.get(null, id))
    if (isUnchanged) await this.owned.owner(caller, scope)
    else await this.owned.remove(caller, id, scope, version)
  }

  private builtInOf(id: string, scope: KeyScope | undefined): AlertRule | undefined {
    return scope === 'platform' ? this.builtIn.find(rule => rule.id === id) : undefined
  }

  private check(row: Pick<Row, 'id' | 'tenant' | 'definition'>): void {
    requireNone(alertRuleFaults(row.definition, row.definition.metric, row.tenant !== null))
    requireNone(alertRuleConflicts(this.inForce(row)))
  }

  private inForce(row: Pick<Row, 'id' | 'tenant' | 'definition'>): AlertRule {
    return rulesInForce(this.builtIn, [row]).find(({ id }) => id === row.id)!
  }

  private view(row: Row): AlertRuleView {
    const { id, tenant, metric, webhook, threshold, clear, severity, enabled, ...rule } = this.inForce(row)
    return {
      ...{ id, built_in: id === metric, scope: tenant === null ? 'platform' : 'tenant', tenant, metric, webhook },
      ...{ threshold, clear, window_seconds: rule.windowSeconds, for_seconds: rule.forSeconds, severity, enabled },
      description: row.definition.description,
      updated_at: row.version === 0 ? null : row.updatedAt.toISOString(),
      version: row.version,
    }
  }
}

/** A built-in rule that nobody has changed has no row. */
function unchanged({ id, metric }: AlertRule): Row {
  const at = new Date(0)
  const definition = { metric, description: null }
  return { id, kind: 'rule', tenant: null, version: 0, definition, sealed: null, createdAt: at, updatedAt: at }
}

/** What a body names, and nothing that it does not. */
function named(body: Partial<Fields>): Partial<Fields> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}
