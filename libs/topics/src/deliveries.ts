import { TIERS, type Delivery, type TierName } from '@posthorn/webhook'
import { DAY_MS, type TopicContract, type TopicRecord } from './contract.js'
import { frame, unframe } from './frame.js'

/**
 * deliveries.v1 (fresh work), due.v1 (retries whose time has come), bulk.v1 (replays), delay.<tier>.v1
 * (waiting): one grammar. The same webhook has the same partition number in all of them.
 *
 *   key   = webhook id
 *   value = frame (frame.ts); head = a Delivery as JSON, body = the event's data
 */
export const DELIVERIES: TopicContract = {
  name: 'deliveries.v1',
  cleanup: 'delete',
  retentionMs: 14 * DAY_MS,
  partitions: 'work',
}
export const DUE: TopicContract = { name: 'due.v1', cleanup: 'delete', retentionMs: 14 * DAY_MS, partitions: 'work' }
export const BULK: TopicContract = { name: 'bulk.v1', cleanup: 'delete', retentionMs: 14 * DAY_MS, partitions: 'work' }

/** A record waits its tier at least, so it is kept that much longer than work that can be read at once. */
export const DELAYS = Object.fromEntries(
  TIERS.map(tier => [
    tier.name,
    { name: `delay.${tier.name}.v1`, cleanup: 'delete', retentionMs: tier.delayMs + 14 * DAY_MS, partitions: 'work' },
  ]),
) as { readonly [T in TierName]: TopicContract }

export type ReadDelivery =
  | { readonly kind: 'delivery'; readonly delivery: Delivery; readonly data: Buffer }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'bad'; readonly detail: string }

export function encodeDelivery(delivery: Delivery, data: Uint8Array): TopicRecord {
  return { key: Buffer.from(delivery.webhook), value: frame(delivery, data) }
}

/** `data` is a view of the value. */
export function decodeDelivery(value: Buffer | null): ReadDelivery {
  const read = unframe(value)
  if (read.kind !== 'frame') return read
  const head = read.head as Partial<Delivery>
  const fault = faultOf(head)
  return fault === undefined
    ? { kind: 'delivery', delivery: head as Delivery, data: read.body }
    : { kind: 'bad', detail: fault }
}

const TEXT = ['id', 'webhook', 'tenant', 'run'] as const
const WHOLE = ['webhookVersion', 'attempt', 'due', 'acceptedAt', 'spills'] as const
const EVENT_TEXT = ['tenant', 'id', 'source', 'type', 'time', 'contenttype'] as const

/** The first member that a delivery cannot be handled without and that is missing or of the wrong type. */
function faultOf(head: Partial<Delivery>): string | undefined {
  for (const name of TEXT) if (typeof head[name] !== 'string') return `head.${name} must be a string`
  for (const name of WHOLE) if (!Number.isSafeInteger(head[name])) return `head.${name} must be a whole number`
  if (!Number.isSafeInteger(head.origin?.partition) || !Number.isSafeInteger(head.origin?.offset))
    return 'head.origin must have a partition and an offset'
  if (head.replayedAt !== undefined && !Number.isSafeInteger(head.replayedAt))
    return 'head.replayedAt must be a whole number'
  for (const name of EVENT_TEXT)
    if (typeof head.event?.[name] !== 'string') return `head.event.${name} must be a string`
  return undefined
}
