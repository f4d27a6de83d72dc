import { advance, conditionOf, type Condition } from '@posthorn/webhook'
import type { EntityManager } from 'typeorm'
import type { WebhookRow } from './entities.js'
import { healthOf, type RawHealth } from './health-tables.js'

/** How a webhook does, as its readers see it. */
export interface WebhookCondition {
  readonly condition: Condition
  /** When the first failure after the last success ended; undefined where it is healthy. */
  readonly failingSince: Date | undefined
}

const HEALTHY: WebhookCondition = { condition: 'healthy', failingSince: undefined }

const FAILING = `select webhook, since::float8, last::float8, last_success::float8 as "lastSuccess", failures,
    counted_ms::float8 as "countedMs", told
  from webhook_health where webhook = any($1) and since is not null`

/** Of each of these webhooks. */
export async function conditionsOf(
  manager: EntityManager,
  webhooks: readonly WebhookRow[],
): Promise<(webhook: WebhookRow) => WebhookCondition> {
  const rows: RawHealth[] = await manager.query(FAILING, [webhooks.map(({ id }) => id)])
  const failing = new Map(rows.map(row => [row.webhook, row]))
  return webhook => {
    const known = failing.get(webhook.id)
    return known ? conditionAt(webhook.activeSince, known) : HEALTHY
  }
}

/** Where it has begun anew since its failures, the monitor notices at the next one only. */
function conditionAt(activeSince: Date | null, known: RawHealth): WebhookCondition {
  const kept = healthOf(known, known.lastSuccess ?? undefined)
  const health = activeSince ? advance(kept, { at: activeSince.getTime(), ok: true }, () => false) : kept
  const failingSince = health.kind === 'failing' ? new Date(health.since) : undefined
  return { condition: conditionOf(health, known.told), failingSince }
}
