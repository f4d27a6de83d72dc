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
 *
 * Beside them stands how many requests with a wrong key each ingest and registry has refused of late:
 *
 *   key   = "wrong-keys/" and an id of the process
 *   value = JSON object {v: 1, id: the key, version: steps of ten seconds since the epoch, status: "wrong", count}
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
  const { id, version, status } = read.document
  if (status === 'wrong') return { kind: 'tombstone' }
  if (version < 0 || version > MAX_MINUTE) return { kind: 'bad', detail: 'the version must be a minute' }
  return { kind: 'document', document: { id, version } }
}

/** How many wrong keys one process was sent within one step. */
export interface WrongKeyCount {
  readonly id: string
  /** Steps of ten seconds since the epoch. */
  readonly version: number
  readonly count: number
}

const STEP_MS = 10_000

export function wrongKeyStep(at: number): number {
  return Math.floor(at / STEP_MS)
}

/** The beginning of its step, ms since the epoch. */
export function wrongKeysAt({ version }: WrongKeyCount): number {
  return version * STEP_MS
}

export function encodeWrongKeys(count: WrongKeyCount): TopicRecord {
  const document: WrongKeyCount & { readonly status: 'wrong' } = { ...count, status: 'wrong' }
  return encodeDocument(document)
}

/** What says something else is read as a tombstone. */
export function decodeWrongKeys(value: Buffer | null): ReadDocument<WrongKeyCount> {
  const read = decodeDocument<WrongKeyCount & { readonly status: string }>(value)
  if (read.kind !== 'document') return read
  const { id, version, count, status } = read.document
  if (status !== 'wrong') return { kind: 'tombstone' }
  const fits = version >= 0 && version * STEP_MS <= MAX_MINUTE * MINUTE_MS && Number.isSafeInteger(count) && count > 0
  return fits
    ? { kind: 'document', document: { id, version, count } }
    : { kind: 'bad', detail: 'count and version must be whole' }
}
