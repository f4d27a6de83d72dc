import { createHmac } from 'node:crypto'
import { parsed, rawBody } from './body.js'
import { headerOf, type RequestHeaders } from './headers.js'
import { textKeys } from './secret.js'
import { VerificationError } from './verification-error.js'
import { sameText, type VerifyOptions } from './verify.js'

export interface OneHeaderOptions extends Pick<VerifyOptions, 'body' | 'headers' | 'secrets'> {
  /** The header with the signature; `X-Hub-Signature-256` of verifyHub and `X-Signature` of verifyHex unless set. */
  readonly header?: string
}

/** A request whose body was signed with one of the secrets, at some time. */
export interface BodyRequest {
  /** Of `webhook-id`, where the sender has it. Nobody signed it: it drops repeats of the sender, not those of an attacker. */
  readonly id?: string
  readonly type?: string
  readonly payload: unknown
}

export interface SignOneHeaderOptions {
  readonly body: Uint8Array | string
  readonly secret: string
  readonly header?: string
}

/** How hex HMAC-SHA256 over the body alone stands in a header. */
interface Style {
  readonly header: string
  readonly prefix: string
  readonly form: RegExp
  /** What a header that is not of the form lacks. */
  readonly lacks: string
}

const HUB: Style = {
  header: 'x-hub-signature-256',
  prefix: 'sha256=',
  form: /^sha256=/,
  lacks: 'holds no signature by SHA-256, which starts with "sha256="',
}
const HEX: Style = {
  header: 'x-signature',
  prefix: '',
  form: /^[0-9a-f]+$/i,
  lacks: 'holds no signature in plain hex ("sha256=" before it is for verifyHub)',
}

/**
 * Checks a request that is signed as GitHub and WebSub do: `sha256=<hex HMAC-SHA256>` over the body alone. No time is
 * signed: who has seen a request can send it again at any time. Throws as verify does.
 */
export function verifyHub(options: OneHeaderOptions): BodyRequest {
  return verifyBody(options, HUB)
}

/** The same for senders that write the hex alone: `X-Signature: <hex HMAC-SHA256>`. */
export function verifyHex(options: OneHeaderOptions): BodyRequest {
  return verifyBody(options, HEX)
}

/** The header that a sender of this style would add: for the tests of a receiver. */
export function signHub(options: SignOneHeaderOptions): Record<string, string> {
  return signBody(options, HUB)
}

export function signHex(options: SignOneHeaderOptions): Record<string, string> {
  return signBody(options, HEX)
}

function verifyBody({ body, headers, secrets, header }: OneHeaderOptions, style: Style): BodyRequest {
  const keys = textKeys(secrets)
  const bytes = rawBody(body)
  const given = signatureIn(headers, header ?? style.header, style)
  let fits = false
  // Every key is looked at, in constant time, as in verify.
  for (const key of keys) if (sameText(given, signature(key, bytes, style))) fits = true
  if (!fits)
    throw new VerificationError(
      'no_matching_signature',
      'The signature does not fit: check that the secret is the one that signs for this webhook now, taken as the text it is, and that the body is the bytes as received, not parsed and written again.',
    )
  const id = headerOf(headers, 'webhook-id')
  return { ...(id === undefined ? {} : { id }), ...parsed(bytes) }
}

function signBody({ body, secret, header }: SignOneHeaderOptions, style: Style): Record<string, string> {
  return { [(header ?? style.header).toLowerCase()]: signature(textKeys(secret)[0]!, rawBody(body), style) }
}

function signature(key: Buffer, body: Uint8Array, { prefix }: Style): string {
  return `${prefix}${createHmac('sha256', key).update(body).digest('hex')}`
}

function signatureIn(headers: RequestHeaders, header: string, { form, lacks }: Style): string {
  const given = headerOf(headers, header.toLowerCase())
  if (!given)
    throw new VerificationError(
      'missing_header',
      `The request has no ${header}: if it came from the webhook's sender, let the proxy before this receiver pass it on.`,
    )
  if (!form.test(given))
    throw new VerificationError(
      'signature_missing',
      `The header ${header} ${lacks}: let the sender sign in this style.`,
    )
  return given
}
