import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto'
import { escapePointer, type Problem } from './event.js'

/** A receiver's public key as it is kept: what it is made of, and the name that tells it from others. */
export type EncryptionKey =
  | { readonly kty: 'EC'; readonly crv: EcCurve; readonly x: string; readonly y: string; readonly kid: string }
  | { readonly kty: 'OKP'; readonly crv: 'X25519'; readonly x: string; readonly kid: string }
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string; readonly kid: string }

const EC_CURVES = ['P-256', 'P-384', 'P-521'] as const
type EcCurve = (typeof EC_CURVES)[number]
export type KeyAlgorithm = 'ECDH-ES+A256KW' | 'RSA-OAEP-256'

export const MIN_RSA_BITS = 2048
/** Each request costs an operation with it: 4096 bits take 0.1 ms, and these grow with the square. */
export const MAX_RSA_BITS = 4096
/** 65537: any other is rare, a small one is weak and a large one slow. */
const RSA_EXPONENT = 'AQAB'
const MAX_KID = 128
const KID = /^[\x21-\x7e]+$/
const BASE64URL = /^[A-Za-z0-9_-]+$/
/** Of RSA in base64url, far above what is taken: longer ones are not looked at. */
const MAX_MEMBER = 4096
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
/** What RFC 7517 has beside the key itself, and WebCrypto's `ext`. */
const BESIDE = ['kid', 'alg', 'use', 'key_ops', 'ext', 'x5u', 'x5c', 'x5t', 'x5t#S256']
const MEMBERS = { EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'], RSA: ['n', 'e'] } as const
type Kty = keyof typeof MEMBERS

const fault = (pointer: string, message: string): Problem[] => [{ pointer, message }]

/** Faults of a receiver's key given as a JWK, each at its member. No message repeats a value: it could be a private one. */
export function encryptionKeyFaults(jwk: unknown): Problem[] {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return fault('', 'must be a JWK, a JSON object')
  const key = jwk as Readonly<Record<string, unknown>>
  if (PRIVATE.some(name => Object.hasOwn(key, name)))
    return fault('', 'is a private or secret key: make another key pair, and give the public part of it alone')
  const { kty } = key
  if (!isKty(kty)) return fault('/kty', `must be one of ${Object.keys(MEMBERS).join(', ')}`)
  const known: readonly string[] = ['kty', ...MEMBERS[kty], ...BESIDE]
  const unknown = Object.keys(key).filter(name => !known.includes(name))
  const faults = [
    ...unknown.flatMap(name => fault(`/${escapePointer(name)}`, `is no member of a key of the kind ${kty}`)),
    ...besideFaults(key, kty),
    ...memberFaults(key, kty),
  ]
  return faults.length > 0 ? faults : keyFaults(key, kty)
}

function isKty(kty: unknown): kty is Kty {
  return typeof kty === 'string' && Object.hasOwn(MEMBERS, kty)
}

function besideFaults({ kid, alg, use, key_ops: ops }: Readonly<Record<string, unknown>>, kty: Kty): Problem[] {
  const algorithm = algorithmOf({ kty })
  const kidFits = kid === undefined || (typeof kid === 'string' && kid.length <= MAX_KID && KID.test(kid))
  const encrypts = ops === undefined || (Array.isArray(ops) && !ops.includes('verify') && !ops.includes('sign'))
  return [
    ...(kidFits ? [] : fault('/kid', `must be 1 to ${MAX_KID} printable ASCII characters without space, or absent`)),
    ...(alg === undefined || alg === algorithm ? [] : fault('/alg', `must be ${algorithm} for ${kty}, or absent`)),
    ...(use === undefined || use === 'enc' ? [] : fault('/use', 'must be enc, or absent')),
    ...(encrypts ? [] : fault('/key_ops', 'must be those of a key for encryption, or absent')),
  ]
}

function memberFaults(key: Readonly<Record<string, unknown>>, kty: Kty): Problem[] {
  const curves: readonly unknown[] = kty === 'EC' ? EC_CURVES : ['X25519']
  return MEMBERS[kty].flatMap(name => {
    if (name === 'crv') return curves.includes(key.crv) ? [] : fault('/crv', `must be one of ${curves.join(', ')}`)
    const value = key[name]
    if (typeof value !== 'string' || !BASE64URL.test(value) || value.length > MAX_MEMBER)
      return fault(`/${name}`, 'must be base64url, and of the length that such keys have')
    return name === 'e' && value !== RSA_EXPONENT ? fault('/e', `must be ${RSA_EXPONENT} (65537)`) : []
  })
}

/** What only the key as a whole shows: its size, and whether something can be encrypted to it. */
function keyFaults(jwk: Readonly<Record<string, unknown>>, kty: Kty): Problem[] {
  const at = kty === 'RSA' ? '/n' : '/x'
  let key: KeyObject
  try {
    key = createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' })
  } catch {
    return fault(at, kty === 'RSA' ? 'is not the modulus of an RSA key' : 'is not a point of the curve, with its y')
  }
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS))
    return fault(at, `has ${bits} bits: an RSA key must have ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`)
  return canEncrypt(key) ? [] : fault(at, 'is not of a key that anything can be encrypted to')
}

/** Any key of the curve shows points of low order, of which the shared secret would be known to everybody. */
const PROBE = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
})

function canEncrypt(key: KeyObject): boolean {
  try {
    if (key.asymmetricKeyType === 'x25519') diffieHellman({ privateKey: PROBE, publicKey: key })
    if (key.asymmetricKeyType === 'rsa')
      publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, Buffer.alloc(32))
    return true
  } catch {
    return false
  }
}

/** The key of a JWK without faults; its `kid`, unless it has one, is its thumbprint (RFC 7638). */
export function encryptionKeyFrom(jwk: Readonly<Record<string, unknown>>): EncryptionKey {
  const names = ['kty', ...MEMBERS[jwk.kty as Kty]].sort()
  const members = Object.fromEntries(names.map(name => [name, jwk[name]]))
  const kid = jwk.kid ?? createHash('sha256').update(JSON.stringify(members)).digest('base64url')
  return { ...members, kid } as EncryptionKey
}

/** How the key of each content is encrypted to it. */
export function algorithmOf({ kty }: Pick<EncryptionKey, 'kty'>): KeyAlgorithm {
  switch (kty) {
    case 'EC':
    case 'OKP':
      return 'ECDH-ES+A256KW'
    case 'RSA':
      return 'RSA-OAEP-256'
  }
}
