import type { TopicContract, TopicRecord } from './contract.js'
import { decodeDocument, encodeDocument, type ReadDocument } from './tables.js'

/**
 * key-uses.v1: when each key of the API was last used for publishing. Written by ingest, which has no database, once
 * a minute and key and process at most; the registry takes it into its own.
 *
 *   key   = id of the key
 *   value = JSON object {v: 1, id, version: minutes since the epoch, status: "used"}
 *
 * The minute is the version, so that every reader keeps the latest use, whoever wrote last. A tombstone: the key is
 * forgotten.
 */
export const KEY_USES: TopicContract = { name: 'key-uses.v1', cleanup: 'compact', partitions: 'table' }

const MINUTE_MS = 60_000
/** The year 9999: beyond it a minute is no time that Postgres takes. */
const MAX_MINUTE = Date.UTC(9999, 0) / MINUTE_MS

export interface KeyUse {
  readonly id: string
  /** Minutes since the epoch. */
  readonly version: number
}

/** `at` in ms since the epoch. */
export function keyUse(id: string, at: number): KeyUse {
  return { id, version: Math.floor(at / MINUTE_MS) }
}

/** The beginning of its minute, ms since the epoch. */
export function keyUsedAt({ version }: KeyUse): number {
  return version * MINUTE_MS
}

export function encodeKeyUse(use: KeyUse): TopicRecord {
  const document: KeyUse & { readonly status: 'used' } = { ...use, status: 'used' }
  return encodeDocument(document)
}

export function decodeKeyUse(value: Buffer | null): ReadDocument<KeyUse> {
  const read = decodeDocument<KeyUse & { readonly status: string }>(value)
  if (read.kind !== 'document') return read
  const { id, version } = read.document
  if (version < 0 || version > MAX_MINUTE) return { kind: 'bad', detail: 'the version must be a minute' }
  return { kind: 'document', document: { id, version } }
}
