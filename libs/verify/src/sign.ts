import { createHmac } from 'node:crypto'
import type { HeaderPrefix } from './headers.js'
import { keysFrom } from './secret.js'

export interface SignOptions {
  /** `webhook-id`. */
  readonly id: string
  /** Whole seconds since the epoch. */
  readonly timestamp: number
  readonly body: Uint8Array | string
  /** One signature is made for each. */
  readonly secrets: string | readonly string[]
  readonly prefix?: HeaderPrefix
}

/** The three headers that a sender would add: for the tests of a receiver. Throws a TypeError on an unusable secret. */
export function sign({ id, timestamp, body, secrets, prefix = 'webhook' }: SignOptions): Record<string, string> {
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: String(timestamp),
    [`${prefix}-signature`]: keysFrom(secrets)
      .map(key => signature(key, id, String(timestamp), body))
      .join(' '),
  }
}

/** One entry of the signature header: `v1,` + base64 of the HMAC-SHA256 over `id.timestamp.body`. */
export function signature(key: Buffer, id: string, timestamp: string, body: Uint8Array | string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}
