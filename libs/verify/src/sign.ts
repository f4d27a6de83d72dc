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
}

/** The three headers that a sender would add: for the tests of a receiver. Throws a TypeError on an unusable secret. */
export function sign({ id, timestamp, body, secrets, prefix = 'webhook' }: SignOptions): Record<string, string> {
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: String(timestamp),
    [`${prefix}-signature`]: signingKeys(secrets)
      .map(key => signature(key, signedBytes(id, String(timestamp), body)))
      .join(' '),
  }
}

/** What is signed: `id.timestamp.body`. */
export function signedBytes(id: string, timestamp: string, body: Uint8Array | string): Buffer {
  return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), typeof body === 'string' ? Buffer.from(body) : body])
}

/** One entry of the signature header: the version, a comma, and base64. */
export function signature(key: Key, bytes: Buffer): string {
  switch (key.version) {
    case 'v1':
      return `v1,${createHmac('sha256', key.bytes).update(bytes).digest('base64')}`
    case 'v1a':
      return `v1a,${signAsymmetric(null, bytes, key.key).toString('base64')}`
  }
}
