import { PROBE_TENANT, PROBE_TYPE, PROBE_WEBHOOK } from './own-event.js'
import { DEFAULT_RETRY_POLICY } from './retry-policy.js'
import type { Webhook } from './webhook.js'

/** Not retried: the next one comes soon. What Kafka held up for an hour says nothing new. */
export function probeWebhook(url: string, sealedSecret: string): Webhook {
  return {
    id: PROBE_WEBHOOK,
    tenant: PROBE_TENANT,
    version: 1,
    status: 'active',
    url,
    method: 'POST',
    events: [PROBE_TYPE],
    format: 'standard',
    sealedSecrets: [sealedSecret],
    retryPolicy: { ...DEFAULT_RETRY_POLICY, attempts: 1, maxAgeMs: 3_600_000 },
  }
}
