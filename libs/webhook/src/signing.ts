import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { compileSecret, secretBytes, signStandard, type SigningKey } from './signature.js'

/** How a webhook's requests are signed where it is not by Standard Webhooks as it stands. */
export const SIGNINGS = ['standard_sha512', 'hub', 'hex'] as const

/** Those that sign the body alone, in one header: what stands there before the hex, and its name unless another is set. */
export const BODY_SIGNINGS = {
  hub: { prefix: 'sha256=', header: 'x-hub-signature-256' },
  hex: { prefix: '', header: 'x-signature' },
} as const
export type BodySigning = keyof typeof BODY_SIGNINGS

/**
 * `standard_sha512`: by Standard Webhooks with HMAC-SHA512 in place of HMAC-SHA256. `hub`: as GitHub and WebSub do,
 * `sha256=<hex HMAC-SHA256>` over the body alone. `hex`: the same without what stands before the hex. Names of headers
 * are in lower case.
 */
export type Signing = { readonly type: 'standard_sha512' } | { readonly type: BodySigning; readonly header: string }

export function isBodySigning(type: unknown): type is BodySigning {
  return typeof type === 'string' && Object.hasOwn(BODY_SIGNINGS, type)
}

/** The secrets of a webhook made ready to sign its requests. */
export type Signer =
  | { readonly kind: 'standard'; readonly keys: readonly SigningKey[] }
  | {
      readonly kind: 'body'
      /** Of a signature inside the body, which can hold several. */
      readonly keys: readonly SigningKey[]
      readonly header: string
      readonly prefix: string
      readonly key: KeyObject
    }

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
    case 'hex': {
      const { prefix } = BODY_SIGNINGS[signing.type]
      return { kind: 'body', keys, header: signing.header, prefix, key: textKey(secrets.at(-1)!) }
    }
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
    case 'body':
      return { ...told, [signer.header]: signer.prefix + hexHmac(signer.key, body) }
  }
}

function bySha512({ kind, key }: SigningKey): SigningKey {
  return { kind: kind === 'v1' ? 'hs512' : kind, key }
}

/** The whole text of a secret as UTF-8, `whsec_` too: verifiers of these styles take a text, and decode nothing. */
function textKey(secret: string): KeyObject {
  if (!secretBytes(secret))
    throw new Error('the webhook is signed by a key pair, and its signing is for shared secrets')
  return createSecretKey(secret, 'utf8')
}

function hexHmac(key: KeyObject, body: Uint8Array): string {
  return createHmac('sha256', key).update(body).digest('hex')
}
