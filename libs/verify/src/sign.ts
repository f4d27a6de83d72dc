import { createHmac, sign as signAsymmetric } from 'node:crypto'
import { signingKeys, type Key } from './secret.js'

export interface SignOptions {
  /** `webhook-id`. */
  readonly id: string
  /** Whole seconds since the epoch. */
  readonly timestamp: number
  readonly body: Uint8Array | string
  /** One signature is made for each. */
  readonly secrets: string | readonly string[]
  /** Of the names of the headers; `webhook` unless set. */
  readonly prefix?: string
  /** What shared secrets sign by; sha256 unless set. A key pair has a hash of its own. */
  readonly hash?: 'sha256' | 'sha512'
}

/** The three headers that a sender would add: for the tests of a receiver. Throws a TypeError on an unusable secret. */
export function sign(options: SignOptions): Record<string, string> {
  const { id, timestamp, body, secrets, prefix = 'webhook', hash = 'sha256' } = options
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: String(timestamp),
    [`${prefix}-signature`]: signingKeys(secrets)
      .map(key => signature(key, signedBytes(id, String(timestamp), body), hash))
      .join(' '),
  }
}

/** What is signed: `id.timestamp.body`. */
export function signedBytes(id: string, timestamp: string, body: Uint8Array | string): Buffer {
  return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), typeof body === 'string' ? Buffer.from(body) : body])
}

/** One entry of the signature header: the version, a comma, and base64. */
export function signature(key: Key, bytes: Buffer, hash: 'sha256' | 'sha512' = 'sha256'): string {
  switch (key.version) {
    case 'v1':
      return `${HMACS[hash]},${createHmac(hash, key.bytes).update(bytes).digest('base64')}`
    case 'v1a':
      return `v1a,${signAsymmetric(null, bytes, key.key).toString('base64')}`
  }
}

/** What entries by a shared secret start with: of Standard Webhooks, and of the name that JOSE has for HMAC-SHA512. */
export const HMACS = { sha256: 'v1', sha512: 'hs512' } as const
