import { createHash } from 'node:crypto'

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz'

/** 16 bytes as 26 characters of Crockford's base32, lower case. */
function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (let i = 0; i < 16; i++) {
    held = (held << 8) | bytes[i]!
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[(held >>> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text
}

/** Hashes parts so that no two different lists give the same input: each part carries its length. */
function hash(...parts: string[]): Buffer {
  return createHash('sha256')
    .update(parts.map(part => `${Buffer.byteLength(part)}:${part}`).join(''))
    .digest()
}

/** A new webhook's id from 16 random bytes. */
export function webhookId(random: Uint8Array): string {
  return `webhook_${base32(random)}`
}

/** A new source's id from 16 random bytes. */
export function sourceId(random: Uint8Array): string {
  return `source_${base32(random)}`
}

/** The id of a new rule, channel or silence of alerts from 16 random bytes. */
export function alertSettingId(kind: 'rule' | 'channel' | 'silence', random: Uint8Array): string {
  return `${kind}_${base32(random)}`
}

/** A new secret's id from 16 random bytes. */
export function secretId(random: Uint8Array): string {
  return `secret_${base32(random)}`
}

/** A new API key's id from 16 random bytes; it is public, unlike the key. */
export function keyId(random: Uint8Array): string {
  return `key_${base32(random)}`
}

/**
 * A new replay's id from the time (ms) and 10 random bytes. Ids grow with time: the run that the history
 * shows of a delivery is the one with the greatest id.
 */
export function replayId(now: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(now, 0, 6)
  bytes.set(random.subarray(0, 10), 6)
  return `replay_${base32(bytes)}`
}

/** An id for an event that came without one, from 16 random bytes. */
export function eventId(random: Uint8Array): string {
  return `event_${base32(random)}`
}

/**
 * The id of an event made from a record that brings none: the same whenever the record is read again.
 * The timestamp (ms) tells the records of a topic that was made anew from those before.
 */
export function sourceEventId(topic: string, partition: number, offset: number, timestamp: number): string {
  return eventId(hash(topic, String(partition), String(offset), String(timestamp)))
}

/**
 * The id of one event's delivery to one webhook, and the `webhook-id` header of all its attempts.
 * Derived from both identities, so that routing the event twice makes the same delivery.
 */
export function deliveryId(event: { tenant: string; source: string; id: string }, webhook: string): string {
  return `delivery_${base32(hash(event.tenant, event.source, event.id, webhook))}`
}

/** The identity of an event as one string: equal exactly when tenant, source and id are. */
export function eventIdentity(event: { tenant: string; source: string; id: string }): string {
  return base32(hash(event.tenant, event.source, event.id))
}

/** A number in [0, 1) that is the same for every copy of one attempt, so that copies compute the same due time. */
export function attemptFraction(delivery: string, run: string, attempt: number): number {
  return hash(delivery, run, String(attempt)).readUInt32BE(0) / 0x1_0000_0000
}
