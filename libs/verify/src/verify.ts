import { timingSafeEqual, verify as verifyAsymmetric } from 'node:crypto'
import { parsed, rawBody } from './body.js'
import { PREFIXES, readHeaders, type RequestHeaders } from './headers.js'
import { verifyingKeys, type Key } from './secret.js'
import { HMACS, signature, signedBytes } from './sign.js'
import { VerificationError } from './verification-error.js'

export interface VerifyOptions {
  /** The body exactly as received: bytes, or text that has not been parsed. */
  readonly body: Uint8Array | ArrayBuffer | string
  readonly headers: RequestHeaders
  /** The webhook's secret, or its public key; several while it is being rotated. */
  readonly secrets: string | readonly string[]
  /** What the names of the three headers start with; `webhook` or `svix` unless set. */
  readonly prefix?: string
  /** How far the timestamp may be from now, either way: this bounds how long a stolen request can be sent again. */
  readonly toleranceSeconds?: number
  /** ms since the epoch. */
  readonly now?: number
}

/** A request that was signed with one of the secrets, recently. */
export interface VerifiedRequest {
  /** `webhook-id`: the same for every attempt of a delivery, so drop one that was handled already. */
  readonly id: string
  /** When the attempt was signed, in whole seconds since the epoch. */
  readonly timestamp: number
  /** The event type, where the payload is a JSON object that has one, or an envelope of one. */
  readonly type?: string
  /** The body parsed as JSON; undefined when it is none. */
  readonly payload: unknown
}

/** Senders sign with a handful of secrets: more is not looked at, so that nobody can make this costly. */
const MAX_SIGNATURES = 16

/**
 * Checks a request by Standard Webhooks: v1 (HMAC-SHA256), hs512 (HMAC-SHA512) and v1a (Ed25519). Throws a
 * VerificationError when it cannot be trusted, and a TypeError when the receiver itself is set up wrongly (no usable secret).
 */
export function verify({
  body,
  headers,
  secrets,
  prefix,
  toleranceSeconds = 300,
  now = Date.now(),
}: VerifyOptions): VerifiedRequest {
  // A NaN would pass every comparison below and let old requests through.
  if (!(toleranceSeconds >= 0) || !Number.isFinite(now))
    throw new TypeError('toleranceSeconds must be 0 or more, and now a number of milliseconds.')
  const keys = verifyingKeys(secrets)
  const bytes = rawBody(body)
  const signed = readHeaders(headers, prefix === undefined ? PREFIXES : [prefix.toLowerCase()])
  const timestamp = freshTimestamp(signed.timestamp, Math.floor(now / 1000), toleranceSeconds)
  const content = signedBytes(signed.id, signed.timestamp, bytes)
  if (!anyFits(signaturesFor(keys, signed.signature), keys, content))
    throw new VerificationError(
      'no_matching_signature',
      'No signature fits: check that the secret is the current one of this webhook, and that the body is the bytes as received, not parsed and written again.',
    )
  return { id: signed.id, timestamp, ...parsed(bytes) }
}

function freshTimestamp(text: string, nowSeconds: number, toleranceSeconds: number): number {
  if (!/^\d{1,12}$/.test(text))
    throw new VerificationError(
      'timestamp_invalid',
      'The timestamp header is not a number of seconds: the request was not made by a Standard Webhooks sender.',
    )
  const timestamp = Number(text)
  if (nowSeconds - timestamp > toleranceSeconds)
    throw new VerificationError(
      'timestamp_too_old',
      `The request was signed ${nowSeconds - timestamp} s ago, more than ${toleranceSeconds} s: check this machine's clock, and that nothing before it holds requests back.`,
    )
  if (timestamp - nowSeconds > toleranceSeconds)
    throw new VerificationError(
      'timestamp_too_new',
      `The request was signed ${timestamp - nowSeconds} s in the future, more than ${toleranceSeconds} s: check this machine's clock.`,
    )
  return timestamp
}

/** The entries that one of the keys could have made. Entries are parted by spaces; Node joins a repeated header with a comma. */
function signaturesFor(keys: readonly Key[], header: string): string[] {
  const found = header
    .split(/,?\s+/)
    .filter(entry => keys.some(({ version }) => tokensOf(version).some(token => entry.startsWith(`${token},`))))
    .slice(0, MAX_SIGNATURES)
  if (found.length === 0)
    throw new VerificationError(
      'signature_missing',
      'The signature header holds no signature of the kind of the secret (v1 and hs512 by HMAC, v1a by Ed25519): let the sender sign with this secret.',
    )
  return found
}

/** Every pair is looked at, in constant time, so that the duration tells nothing about how much was right. */
function anyFits(given: readonly string[], keys: readonly Key[], content: Buffer): boolean {
  let fits = false
  for (const key of keys) {
    const fitsKey = key.version === 'v1a' ? ed25519Check(key, content) : hmacCheck(key, content)
    for (const entry of given) if (fitsKey(entry)) fits = true
  }
  return fits
}

function tokensOf(version: Key['version']): readonly string[] {
  return version === 'v1' ? Object.values(HMACS) : [version]
}

/** Texts are compared, not decoded bytes: several base64 texts decode to the same bytes. */
function hmacCheck(key: Key, content: Buffer): (entry: string) => boolean {
  const expected: { -readonly [hash in keyof typeof HMACS]?: string } = {}
  return entry => {
    const hash = entry.startsWith(`${HMACS.sha512},`) ? 'sha512' : 'sha256'
    return sameText(entry, (expected[hash] ??= signature(key, content, hash)))
  }
}

function ed25519Check({ key }: Extract<Key, { version: 'v1a' }>, content: Buffer): (entry: string) => boolean {
  return entry => {
    const bytes = Buffer.from(entry.slice('v1a,'.length), 'base64')
    return entry === `v1a,${bytes.toString('base64')}` && verifyAsymmetric(null, content, key, bytes)
  }
}

export function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left)
  const b = Buffer.from(right)
  return a.length === b.length && timingSafeEqual(a, b)
}
