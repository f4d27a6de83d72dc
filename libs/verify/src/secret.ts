import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

const SYMMETRIC = 'whsec_'
const PRIVATE = 'whsk_'
const PUBLIC = 'whpk_'
const ED25519_BYTES = 32
/** What stands before the 32 bytes of a key in PKCS 8 and in SubjectPublicKeyInfo (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** A secret made ready: shared by sender and receiver (v1, hs512), or one half of a key pair (v1a). */
export type Key =
  | { readonly version: 'v1'; readonly bytes: Buffer }
  | { readonly version: 'v1a'; readonly half: 'public' | 'private'; readonly key: KeyObject }

/** Throws a TypeError that says what is wrong with the secrets: for a receiver to call when it starts. */
export function checkSecrets(secrets: string | readonly string[]): void {
  verifyingKeys(secrets)
}

/**
 * What each secret checks signatures with: `whsec_` + base64 of 24 to 64 bytes, any 16 to 128 characters
 * taken as their UTF-8 bytes, or `whpk_` + base64 of an Ed25519 public key. Throws a TypeError on anything
 * else, because that is a fault of the receiver's configuration and not of the request.
 */
export function verifyingKeys(secrets: string | readonly string[]): Key[] {
  return keysOf(secrets, key => {
    if (key.version === 'v1a' && key.half === 'private')
      throw new TypeError('A secret is the private key of the sender (whsk_): a receiver needs the public one, whpk_.')
  })
}

/** The same for signing, which takes `whsk_` + base64 of an Ed25519 private key and no public one. */
export function signingKeys(secrets: string | readonly string[]): Key[] {
  return keysOf(secrets, key => {
    if (key.version === 'v1a' && key.half === 'public')
      throw new TypeError('A secret is a public key (whpk_), which cannot sign: pass the private one, whsk_.')
  })
}

/**
 * What shared secrets check a signature over the body alone with: the whole text as UTF-8, `whsec_` too,
 * because verifiers of that style take a text and decode nothing.
 */
export function textKeys(secrets: string | readonly string[]): Buffer[] {
  keysOf(secrets, key => {
    if (key.version === 'v1a') throw new TypeError('A secret is of a key pair: this style is signed by a shared one.')
  })
  return (typeof secrets === 'string' ? [secrets] : secrets).map(secret => Buffer.from(secret, 'utf8'))
}

function keysOf(secrets: string | readonly string[], check: (key: Key) => void): Key[] {
  const list = typeof secrets === 'string' ? [secrets] : secrets
  if (!Array.isArray(list) || list.length === 0)
    throw new TypeError('No secret was given: pass the secret that was shown when the webhook was registered.')
  return list.map((secret: unknown) => {
    const key = typeof secret === 'string' ? keyFrom(secret) : undefined
    if (!key)
      throw new TypeError(
        'A secret is unusable: it must be whsec_ + base64 of 24 to 64 bytes, whpk_ + base64 of an Ed25519 public key, or 16 to 128 characters. Copy it again, whole.',
      )
    check(key)
    return key
  })
}

function keyFrom(secret: string): Key | undefined {
  if (secret.startsWith(PUBLIC)) return publicKey(decoded(secret, PUBLIC))
  if (secret.startsWith(PRIVATE)) return privateKey(decoded(secret, PRIVATE))
  const bytes = secret.startsWith(SYMMETRIC) ? within(decoded(secret, SYMMETRIC), 24, 64) : literal(secret)
  return bytes && { version: 'v1', bytes }
}

function literal(secret: string): Buffer | undefined {
  const length = [...secret].length
  return length >= 16 && length <= 128 ? Buffer.from(secret, 'utf8') : undefined
}

function publicKey(bytes: Buffer | undefined): Key | undefined {
  if (bytes?.length !== ED25519_BYTES) return undefined
  const key = createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' })
  return { version: 'v1a', half: 'public', key }
}

/** Of the 32 bytes of the private key, with or without the 32 of the public one behind them. */
function privateKey(bytes: Buffer | undefined): Key | undefined {
  if (bytes?.length !== ED25519_BYTES && bytes?.length !== 2 * ED25519_BYTES) return undefined
  const der = Buffer.concat([PKCS8, bytes.subarray(0, ED25519_BYTES)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const own = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-ED25519_BYTES)
  const fits = bytes.length === ED25519_BYTES || own.equals(bytes.subarray(ED25519_BYTES))
  return fits ? { version: 'v1a', half: 'private', key } : undefined
}

function within(bytes: Buffer | undefined, least: number, most: number): Buffer | undefined {
  return bytes && bytes.length >= least && bytes.length <= most ? bytes : undefined
}

function decoded(secret: string, prefix: string): Buffer | undefined {
  const encoded = secret.slice(prefix.length)
  const bytes = Buffer.from(encoded, 'base64')
  // Node skips what is no base64: without this comparison a damaged secret would pass as another one.
  return bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '') ? bytes : undefined
}
