import {
  encryptionKeyFaults,
  encryptionKeyFrom,
  escapePointer,
  MAX_RSA_BITS,
  MIN_RSA_BITS,
  type Encryption,
  type Problem,
} from '@posthorn/webhook'
import type { FieldSchema } from './documented.js'

const MAX_NAMES = 32

/** How `encryption` is documented. */
export const ENCRYPTION_SCHEMA = {
  type: 'object',
  description: 'Bodies are encrypted to this key, see docs/encryption.md.',
  additionalProperties: false,
  properties: {
    key: {
      type: 'object',
      additionalProperties: true,
      description: `The receiver's public key as a JWK: EC (P-256, P-384, P-521), OKP (X25519), or RSA of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits. Its kid, unless it has one, is its thumbprint.`,
    },
    headers: {
      type: 'array',
      items: { type: 'string' },
      maxItems: MAX_NAMES,
      nullable: true,
      description: "Names of the webhook's headers that go inside.",
    },
    attributes: {
      type: 'boolean',
      default: false,
      nullable: true,
      description: 'Whether attributes that the format puts into headers go inside.',
    },
  },
} as const satisfies FieldSchema

export interface EncryptionView {
  readonly key: Readonly<Record<string, string>>
  readonly headers: readonly string[]
  readonly attributes: boolean
}

/** As a request has it; in a change what is absent stays as it is. */
export interface EncryptionBody {
  readonly key?: Readonly<Record<string, unknown>>
  readonly headers?: readonly string[] | null
  readonly attributes?: boolean | null
}

const fault = (message: string, pointer = ''): Problem[] => [{ pointer, message }]

/** Faults of what is there of it; whether headers that it names are there is known once all is merged. */
export function encryptionFaults(encryption: unknown): Problem[] {
  if (typeof encryption !== 'object' || encryption === null || Array.isArray(encryption))
    return fault('must be an object such as {"key": <JWK>}')
  return Object.entries(encryption).flatMap(([name, value]) => {
    switch (name) {
      case 'key':
        return encryptionKeyFaults(value).map(found => ({ ...found, pointer: `/key${found.pointer}` }))
      case 'headers':
        return value === null ? [] : namesFaults(value)
      case 'attributes':
        return value === null || typeof value === 'boolean' ? [] : fault('must be true or false', '/attributes')
      default:
        return fault('is not a known field', `/${escapePointer(name)}`)
    }
  })
}

/** The same of one that has to be complete. */
export function wholeEncryptionFaults(encryption: unknown): Problem[] {
  const faults = encryptionFaults(encryption)
  const isWhole = faults.some(({ pointer }) => pointer === '') || Object.hasOwn(encryption as object, 'key')
  return isWhole ? faults : [...faults, ...fault('is required', '/key')]
}

function namesFaults(names: unknown): Problem[] {
  if (!Array.isArray(names) || names.length > MAX_NAMES)
    return fault(`must be an array of up to ${MAX_NAMES} names of the webhook's headers`, '/headers')
  return names.flatMap((name, index) =>
    typeof name === 'string' ? [] : fault("must be the name of one of the webhook's headers", `/headers/${index}`),
  )
}

/** What the body names over `before`; undefined without a key. */
export function encryptionFrom(body: EncryptionBody, before: Encryption | null): Encryption | undefined {
  const key = body.key ? encryptionKeyFrom(body.key) : before?.key
  const headers = (body.headers === undefined ? before?.headers : body.headers) ?? []
  const attributes = body.attributes === undefined ? before?.attributes : body.attributes
  if (key === undefined) return undefined
  const names = [...new Set(headers.map(name => name.toLowerCase()))]
  return {
    key,
    ...(names.length === 0 ? {} : { headers: names }),
    ...(attributes === true ? { attributes } : {}),
  }
}

export function encryptionView({ key, headers = [], attributes }: Encryption): EncryptionView {
  return { key: { ...key }, headers, attributes: attributes ?? false }
}
