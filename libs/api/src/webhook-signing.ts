import {
  BODY_SIGNINGS,
  escapePointer,
  isBodySigning,
  SIGNINGS,
  type BodySigning,
  type Problem,
  type Signing,
} from '@posthorn/webhook'
import type { FieldSchema } from './documented.js'
import { headersFaults } from './webhook-fields.js'

/** As a request has it; absent members have their defaults. */
export type SigningBody =
  { readonly type: 'standard_sha512' } | { readonly type: BodySigning; readonly header?: string | null }
export type SigningView = Signing

/** How `signing` is documented. */
export const SIGNING_SCHEMA = {
  type: 'object',
  description:
    'How shared secrets sign: by Standard Webhooks with HMAC-SHA512 (hs512), or by hex HMAC-SHA256 over the body alone in one header, as GitHub does after sha256= (hub) or as it is (hex). Without it by Standard Webhooks (v1). Replaced as a whole.',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: { enum: [...SIGNINGS] },
    header: {
      type: 'string',
      nullable: true,
      description: `Of hub and hex: the header that has the signature; ${BODY_SIGNINGS.hub.header} or ${BODY_SIGNINGS.hex.header} unless set.`,
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
  if (!isBodySigning(type)) return fault(`is for ${Object.keys(BODY_SIGNINGS).join(' and ')} alone`, '/header')
  if (typeof header !== 'string') return fault('must be a string', '/header')
  // The format's own headers would be lost, or be the signature.
  if (header.toLowerCase().startsWith('ce-')) return fault('is set by Posthorn', '/header')
  return headersFaults({ [header]: 'x' }).map(({ message }) => ({ pointer: '/header', message }))
}

export function signingFrom(body: SigningBody): Signing {
  if (body.type === 'standard_sha512') return { type: body.type }
  return { type: body.type, header: (body.header ?? BODY_SIGNINGS[body.type].header).toLowerCase() }
}
