import { alertRule, type AlertMatch, type AlertRule, type AlertRuleFields } from '@posthorn/webhook'
import { Column, Entity, IsNull, PrimaryColumn, type EntityManager } from 'typeorm'
import { appendAudit, type Audited } from './audit.js'
import type { Database } from './data-source.js'
import type { SqlClient } from './history-pool.js'
import { pageOf, type ListPage, type ListPosition } from './page.js'
import { changesNothing, requireVersion } from './published-row.js'

/** A rule as it was written; what it does not say is that of the built-in rule of its metric. */
export interface RuleDefinition extends AlertRuleFields {
  readonly metric: AlertRule['metric']
  readonly description: string | null
}

/** Where notifications go, and which. */
export interface ChannelDefinition extends AlertMatch {
  readonly type: 'email' | 'slack'
  readonly name: string
  /** Of email. */
  readonly to: readonly string[]
  /** What is shown of the address of slack. */
  readonly host: string | null
  readonly enabled: boolean
  /** So long it is waited for more to be told at once. */
  readonly groupSeconds: number
  /** What still fires is told again after so long; null: never. */
  readonly repeatSeconds: number | null
  readonly sendResolved: boolean
}

/** What is not told meanwhile. Times are RFC 3339. */
export interface SilenceDefinition extends AlertMatch {
  readonly startsAt: string
  readonly endsAt: string
  readonly comment: string | null
}

export interface AlertDefinitions {
  rule: RuleDefinition
  channel: ChannelDefinition
  silence: SilenceDefinition
}
export type AlertSettingKind = keyof AlertDefinitions

@Entity('alert_settings')
export class AlertSettingRow<K extends AlertSettingKind = AlertSettingKind> {
  @PrimaryColumn('text')
  id: string

  @Column('text')
  kind: K

  /** Whose it is; null: the platform's. */
  @Column('text', { nullable: true })
  tenant: string | null

  @Column('integer')
  version: number

  @Column('jsonb')
  definition: AlertDefinitions[K]

  /** The address of a channel, where it is a secret. */
  @Column('text', { nullable: true })
  sealed: string | null

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date
}

/** So many of a kind its owner may have: all are looked at every few seconds. */
export const MOST_ALERT_SETTINGS: Readonly<Record<AlertSettingKind, number>> = { rule: 50, channel: 20, silence: 100 }

/** The owner has as many as it may have. */
export class TooManyAlertSettings extends Error {
  override readonly name = 'TooManyAlertSettings'
}

export type AlertSettingChange<K extends AlertSettingKind> = Partial<Pick<AlertSettingRow<K>, 'definition' | 'sealed'>>

/** The rules, channels or silences of tenants and of the platform. */
export class AlertSettings<K extends AlertSettingKind> {
  constructor(
    private readonly database: Database,
    private readonly kind: K,
  ) {}

  /** Throws TooManyAlertSettings. */
  async insert(
    made: Pick<AlertSettingRow<K>, 'id' | 'tenant' | 'definition' | 'sealed'>,
    audited: Audited<AlertSettingRow<K>>,
  ): Promise<AlertSettingRow<K>> {
    const now = new Date()
    const kept = { kind: this.kind, version: 1, createdAt: now, updatedAt: now }
    const row = Object.assign(new AlertSettingRow<K>(), made, kept)
    return this.database.manager.transaction(async tx => {
      await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`alert ${this.kind} ${made.tenant ?? ''}`])
      const where = { kind: this.kind as AlertSettingKind, tenant: made.tenant ?? IsNull() }
      if ((await tx.countBy(AlertSettingRow, where)) >= MOST_ALERT_SETTINGS[this.kind]) throw new TooManyAlertSettings()
      await tx.insert(AlertSettingRow, row as object)
      await appendAudit(tx, audited(undefined, row))
      return row
    })
  }

  async get(owner: string | null, id: string): Promise<AlertSettingRow<K> | undefined> {
    const where = { id, kind: this.kind as AlertSettingKind, tenant: owner ?? IsNull() }
    return ((await this.database.manager.findOneBy(AlertSettingRow, where)) as AlertSettingRow<K> | null) ?? undefined
  }

  /** Newest first. */
  async list(
    owner: string | null,
    limit: number,
    after: ListPosition | undefined,
  ): Promise<ListPage<AlertSettingRow<K>>> {
    const query = this.database.manager
      .createQueryBuilder(AlertSettingRow, 's')
      .where('s.kind = :kind AND s.tenant IS NOT DISTINCT FROM :owner', { kind: this.kind, owner })
    return (await pageOf(query, limit, after)) as ListPage<AlertSettingRow<K>>
  }

  /**
   * Applies what `decide` makes of the current row, which is locked meanwhile; nothing changed is no new version.
   * Undefined when there is none. Throws VersionConflict.
   */
  async change(
    owner: string | null,
    id: string,
    wanted: number | undefined,
    decide: (row: AlertSettingRow<K>) => AlertSettingChange<K>,
    audited: Audited<AlertSettingRow<K>>,
  ): Promise<AlertSettingRow<K> | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await this.locked(tx, owner, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      const change = decide(row)
      if (changesNothing(row, change)) return row
      const next = { ...change, version: row.version + 1, updatedAt: new Date() }
      await tx.update(AlertSettingRow, { id }, next as object)
      const changed = Object.assign(new AlertSettingRow<K>(), row, next)
      await appendAudit(tx, audited(row, changed))
      return changed
    })
  }

  /** As it was left; undefined when there is none. Throws VersionConflict. */
  async remove(
    owner: string | null,
    id: string,
    wanted: number | undefined,
    audited: Audited<AlertSettingRow<K>>,
  ): Promise<AlertSettingRow<K> | undefined> {
    return this.database.manager.transaction(async tx => {
      const row = await this.locked(tx, owner, id)
      if (!row) return undefined
      requireVersion(row, wanted)
      await tx.delete(AlertSettingRow, { id })
      await appendAudit(tx, audited(row, undefined))
      return row
    })
  }

  private async locked(tx: EntityManager, owner: string | null, id: string): Promise<AlertSettingRow<K> | null> {
    return (await tx
      .createQueryBuilder(AlertSettingRow, 's')
      .setLock('pessimistic_write')
      .where('s.id = :id AND s.kind = :kind AND s.tenant IS NOT DISTINCT FROM :owner', { id, kind: this.kind, owner })
      .getOne()) as AlertSettingRow<K> | null
  }
}

/** A row as the monitor reads it. */
export interface AlertSetting<K extends AlertSettingKind> {
  readonly id: string
  readonly tenant: string | null
  readonly definition: AlertDefinitions[K]
  readonly sealed: string | null
}

/** All of one kind, of those whose owner is there. */
export async function readAlertSettings<K extends AlertSettingKind>(
  client: Pick<SqlClient, 'query'>,
  kind: K,
): Promise<readonly AlertSetting<K>[]> {
  const text = `select s.id, s.tenant, s.definition, s.sealed from alert_settings s
    where s.kind = $1 and (s.tenant is null or exists (select from tenants t where t.id = s.tenant and t.status = 'active'))
    order by s.id`
  return (await client.query({ text, values: [kind] })).rows as unknown as readonly AlertSetting<K>[]
}

/** The rules that hold: the built-in ones, as they were changed, and all others. */
export function rulesInForce(
  builtIn: readonly AlertRule[],
  settings: readonly Pick<AlertSetting<'rule'>, 'id' | 'tenant' | 'definition'>[],
): readonly AlertRule[] {
  const changed = new Map(settings.map(one => [one.id, one]))
  const bases = new Map(builtIn.map(rule => [rule.metric, rule]))
  const rules = builtIn.map(rule => {
    const change = changed.get(rule.id)
    return change ? alertRule(rule, change.definition, rule) : rule
  })
  const own = settings.filter(({ id }) => !builtIn.some(rule => rule.id === id))
  return [...rules, ...own.map(one => ownRule(one, bases.get(one.definition.metric)))]
}

/** That a built-in rule is switched off says nothing of others of its metric. */
function ownRule(
  { id, tenant, definition }: Pick<AlertSetting<'rule'>, 'id' | 'tenant' | 'definition'>,
  base?: AlertRule,
) {
  return alertRule({ id, tenant, metric: definition.metric }, definition, base && { ...base, enabled: true })
}
