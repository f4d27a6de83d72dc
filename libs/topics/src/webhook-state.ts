import type { TopicRecord } from './contract.js'
import { decodeDocument, encodeDocument, type ReadDocument } from './tables.js'

/**
 * The facet `gone` of a webhook, in webhook-state.v1: it has answered 410. Written by the deliverer, for
 * the registry to disable the webhook.
 *
 *   key   = webhook id "/gone"
 *   value = JSON object {v: 1, id: the key, version, status: "gone", webhook, tenant, delivery, at}
 */
export interface GoneWebhook {
  readonly webhook: string
  readonly tenant: string
  /** Of the webhook as it was sent to. */
  readonly version: number
  /** Id of the delivery that was answered so. */
  readonly delivery: string
  /** RFC 3339. */
  readonly at: string
}

interface GoneDocument extends GoneWebhook {
  readonly id: string
  readonly status: 'gone'
}

export function encodeGone(gone: GoneWebhook): TopicRecord {
  const document: GoneDocument = { ...gone, id: `${gone.webhook}/gone`, status: 'gone' }
  return encodeDocument(document)
}

/** Other facets are none of this table: they are read as tombstones. */
export function decodeGone(value: Buffer | null): ReadDocument<GoneWebhook & { readonly id: string }> {
  const read = decodeDocument<GoneDocument>(value)
  if (read.kind !== 'document') return read
  if (read.document.status !== 'gone') return { kind: 'tombstone' }
  for (const name of ['webhook', 'tenant', 'delivery', 'at'] as const)
    if (typeof read.document[name] !== 'string') return { kind: 'bad', detail: `the document must have ${name}` }
  return read
}
