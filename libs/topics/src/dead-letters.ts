import type { Delivery } from '@posthorn/webhook'
import type { Attempt } from './attempts.js'
import { DAY_MS, type TopicContract, type TopicRecord } from './contract.js'
import { decodeDelivery } from './deliveries.js'
import { frame } from './frame.js'

/**
 * dead-letters.v1: deliveries that ended without success, and their last attempt.
 *
 *   key   = webhook id
 *   value = frame; head = the Delivery with one member more, lastAttempt; body = the event's data
 */
export const DEAD_LETTERS: TopicContract = {
  name: 'dead-letters.v1',
  cleanup: 'delete',
  retentionMs: 30 * DAY_MS,
  partitions: 'work',
}

export type ReadDeadLetter =
  | { readonly kind: 'dead-letter'; readonly delivery: Delivery; readonly lastAttempt: Attempt; readonly data: Buffer }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'bad'; readonly detail: string }

export function encodeDeadLetter(delivery: Delivery, lastAttempt: Attempt, data: Uint8Array): TopicRecord {
  return { key: Buffer.from(delivery.webhook), value: frame({ ...delivery, lastAttempt }, data) }
}

export function decodeDeadLetter(value: Buffer | null): ReadDeadLetter {
  const read = decodeDelivery(value)
  if (read.kind !== 'delivery') return read
  const { lastAttempt, ...delivery } = read.delivery as Delivery & { lastAttempt?: Attempt }
  if (typeof lastAttempt !== 'object' || lastAttempt === null)
    return { kind: 'bad', detail: 'head.lastAttempt must be an object' }
  return { kind: 'dead-letter', delivery, lastAttempt, data: read.data }
}
