import { escapePointer, HUB_HEADER, SIGNINGS, type Problem, type Signing } from '@posthorn/webhook'
import type { FieldSchema } from './documented.js'
import { headersFaults } from './webhook-fields.js'

/** As a request has it; absent members have their defaults. */
export type SigningBody =
  { readonly type: 'standard_sha512' } | { readonly type: 'hub'; readonly header?: string | null }
export type SigningView = Signing

/** How `signing` is documented. */
export const SIGNING_SCHEMA = {
  type: 'object',
  description:
    'How shared secrets sign: by Standard Webhooks with HMAC-SHA512 (hs512), or as GitHub does, sha256=<hex> over the body alone. Without it by Standard Webhooks (v1). Replaced as a whole.',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: { enum: [...SIGNINGS] },
    header: {
      type: 'string',
      nullable: true,
      description: `Of hub: the header that has the signature; ${HUB_HEADER} unless set.`,
    },
  },
} as const satisfies FieldSchema

const fault = (message: string, pointer = ''): Problem[] => [{ pointer, message }]

/** Faults of a webhook's `signing` by itself. */
export function signingFaults(signing: unknown): Problem[] {
  if (typeof signing !== 'object' || signing === null || Array.isArray(signing))
    return fault('must be an object such as {"type": "hub"}, or null for Standard Webhooks')
  const { type, header, ...unknown } = signing as Readonly<Record<string, unknown>>
  if (!SIGNINGS.some(known => known === type)) return fault(`must be one of ${SIGNINGS.join(', ')}`, '/type')
  const names = Object.keys(unknown).flatMap(name => fault('is not a known field', `/${escapePointer(name)}`))
  return header === undefined || header === null ? names : [...names, ...headerFaults(type, header)]
}

function headerFaults(type: unknown, header: unknown): Problem[] {
  if (type !== 'hub') return fault('is for hub alone', '/header')
  if (typeof header !== 'string') return fault('must be a string', '/header')
  // The format's own headers would be lost, or be the signature.
  if (header.toLowerCase().startsWith('ce-')) return fault('is set by Posthorn', '/header')
  return headersFaults({ [header]: 'x' }).map(({ message }) => ({ pointer: '/header', message }))
}

export function signingFrom(body: SigningBody): Signing {
  return body.type === 'hub' ? { type: 'hub', header: (body.header ?? HUB_HEADER).toLowerCase() } : { type: body.type }
}
