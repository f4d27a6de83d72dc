import type { Documents, OutboxKind, Publication } from '@posthorn/store'
import {
  CATALOGUE,
  decodeEventType,
  decodeKey,
  decodeSource,
  decodeTenant,
  decodeWebhook,
  encodeEventType,
  encodeKey,
  encodeSource,
  encodeTenant,
  encodeWebhook,
  KEYS,
  SOURCES,
  TENANTS,
  WEBHOOKS,
  type ReadDocument,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'

interface PublishedKind<K extends OutboxKind> {
  readonly topic: TopicContract
  readonly encode: (document: Documents[K]) => TopicRecord
  readonly decode: (value: Buffer | null) => ReadDocument<Documents[K]>
}

/** Where each kind of document is published, and how it is written there. */
export const DOCUMENTS: { readonly [K in OutboxKind]: PublishedKind<K> } = {
  webhook: { topic: WEBHOOKS, encode: encodeWebhook, decode: decodeWebhook },
  tenant: { topic: TENANTS, encode: encodeTenant, decode: decodeTenant },
  key: { topic: KEYS, encode: encodeKey, decode: decodeKey },
  source: { topic: SOURCES, encode: encodeSource, decode: decodeSource },
  event_type: { topic: CATALOGUE, encode: encodeEventType, decode: decodeEventType },
}

/** The record of a publication: its kind's encoder takes its document, which TypeScript cannot follow through a union. */
export function recordOf({ kind, document }: Publication): TopicRecord {
  const encode = DOCUMENTS[kind].encode as (document: Publication['document']) => TopicRecord
  return encode(document)
}
