import { escapePointer, MAX_CERTIFICATES, MAX_PEM, TLS_MEMBERS, tlsMemberFaults, type Problem } from '@posthorn/webhook'
import type { FieldSchema } from './documented.js'
import { REDACTED } from './webhook-fields.js'

/** As a request has it. */
export interface TlsBody {
  readonly ca?: string | null
  readonly certificate?: string | null
  readonly key?: string | null
}

/** As it is shown. */
export interface TlsView {
  readonly ca: string | null
  readonly certificate: string | null
  /** Redacted. */
  readonly key: string | null
}

const pem = (description: string) => ({ type: 'string', nullable: true, maxLength: MAX_PEM, description }) as const

/** How `tls` is documented. */
export const TLS_SCHEMA = {
  type: 'object',
  description: 'What https connections to the receiver are made with, in PEM (docs/egress.md).',
  additionalProperties: false,
  properties: {
    ca: pem(
      `The CAs that alone are trusted in this receiver, ${MAX_CERTIFICATES} at most; unless set, those of the deployment.`,
    ),
    certificate: pem('What is shown to the receiver (mTLS), intermediate certificates after it.'),
    key: pem('Of the certificate, without a passphrase. Kept sealed, shown redacted.'),
  },
} as const satisfies FieldSchema

/** Faults of a webhook's `tls`, or of a change of it, each member by itself; none repeats a value. */
export function tlsFaults(tls: unknown, now = Date.now()): Problem[] {
  if (typeof tls !== 'object' || tls === null || Array.isArray(tls))
    return [{ pointer: '', message: 'must be an object such as {"ca": "-----BEGIN CERTIFICATE-----…"}' }]
  const members = tls as Readonly<Record<string, unknown>>
  const unknown = Object.keys(members).filter(name => !TLS_MEMBERS.some(known => known === name))
  return [
    ...unknown.map(name => ({ pointer: `/${escapePointer(name)}`, message: 'is not a known field' })),
    ...TLS_MEMBERS.flatMap(name => {
      const value = members[name]
      if (value === undefined || value === null) return []
      if (name === 'key' && value === REDACTED)
        return [{ pointer: '/key', message: 'is what stands for a key that is not shown: leave it out to keep it' }]
      return tlsMemberFaults(name, value, now)
    }),
  ]
}

export function tlsView({ ca, certificate }: TlsBody): TlsView {
  return { ca: ca ?? null, certificate: certificate ?? null, key: certificate ? REDACTED : null }
}
