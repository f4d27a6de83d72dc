type Right = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'

/** What a service does in Postgres. */
export interface ServiceRights {
  readonly tables: Readonly<Record<string, readonly Right[]>>
  readonly sequences: readonly string[]
  /** Makes and drops partitions of them, which only an owner may: DETACH CONCURRENTLY runs in no function. */
  readonly owns: readonly string[]
}

const READS = ['SELECT'] as const
const ALL = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const
export const PARTITIONED_TABLES = [
  'history_events',
  'history_deliveries',
  'history_attempts',
  'history_counters',
  'history_poison',
] as const

/** By the name of the service; the others have nothing to do there. A test runs each with just this. */
export const SERVICE_RIGHTS = {
  registry: {
    tables: {
      migrations: READS,
      tenants: ALL,
      webhooks: ALL,
      keys: ALL,
      sources: ALL,
      event_types: ALL,
      event_type_versions: ALL,
      replays: ALL,
      idempotency: ALL,
      outbox: ALL,
      // What was done stays.
      audit: ['SELECT', 'INSERT'],
      alerts: ['SELECT', 'DELETE'],
      alert_settings: ALL,
      alert_notifications: ['SELECT', 'INSERT'],
      alert_signals: ALL,
      receiver_certificates: ['SELECT', 'DELETE'],
      own_events: ['SELECT', 'INSERT'],
      webhook_health: READS,
      history_events: READS,
      history_deliveries: ['SELECT', 'UPDATE', 'DELETE'],
      history_attempts: ['SELECT', 'DELETE'],
      history_counters: READS,
      history_poison: ['SELECT', 'UPDATE'],
      history_offsets: READS,
    },
    sequences: [],
    owns: [],
  },
  replayer: {
    tables: {
      migrations: READS,
      webhooks: READS,
      replays: ['SELECT', 'UPDATE', 'DELETE'],
      history_events: READS,
      history_deliveries: READS,
      history_poison: READS,
    },
    sequences: [],
    owns: [],
  },
  monitor: {
    tables: {
      tenants: READS,
      webhooks: READS,
      webhook_health: ALL,
      network_reach: ALL,
      own_events: ALL,
      alerts: ALL,
      alert_settings: ['SELECT', 'DELETE'],
      alert_notifications: ['SELECT', 'INSERT', 'UPDATE'],
      alert_pending: ['SELECT', 'INSERT', 'DELETE'],
      alert_signals: ALL,
      receiver_certificates: ['SELECT', 'INSERT', 'UPDATE'],
      history_offsets: ['SELECT', 'INSERT', 'UPDATE'],
    },
    sequences: ['webhook_health_revisions'],
    owns: PARTITIONED_TABLES,
  },
} as const satisfies Record<string, ServiceRights>

/** Where the tables are, and who has them. */
export interface RightsOptions {
  /** What the names of the services' roles start with. */
  readonly prefix: string
  /** Who owns the tables: the role that migrates. */
  readonly owner: string
}

/** SQL for an administrator of Postgres: the roles. Each of them needs a password, or what else it logs in by. */
export function roleStatements({ prefix, owner }: RightsOptions): string[] {
  return Object.entries<ServiceRights>(SERVICE_RIGHTS).flatMap(([service, { owns }]) => {
    const role = quoted(prefix + service)
    // So that who migrates may still change the tables that it gives away.
    return [`CREATE ROLE ${role} LOGIN;`, ...(owns.length === 0 ? [] : [`GRANT ${role} TO ${quoted(owner)};`])]
  })
}

/** SQL for the owner of the tables, in their database: as often as one likes. */
export function grantStatements({ prefix }: RightsOptions): string[] {
  return Object.entries<ServiceRights>(SERVICE_RIGHTS).flatMap(([service, { tables, sequences, owns }]) => {
    const role = quoted(prefix + service)
    return [
      ...Object.entries(tables).map(([table, rights]) => `GRANT ${rights.join(', ')} ON ${table} TO ${role};`),
      ...sequences.map(sequence => `GRANT USAGE ON SEQUENCE ${sequence} TO ${role};`),
      ...(owns.length === 0 ? [] : [`GRANT CREATE ON SCHEMA public TO ${role};`, ownership(owns, role)]),
    ]
  })
}

/** The tables, and the partitions that somebody else made. */
function ownership(tables: readonly string[], role: string): string {
  const names = tables.map(table => `'${table}'`).join(', ')
  return `DO $$ DECLARE name regclass; BEGIN
  FOR name IN SELECT unnest(ARRAY[${names}]::regclass[])
    UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY(ARRAY[${names}]::regclass[])
  LOOP EXECUTE format('ALTER TABLE %s OWNER TO ${role.replaceAll("'", "''")}', name); END LOOP;
END $$;`
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

interface Asked {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>
}

const MISSING = `
  select current_user as role, name, right_ from unnest($1::text[], $2::text[]) as wanted(name, right_)
  where to_regclass(name) is not null and case
    when right_ = 'OWNER' then not pg_has_role((select relowner from pg_class where oid = to_regclass(name)), 'USAGE')
    when right_ = 'USAGE' then not has_sequence_privilege(name, right_)
    else not has_table_privilege(name, right_) end`

/** A sentence that names each right that the service's role lacks; undefined when it has all. */
export async function missingRights(
  client: Asked,
  { tables, sequences, owns }: ServiceRights,
): Promise<string | undefined> {
  const wanted = [
    ...Object.entries(tables).flatMap(([table, rights]) => rights.map(right => [table, right] as const)),
    ...sequences.map(sequence => [sequence, 'USAGE'] as const),
    ...owns.map(table => [table, 'OWNER'] as const),
  ]
  const { rows } = await client.query(MISSING, [wanted.map(([name]) => name), wanted.map(([, right]) => right)])
  if (rows.length === 0) return undefined
  const lacks = rows.map(({ name, right_: right }) => (right === 'OWNER' ? `to own ${name}` : `${right} on ${name}`))
  return `the role ${rows[0]!.role} lacks ${lacks.join(', ')}: run what "posthorn database --grants" prints (docs/security.md)`
}

/** What Postgres says to a statement that the role has no right to, such as permission denied for table webhooks. */
export function refusedBy(error: unknown): string | undefined {
  const { code, driverError, message } = error as { code?: unknown; driverError?: unknown; message?: unknown }
  if (driverError !== undefined) return refusedBy(driverError)
  return code === '42501' ? String(message) : undefined
}
