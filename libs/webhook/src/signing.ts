import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { compileSecret, secretBytes, signStandard, type SigningKey } from './signature.js'

/** How a webhook's requests are signed where it is not by Standard Webhooks as it stands. */
export const SIGNINGS = ['standard_sha512', 'hub'] as const

/**
 * `standard_sha512`: by Standard Webhooks with HMAC-SHA512 in place of HMAC-SHA256. `hub`: as GitHub and WebSub do,
 * `sha256=<hex HMAC-SHA256>` over the body alone, in one header, its name in lower case.
 */
export type Signing = { readonly type: 'standard_sha512' } | { readonly type: 'hub'; readonly header: string }

export const HUB_HEADER = 'x-hub-signature-256'

/** The secrets of a webhook made ready to sign its requests. */
export type Signer =
  | { readonly kind: 'standard'; readonly keys: readonly SigningKey[] }
  /** `keys` are those of a signature inside the body, which can hold several. */
  | { readonly kind: 'hub'; readonly keys: readonly SigningKey[]; readonly header: string; readonly key: KeyObject }

/** Of active secrets, newest first. Throws on none, and on one that registration would have refused. */
export function compileSigner(secrets: readonly string[], signing: Signing | undefined): Signer {
  if (secrets.length === 0) throw new Error('the webhook has no secret')
  const keys = secrets.map(compileSecret)
  switch (signing?.type) {
    case undefined:
      return { kind: 'standard', keys }
    case 'standard_sha512':
      return { kind: 'standard', keys: keys.map(bySha512) }
    case 'hub':
      return { kind: 'hub', keys, header: signing.header, key: hubKey(secrets.at(-1)!) }
    default:
      throw new Error('the webhook is signed in a way that this version does not know')
  }
}

/**
 * The headers of one attempt. One header holds one signature only: it is by the oldest active secret, so that
 * receivers have the whole overlap to learn the newer one, which signs from its end on.
 */
export function signatureHeaders(
  signer: Signer,
  prefix: string,
  { id, timestamp, body }: { readonly id: string; readonly timestamp: number; readonly body: Uint8Array },
): Record<string, string> {
  const told = { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: String(timestamp) }
  switch (signer.kind) {
    case 'standard':
      return { ...told, [`${prefix}-signature`]: signStandard(signer.keys, id, timestamp, body) }
    case 'hub':
      return { ...told, [signer.header]: signHub(signer.key, body) }
  }
}

function bySha512({ kind, key }: SigningKey): SigningKey {
  return { kind: kind === 'v1' ? 'hs512' : kind, key }
}

/** The whole text of a secret as UTF-8, `whsec_` too: verifiers of this style take a text, and decode nothing. */
function hubKey(secret: string): KeyObject {
  if (!secretBytes(secret))
    throw new Error('the webhook is signed by a key pair, and its signing is for shared secrets')
  return createSecretKey(secret, 'utf8')
}

function signHub(key: KeyObject, body: Uint8Array): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`
}
