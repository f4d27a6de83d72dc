import { createHmac } from 'node:crypto'
import { parsed, rawBody } from './body.js'
import { headerOf, type RequestHeaders } from './headers.js'
import { textKeys } from './secret.js'
import { VerificationError } from './verification-error.js'
import { sameText, type VerifyOptions } from './verify.js'

export const HUB_HEADER = 'x-hub-signature-256'

export interface HubOptions extends Pick<VerifyOptions, 'body' | 'headers' | 'secrets'> {
  /** The header with the signature; `X-Hub-Signature-256` unless set. */
  readonly header?: string
}

/** A request whose body was signed with one of the secrets, at some time. */
export interface HubRequest {
  /** Of `webhook-id`, where the sender has it. Nobody signed it: it drops repeats of the sender, not those of an attacker. */
  readonly id?: string
  readonly type?: string
  readonly payload: unknown
}

/**
 * Checks a request that is signed as GitHub and WebSub do: `sha256=<hex HMAC-SHA256>` over the body alone. No time is
 * signed: who has seen a request can send it again at any time. Throws as verify does.
 */
export function verifyHub({ body, headers, secrets, header = HUB_HEADER }: HubOptions): HubRequest {
  const keys = textKeys(secrets)
  const bytes = rawBody(body)
  const given = signatureIn(headers, header)
  let fits = false
  // Every key is looked at, in constant time, as in verify.
  for (const key of keys) if (sameText(given, hubSignature(key, bytes))) fits = true
  if (!fits)
    throw new VerificationError(
      'no_matching_signature',
      'The signature does not fit: check that the secret is the one that signs for this webhook now, taken as the text it is, and that the body is the bytes as received, not parsed and written again.',
    )
  const id = headerOf(headers, 'webhook-id')
  return { ...(id === undefined ? {} : { id }), ...parsed(bytes) }
}

/** The header that a sender of this style would add: for the tests of a receiver. */
export function signHub({ body, secret, header = HUB_HEADER }: SignHubOptions): Record<string, string> {
  return { [header.toLowerCase()]: hubSignature(textKeys(secret)[0]!, rawBody(body)) }
}

export interface SignHubOptions {
  readonly body: Uint8Array | string
  readonly secret: string
  readonly header?: string
}

function hubSignature(key: Buffer, body: Uint8Array): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`
}

function signatureIn(headers: RequestHeaders, header: string): string {
  const given = headerOf(headers, header.toLowerCase())
  if (!given)
    throw new VerificationError(
      'missing_header',
      `The request has no ${header}: if it came from the webhook's sender, let the proxy before this receiver pass it on.`,
    )
  if (!given.startsWith('sha256='))
    throw new VerificationError(
      'signature_missing',
      `The header ${header} holds no signature by SHA-256, which starts with "sha256=": let the sender sign in this style.`,
    )
  return given
}
