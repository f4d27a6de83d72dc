import { UNKNOWN_HEALTH, type Health, type HealthTold, type WebhookStatus } from '@posthorn/webhook'
import { reachOf } from './health-signals.js'
import type { PositionedEntry } from './history-entries.js'
import type { SqlClient } from './history-pool.js'

/** What is kept of a webhook that fails, or did until just now. */
export interface HealthRow {
  readonly webhook: string
  readonly tenant: string
  /** Of the webhook at its latest attempt. */
  readonly webhookVersion: number
  readonly health: Health
  /** Of the latest failure. */
  readonly statusCode: number | null
  readonly errorClass: string | null
  readonly told: HealthTold
  /** Grows with whatever is told, of all webhooks together. */
  readonly revision: number
  /** Whether the topic has what is told. */
  readonly published: boolean
}

/** What the health depends on beside the attempts. */
export interface HealthSettings {
  readonly id: string
  readonly tenant: string
  readonly url: string
  readonly status: WebhookStatus
  /** Null: what the deployment says. */
  readonly disableAfterSeconds: number | null
  /** Failures before it do not count; ms since the epoch. */
  readonly activeSince: number | undefined
}

export interface Interval {
  readonly from: number
  readonly to: number
}

export interface RawHealth extends Omit<HealthRow, 'health'> {
  readonly since: number | null
  readonly last: number | null
  readonly lastSuccess: number | null
  readonly failures: number
  readonly countedMs: number
}

const READ = `select webhook, tenant, webhook_version as "webhookVersion", since::float8, last::float8,
    last_success::float8 as "lastSuccess", failures, counted_ms::float8 as "countedMs", status_code as "statusCode",
    error_class as "errorClass", told, revision::float8, published
  from webhook_health where webhook = any($1) order by webhook for update`

/** Holds the rows until the end of the transaction. */
export async function readHealth(client: SqlClient, webhooks: readonly string[]): Promise<Map<string, HealthRow>> {
  const { rows } = await client.query({ name: 'posthorn-read-health', text: READ, values: [webhooks] })
  return new Map(
    (rows as unknown as RawHealth[]).map(({ since, last, lastSuccess, failures, countedMs, ...row }) => {
      const success = lastSuccess ?? undefined
      return [row.webhook, { ...row, health: healthOf({ since, last, failures, countedMs }, success) }]
    }),
  )
}

export function healthOf(
  { since, last, failures, countedMs }: Pick<RawHealth, 'since' | 'last' | 'failures' | 'countedMs'>,
  lastSuccess: number | undefined,
): Health {
  if (since !== null && last !== null) return { kind: 'failing', since, last, failures, countedMs, lastSuccess }
  return lastSuccess === undefined ? UNKNOWN_HEALTH : { kind: 'healthy', lastSuccess }
}

const SETTINGS = `select id, tenant, url, status, disable_after_seconds as "disableAfterSeconds",
    (extract(epoch from active_since) * 1000)::float8 as "activeSince"
  from webhooks where id = any($1) and deleted_at is null`

export async function readSettings(
  client: SqlClient,
  webhooks: readonly string[],
): Promise<Map<string, HealthSettings>> {
  const { rows } = await client.query({ name: 'posthorn-health-settings', text: SETTINGS, values: [webhooks] })
  return new Map(
    (rows as unknown as HealthSettings[]).map(row => [row.id, { ...row, activeSince: row.activeSince ?? undefined }]),
  )
}

const SAVE = `insert into webhook_health as h (webhook, tenant, webhook_version, since, last, last_success, failures,
    counted_ms, status_code, error_class, told, revision, published)
  select webhook, tenant, version, since, last, last_success, failures, counted_ms, status_code, error_class, told,
    case when changed then nextval('webhook_health_revisions') else revision end, published
  from unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::bigint[],
    $9::int[], $10::text[], $11::text[], $12::bigint[], $13::boolean[], $14::boolean[])
    as u(webhook, tenant, version, since, last, last_success, failures, counted_ms, status_code, error_class, told,
      revision, published, changed)
  order by webhook
  on conflict (webhook) do update set webhook_version = excluded.webhook_version, since = excluded.since,
    last = excluded.last, last_success = excluded.last_success, failures = excluded.failures,
    counted_ms = excluded.counted_ms, status_code = excluded.status_code, error_class = excluded.error_class,
    told = excluded.told, revision = excluded.revision, published = excluded.published
  returning webhook, revision::float8`

/** Resolves with the revision of each; those that are changed get a new one. */
export async function saveHealth(
  client: SqlClient,
  rows: readonly { readonly row: HealthRow; readonly changed: boolean }[],
): Promise<Map<string, number>> {
  if (rows.length === 0) return new Map()
  const column = (of: (row: HealthRow) => unknown) => rows.map(({ row }) => of(row))
  const failing = (of: (health: Extract<Health, { kind: 'failing' }>) => number, otherwise: number | null) =>
    column(({ health }) => (health.kind === 'failing' ? of(health) : otherwise))
  const values = [
    column(row => row.webhook),
    column(row => row.tenant),
    column(row => row.webhookVersion),
    failing(health => health.since, null),
    failing(health => health.last, null),
    column(({ health }) => (health.kind === 'unknown' ? null : (health.lastSuccess ?? null))),
    failing(health => health.failures, 0),
    failing(health => health.countedMs, 0),
    column(row => row.statusCode),
    column(row => row.errorClass),
    column(row => row.told),
    column(row => row.revision),
    column(row => row.published),
    rows.map(({ changed }) => changed),
  ]
  const saved = await client.query({ name: 'posthorn-save-health', text: SAVE, values })
  const revisions = saved.rows as unknown as Pick<HealthRow, 'webhook' | 'revision'>[]
  return new Map(revisions.map(({ webhook, revision }) => [webhook, revision]))
}

export async function deleteHealth(client: SqlClient, webhooks: readonly string[]): Promise<void> {
  if (webhooks.length === 0) return
  await client.query({ text: 'delete from webhook_health where webhook = any($1)', values: [webhooks] })
}

const REACH = `insert into network_reach as r (minute, partition, first_at, last_at)
  select * from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) order by 1, 2
  on conflict (minute, partition) do update set first_at = least(r.first_at, excluded.first_at),
    last_at = greatest(r.last_at, excluded.last_at)
  where r.first_at > excluded.first_at or r.last_at < excluded.last_at`

/** Remembers when receivers were reached. */
export async function noteReach(client: SqlClient, entries: readonly PositionedEntry[]): Promise<void> {
  const reach = reachOf(entries)
  if (reach.length === 0) return
  const columns = (['minute', 'partition', 'first', 'last'] as const).map(name => reach.map(one => one[name]))
  await client.query({ name: 'posthorn-note-reach', text: REACH, values: columns })
}

const REACHED = `select exists (
    select from network_reach where minute between (i.since / 60000)::int and (i.until / 60000)::int
      and last_at > i.since and first_at <= i.until
  ) as reached
  from unnest($1::bigint[], $2::bigint[]) with ordinality as i(since, until, number) order by number`

/** For each interval whether anybody was reached after its start and not after its end. */
export async function reachedIn(client: SqlClient, intervals: readonly Interval[]): Promise<boolean[]> {
  if (intervals.length === 0) return []
  const values = [intervals.map(({ from }) => from), intervals.map(({ to }) => to)]
  const { rows } = await client.query({ name: 'posthorn-reached', text: REACHED, values })
  return rows.map(({ reached }) => reached === true)
}
