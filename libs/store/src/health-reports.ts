import type { WebhookHealth } from '@posthorn/topics'
import type { EntityManager } from 'typeorm'
import type { WebhookRow } from './entities.js'
import { MINUTE_MS } from './health-signals.js'
import type { SqlPool } from './history-pool.js'
import { raiseOwnEvent } from './own-events.js'
import { shownUrl } from './webhook-health.js'

/** What is to stand on the webhook's facet. */
export type HealthReport =
  | { readonly kind: 'health'; readonly health: WebhookHealth }
  /** The webhook is no more. */
  | { readonly kind: 'deleted'; readonly webhook: string; readonly revision: number }

/** How many webhooks fail, and how many of those were warned of or are due. */
export interface HealthCounts {
  readonly failing: number
  readonly warned: number
}

/** A webhook may be told of when the clock ran for a year; older minutes are asked for by nobody that still counts. */
const REACH_KEPT_MS = 400 * 24 * 3600_000

const UNPUBLISHED = `select webhook, tenant, told, revision::float8, since::float8, failures, counted_ms::float8 as counted
  from webhook_health where not published order by revision limit $1`
const PUBLISHED = `update webhook_health set published = true where webhook = $1 and revision = $2`
const ENDED = `delete from webhook_health
  where webhook = $1 and revision = $2 and published and since is null and told in ('healthy', 'deleted')`
const COUNTS = `select count(*) filter (where since is not null)::int as failing,
  count(*) filter (where told in ('failing', 'due'))::int as warned from webhook_health`
const FORGET = `with gone as (
    select h.webhook from webhook_health h where h.told <> 'deleted'
      and not exists (select from webhooks w where w.id = h.webhook and w.deleted_at is null)
    order by h.webhook for update skip locked)
  update webhook_health h set told = 'deleted', published = false, since = null, last = null,
    revision = nextval('webhook_health_revisions') from gone where h.webhook = gone.webhook`

interface RawReport {
  readonly webhook: string
  readonly tenant: string
  readonly told: WebhookHealth['health'] | 'deleted'
  readonly revision: number
  readonly since: number | null
  readonly failures: number
  readonly counted: number
}

/** The health that is to be published, until its record is acknowledged. */
export class HealthReports {
  constructor(private readonly pool: SqlPool) {}

  /** The oldest first. */
  async unpublished(limit: number): Promise<HealthReport[]> {
    const { rows } = await this.pool.query(UNPUBLISHED, [limit])
    return (rows as unknown as RawReport[]).map(({ webhook, tenant, told, revision, since, failures, counted }) =>
      told === 'deleted'
        ? { kind: 'deleted', webhook, revision }
        : {
            kind: 'health',
            health: {
              webhook,
              tenant,
              version: revision,
              health: told,
              ...(since === null ? {} : { failingSince: since }),
              failures,
              countedMs: counted,
            },
          },
    )
  }

  /** Its record is acknowledged. What says more since then has another revision and stays. */
  async published(report: HealthReport): Promise<void> {
    const [webhook, revision] =
      report.kind === 'deleted' ? [report.webhook, report.revision] : [report.health.webhook, report.health.version]
    await this.pool.query(PUBLISHED, [webhook, revision])
    await this.pool.query(ENDED, [webhook, revision])
  }

  async counts(): Promise<HealthCounts> {
    const { rows } = await this.pool.query(COUNTS)
    return rows[0] as unknown as HealthCounts
  }

  /** Forgets webhooks that were deleted, and minutes of long ago. */
  async sweep(now: number): Promise<void> {
    await this.pool.query(FORGET)
    await this.pool.query('delete from network_reach where minute < $1', [
      Math.floor((now - REACH_KEPT_MS) / MINUTE_MS),
    ])
  }
}

const ANEW = `update webhook_health set told = 'healthy', published = false, since = null, last = null, failures = 0,
    counted_ms = 0, last_success = null, revision = nextval('webhook_health_revisions')
  where webhook = $1 and told in ('failing', 'due')`

/** Within the change of a webhook that begins anew: what was said of it holds no longer. */
export async function beginHealthAnew(tx: EntityManager, webhook: string): Promise<void> {
  await tx.query(ANEW, [webhook])
}

/** Within the same change, of a webhook that had been disabled for its failures and now is enabled: `next`. */
export async function raiseEnabled(tx: EntityManager, next: WebhookRow): Promise<void> {
  const { id: webhook, tenant, url, version } = next
  await raiseOwnEvent((text, values) => tx.query(text, values as unknown[]), {
    id: `${webhook}.enabled.${version}`,
    tenant,
    subject: webhook,
    type: 'posthorn.webhook.recovered',
    time: next.updatedAt.toISOString(),
    data: { webhook, url: shownUrl(url), by: 'enabled' },
  })
}
