import { createHmac, createPrivateKey, createPublicKey, createSecretKey, sign, type KeyObject } from 'node:crypto'

/** How a request is signed: v1 by HMAC-SHA256 with a shared secret, v1a by Ed25519 with a key pair. */
export const SIGNATURES = ['v1', 'v1a'] as const
export type Signature = (typeof SIGNATURES)[number]

/** What an entry of a signature starts with; hs512 is HMAC-SHA512 with a shared secret, where the webhook says so. */
export type SignatureToken = Signature | 'hs512'

/** A secret made ready for signing; compiled once, because a KeyObject signs six times faster than raw bytes. */
export interface SigningKey {
  readonly kind: SignatureToken
  readonly key: KeyObject
}

const SYMMETRIC = 'whsec_'
const PRIVATE = 'whsk_'
const PUBLIC = 'whpk_'
const ED25519_BYTES = 32
/** What stands before the 32 bytes of a private key in PKCS 8 (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * The key bytes of a shared secret: `whsec_` + base64 of 24 to 64 bytes, or 16 to 128 characters
 * taken as their UTF-8 bytes. Undefined when it is neither.
 */
export function secretBytes(secret: unknown): Buffer | undefined {
  if (typeof secret !== 'string' || secret.startsWith(PRIVATE) || secret.startsWith(PUBLIC)) return undefined
  if (secret.startsWith(SYMMETRIC)) {
    const bytes = decoded(secret.slice(SYMMETRIC.length))
    return bytes && bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined
  }
  const length = [...secret].length
  return length >= 16 && length <= 128 ? Buffer.from(secret, 'utf8') : undefined
}

/** How a secret of this form signs; undefined when it is of none. */
export function signatureOf(secret: unknown): Signature | undefined {
  if (secretBytes(secret)) return 'v1'
  return privateKeyOf(secret) ? 'v1a' : undefined
}

/** A new shared secret from 32 random bytes. */
export function secretFrom(random: Uint8Array): string {
  return SYMMETRIC + Buffer.from(random).toString('base64')
}

/** A new key pair from 32 random bytes, as the private key in the form `whsk_`. */
export function privateSecretFrom(random: Uint8Array): string {
  return PRIVATE + Buffer.concat([random, publicBytes(privateKeyFrom(random))]).toString('base64')
}

/** What a receiver checks signatures with: the shared secret itself, or the public key in the form `whpk_`. */
export function verifierOf(secret: string): string {
  const key = privateKeyOf(secret)
  return key ? PUBLIC + publicBytes(key).toString('base64') : secret
}

/** Throws on a secret that registration would have refused. */
export function compileSecret(secret: string): SigningKey {
  const bytes = secretBytes(secret)
  if (bytes) return { kind: 'v1', key: createSecretKey(bytes) }
  const key = privateKeyOf(secret)
  if (key) return { kind: 'v1a', key }
  throw new Error(
    'the webhook secret is neither whsec_ + base64 of 24 to 64 bytes, nor whsk_ + base64 of an Ed25519 key, nor 16 to 128 characters',
  )
}

/** The signature of bytes that are given in pieces, in base64. */
export function signBytes({ kind, key }: SigningKey, head: string, body: Uint8Array): string {
  switch (kind) {
    case 'v1':
      return createHmac('sha256', key).update(head).update(body).digest('base64')
    case 'hs512':
      return createHmac('sha512', key).update(head).update(body).digest('base64')
    case 'v1a':
      return sign(null, Buffer.concat([Buffer.from(head), body]), key).toString('base64')
  }
}

/**
 * The value of `webhook-signature` by Standard Webhooks: one `v1,<base64 HMAC-SHA256>`, `hs512,<base64 HMAC-SHA512>`
 * or `v1a,<base64 Ed25519>` per key, over `id.timestamp.body`. `timestamp` in whole seconds; `body` exactly as sent.
 */
export function signStandard(keys: readonly SigningKey[], id: string, timestamp: number, body: Uint8Array): string {
  const head = `${id}.${timestamp}.`
  return keys.map(key => `${key.kind},${signBytes(key, head, body)}`).join(' ')
}

/** Of `whsk_` + base64 of the 32 bytes of an Ed25519 private key, or of these and the 32 of its public one. */
function privateKeyOf(secret: unknown): KeyObject | undefined {
  if (typeof secret !== 'string' || !secret.startsWith(PRIVATE)) return undefined
  const bytes = decoded(secret.slice(PRIVATE.length))
  if (bytes?.length !== ED25519_BYTES && bytes?.length !== 2 * ED25519_BYTES) return undefined
  const key = privateKeyFrom(bytes.subarray(0, ED25519_BYTES))
  return bytes.length === ED25519_BYTES || publicBytes(key).equals(bytes.subarray(ED25519_BYTES)) ? key : undefined
}

function privateKeyFrom(bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, bytes]), format: 'der', type: 'pkcs8' })
}

function publicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-ED25519_BYTES)
}

/** Undefined for what is no base64: Node skips such characters, and would take a damaged secret for another one. */
function decoded(encoded: string): Buffer | undefined {
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '') ? bytes : undefined
}
