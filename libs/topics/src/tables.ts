import type { Source, Webhook } from '@posthorn/webhook'
import type { TopicContract, TopicRecord } from './contract.js'

/**
 * Compacted topics: the registry's tables as every other service reads them.
 *
 *   key   = id (webhook-state.v1: webhook id "/" facet)
 *   value = JSON object {v: 1, id, version, …}; a removal is a document with status "deleted",
 *           followed by a tombstone 30 days later. Secrets in it are sealed.
 *   "#registry" = the mark of the whole topic, {…, mark: "publishing" | "published"}.
 */
const table = (name: string): TopicContract => ({ name, cleanup: 'compact', partitions: 'table' })

export const WEBHOOKS = table('webhooks.v1')
export const TENANTS = table('tenants.v1')
export const CATALOGUE = table('catalogue.v1')
export const KEYS = table('keys.v1')
export const SOURCES = table('sources.v1')
export const WEBHOOK_STATE = table('webhook-state.v1')

export interface Tenant {
  readonly id: string
  readonly version: number
  readonly status: 'active' | 'deleted'
  /** Above it events go through bulk.v1; absent: no limit. */
  readonly eventsPerSecond?: number
  /** What is done with events of types that are not in the catalogue; absent: they are accepted. */
  readonly unknownEventTypes?: 'refuse'
}

export const API_ROLES = ['admin', 'publish', 'read'] as const
/** What a key may do: `admin` all, `publish` send events, `read` look at everything but secrets. */
export type ApiRole = (typeof API_ROLES)[number]

/** Who may call the APIs: by sending the key, or by signing with it. */
export type KeyDocument = ApiKey | SigningKey

/** A key of the API, as those who check it need it: never the key itself. */
export interface ApiKey extends KeyGrant {
  readonly kind?: undefined
  /** SHA-256 of the key, in hex. */
  readonly hash: string
}

/** A key that never travels: what is published is signed with it by Standard Webhooks. */
export interface SigningKey extends KeyGrant {
  readonly kind: 'signing'
  /** What its signatures are checked with, sealed with the key's id as context. */
  readonly sealedSecret: string
}

interface KeyGrant {
  readonly id: string
  readonly version: number
  readonly status: 'active' | 'deleted'
  /** Null: a key of the platform, which may act for any tenant. */
  readonly tenant: string | null
  readonly roles: readonly ApiRole[]
  /** CIDRs that it may be used from; empty: from everywhere. */
  readonly allowedIps: readonly string[]
  /** RFC 3339. */
  readonly expiresAt: string | null
}

/**
 * What the registry says of one of its topics as a whole, before its first document (on a topic on which
 * nothing stands yet) and after the last of what it had: a topic that is not whole yet lacks documents that
 * a reader must not do without. A topic without a mark is of a registry that wrote none.
 */
export type TableMark = 'publishing' | 'published'

/** No id of a document has this character. */
const MARK_ID = '#registry'

/** Version of the documents' grammar; a reader stops at a newer one instead of misreading it. */
const DOCUMENT_VERSION = 1

export type ReadDocument<T> =
  | { readonly kind: 'document'; readonly document: T }
  | { readonly kind: 'tombstone' }
  | { readonly kind: 'mark'; readonly mark: TableMark }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'bad'; readonly detail: string }

export function encodeDocument(document: { readonly id: string }): TopicRecord {
  return { key: Buffer.from(document.id), value: Buffer.from(JSON.stringify({ v: DOCUMENT_VERSION, ...document })) }
}

/** To a reader that knows of no marks it is something deleted, of which only this much is looked at. */
export function encodeMark(mark: TableMark): TopicRecord {
  const deleted = { version: 1, status: 'deleted', tenant: null, type: '', sealedSecrets: [], mark }
  return encodeDocument({ id: MARK_ID, ...deleted })
}

function markOf(document: object): TableMark {
  return 'mark' in document && document.mark === 'publishing' ? 'publishing' : 'published'
}

export function decodeDocument<T extends { id: string; version: number; status: string }>(
  value: Buffer | null,
): ReadDocument<T> {
  if (!value || value.length === 0) return { kind: 'tombstone' }
  let json: (Partial<T> & { v?: unknown }) | null
  try {
    json = JSON.parse(value.toString('utf8'))
  } catch (error) {
    return { kind: 'bad', detail: `the document is not JSON: ${(error as Error).message}` }
  }
  if (typeof json !== 'object' || json === null) return { kind: 'bad', detail: 'the document is not a JSON object' }
  const { v, ...document } = json
  if (typeof v === 'number' && v > DOCUMENT_VERSION) return { kind: 'newer', version: v }
  if (typeof document.id !== 'string' || typeof document.status !== 'string' || !Number.isSafeInteger(document.version))
    return { kind: 'bad', detail: 'the document must have id, version and status' }
  if (document.id === MARK_ID) return { kind: 'mark', mark: markOf(document) }
  return { kind: 'document', document: document as unknown as T }
}

export const encodeWebhook = (webhook: Webhook): TopicRecord => encodeDocument(webhook)
export const decodeWebhook = (value: Buffer | null): ReadDocument<Webhook> => decodeDocument<Webhook>(value)
export const encodeTenant = (tenant: Tenant): TopicRecord => encodeDocument(tenant)
export const decodeTenant = (value: Buffer | null): ReadDocument<Tenant> => decodeDocument<Tenant>(value)
export const encodeSource = (source: Source): TopicRecord => encodeDocument(source)
export const decodeSource = (value: Buffer | null): ReadDocument<Source> => decodeDocument<Source>(value)
export const encodeKey = (key: KeyDocument): TopicRecord => encodeDocument(key)
export const decodeKey = (value: Buffer | null): ReadDocument<KeyDocument> => decodeDocument<KeyDocument>(value)
