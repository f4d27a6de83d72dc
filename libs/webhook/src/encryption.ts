import type { EncryptionKey } from './encryption-key.js'
import type { Formatted } from './formatted.js'

/** What a webhook's receiver alone is to read. */
export interface Encryption {
  readonly key: EncryptionKey
  /** Names of the webhook's own headers, in lower case, that go inside. */
  readonly headers?: readonly string[]
  /** Whether attributes that the format puts into headers go inside. */
  readonly attributes?: true
}

/** The media type of a JWE in compact form, and so of an encrypted body. */
export const JOSE = 'application/jose'
/** Of what is encrypted when headers go inside: `{headers, body_base64}`. */
export const REQUEST_INSIDE = 'application/vnd.posthorn.request+json'

/** A request before it is encrypted. */
export interface Readable extends Formatted {
  /** The webhook's own headers. */
  readonly own: Readonly<Record<string, string>>
}

/** What is encrypted of it, of what media type, and the headers that everybody may read. */
export interface Parted {
  readonly inside: Buffer
  readonly insideType: string
  readonly outside: Readonly<Record<string, string>>
}

/** Parts a request by what the webhook wants inside. Without headers there, what is inside is the body itself. */
export function partForEncryption({ headers, own, body }: Readable, { headers: names = [], attributes }: Encryption) {
  const { 'content-type': type, ...told } = headers
  const chosen = Object.entries(own).filter(([name]) => names.includes(name))
  const hidden = { ...Object.fromEntries(chosen), ...(attributes ? told : {}) }
  const rest = Object.fromEntries(Object.entries(own).filter(([name]) => !names.includes(name)))
  const outside = { ...rest, ...(attributes ? {} : told), 'content-type': JOSE }
  if (Object.keys(hidden).length === 0) return { inside: body, insideType: type, outside } satisfies Parted
  const inside = { headers: { ...hidden, 'content-type': type }, body_base64: body.toString('base64') }
  return { inside: Buffer.from(JSON.stringify(inside)), insideType: REQUEST_INSIDE, outside } satisfies Parted
}
