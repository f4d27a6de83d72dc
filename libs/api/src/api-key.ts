import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 *   key = "phk_" secret[43] checksum[6]      ; 256 random bits and their CRC-32, both in base62
 *
 * No character of it ends a word, so that a double click takes all of it, and the beginning lets
 * scanners of secrets find it. The checksum tells a typing error from a key that is not known.
 */
const PREFIX = 'phk_'
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const KEY = /^phk_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/
/** Shown in lists: enough to tell keys apart, nothing to guess the rest from. */
const SHOWN = 12

/** A new key from 32 random bytes. */
export function apiKeyFrom(random: Uint8Array): string {
  const secret = base62(BigInt(`0x${Buffer.from(random).toString('hex')}`), 43)
  return PREFIX + secret + checksum(secret)
}

/** Whether it can be a key at all; false for one that was mistyped or cut. */
export function isApiKey(text: string): boolean {
  const [, secret, sum] = KEY.exec(text) ?? []
  return secret !== undefined && sum === checksum(secret)
}

/** What is kept of it: SHA-256 in hex. A random key of 256 bits needs no slow hash. */
export function apiKeyHash(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

export function apiKeyPrefix(key: string): string {
  return key.slice(0, SHOWN)
}

function checksum(secret: string): string {
  return base62(BigInt(crc32(secret)), 6)
}

function base62(number: bigint, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text
  return text
}
