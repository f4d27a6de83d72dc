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

/**
 * The facets `parked` and `parked/<key>`: from where in deliveries.v1 the records of a webhook, or of one key
 * of an ordered webhook, are to be read again. Written by the deliverer that owns the partition; removed by
 * a tombstone.
 *
 *   key   = webhook id "/parked", or webhook id "/parked/" key
 *   value = JSON object {v: 1, id: the key, version, status: "parked", webhook, key?, partition, next, left,
 *           tried, due, since}
 */
export interface ParkedPlace {
  readonly webhook: string
  /** Absent: the whole webhook. Empty: the one key of a webhook that orders all it gets. */
  readonly key?: string
  /** Generation of the deliverers' group that it was written in: an older one does not count. */
  readonly version: number
  /** Of deliveries.v1. */
  readonly partition: number
  /** Every record from this offset on is unfinished … */
  readonly next: number
  /** … and below it these, in ascending order. */
  readonly left: readonly number[]
  /** Attempts that were made: offset, number of the next one, when it is due (ms since the epoch). */
  readonly tried: readonly (readonly [offset: number, attempt: number, due: number])[]
  /** Nothing is read before, ms since the epoch. */
  readonly due: number
  /** When the oldest of its records came, or it was parked: ms since the epoch. */
  readonly since: number
}

export type ParkedDocument = ParkedPlace & { readonly id: string; readonly status: 'parked' }

export function parkedId({ webhook, key }: Pick<ParkedPlace, 'webhook' | 'key'>): string {
  return key === undefined ? `${webhook}/parked` : `${webhook}/parked/${key}`
}

/** Undefined: the id is of another facet. */
export function parkedName(id: string): Pick<ParkedPlace, 'webhook' | 'key'> | undefined {
  const [webhook, facet, ...key] = id.split('/')
  if (facet !== 'parked') return undefined
  return { webhook: webhook!, ...(key.length === 0 ? {} : { key: key.join('/') }) }
}

export function encodeParked(place: ParkedPlace): TopicRecord {
  const document: ParkedDocument = { ...place, id: parkedId(place), status: 'parked' }
  return encodeDocument(document)
}

/** The live loop goes on where it stood. */
export function encodeUnparked(place: Pick<ParkedPlace, 'webhook' | 'key'>): TopicRecord {
  return { key: Buffer.from(parkedId(place)), value: null }
}

/** Other facets are none of this table: they are read as tombstones. */
export function decodeParked(value: Buffer | null): ReadDocument<ParkedDocument> {
  const read = decodeDocument<ParkedDocument>(value)
  if (read.kind !== 'document') return read
  const { document } = read
  if (document.status !== 'parked') return { kind: 'tombstone' }
  if (typeof document.webhook !== 'string') return { kind: 'bad', detail: 'the document must have webhook' }
  for (const name of ['partition', 'next', 'due', 'since'] as const)
    if (!Number.isSafeInteger(document[name])) return { kind: 'bad', detail: `${name} must be a whole number` }
  if (!isNumbers(document.left)) return { kind: 'bad', detail: 'left must be offsets' }
  if (!Array.isArray(document.tried) || !document.tried.every(one => isNumbers(one) && one.length === 3))
    return { kind: 'bad', detail: 'tried must be offsets with the attempt and when it is due' }
  return read
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isSafeInteger)
}
