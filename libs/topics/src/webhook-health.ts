import type { HealthTold } from '@posthorn/webhook'
import type { TopicRecord } from './contract.js'
import { decodeDocument, encodeDocument, type ReadDocument } from './tables.js'

/**
 * The facet `health` of a webhook, in webhook-state.v1: what is to be known of its failures. Written by the
 * monitor when that changes; removed by a tombstone when the webhook is deleted.
 *
 *   key   = webhook id "/health"
 *   value = JSON object {v: 1, id: the key, version, status: "health", webhook, tenant, health, failingSince?,
 *           failures, countedMs}
 */
export interface WebhookHealth {
  readonly webhook: string
  readonly tenant: string
  /** Grows with every change, of all webhooks together. */
  readonly version: number
  /** `failing`: it was warned of; `due`: it is to be disabled. */
  readonly health: Exclude<HealthTold, 'nothing'>
  /** When the first failure after the last success ended, ms since the epoch; absent where it does not fail. */
  readonly failingSince?: number
  readonly failures: number
  /** How much of the time since then counts. */
  readonly countedMs: number
}

export type WebhookHealthDocument = WebhookHealth & { readonly id: string; readonly status: 'health' }

const HEALTHS: readonly unknown[] = ['failing', 'due', 'healthy'] satisfies WebhookHealth['health'][]

export function encodeHealth(health: WebhookHealth): TopicRecord {
  const document: WebhookHealthDocument = { ...health, id: `${health.webhook}/health`, status: 'health' }
  return encodeDocument(document)
}

/** Of a webhook that is no more. */
export function encodeNoHealth(webhook: string): TopicRecord {
  return { key: Buffer.from(`${webhook}/health`), value: null }
}

/** Other facets are none of this table: they are read as tombstones. */
export function decodeHealth(value: Buffer | null): ReadDocument<WebhookHealthDocument> {
  const read = decodeDocument<WebhookHealthDocument>(value)
  if (read.kind !== 'document') return read
  const { document } = read
  if (document.status !== 'health') return { kind: 'tombstone' }
  if (typeof document.webhook !== 'string' || typeof document.tenant !== 'string')
    return { kind: 'bad', detail: 'the document must have webhook and tenant' }
  if (!HEALTHS.includes(document.health)) return { kind: 'bad', detail: 'health must be failing, due or healthy' }
  for (const name of ['failures', 'countedMs'] as const)
    if (!Number.isSafeInteger(document[name])) return { kind: 'bad', detail: `${name} must be a whole number` }
  if (document.health !== 'healthy' && !Number.isSafeInteger(document.failingSince))
    return { kind: 'bad', detail: 'failingSince must be a time in ms' }
  return read
}
