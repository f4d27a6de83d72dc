import { TLS_VERSIONS, type Problem } from '@posthorn/webhook'
import type { FieldSchema } from './documented.js'
import { cidrsFaults } from './keys.js'

const MAX_CIDRS = 32

/** How the fields that bound a webhook's connections are documented. */
export const EGRESS_SCHEMA = {
  allowedCidrs: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: MAX_CIDRS,
    description: 'Requests go to addresses of these ranges alone; unless set, to all that the deployment permits.',
  },
  deniedCidrs: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: MAX_CIDRS,
    description: 'No request goes to addresses of these ranges; a name that has one of them is refused.',
  },
  minTlsVersion: {
    enum: [...TLS_VERSIONS],
    description: 'Lowest version of TLS that is spoken; unless set, what the deployment says.',
  },
} as const satisfies Record<string, FieldSchema>

export const ONE_TLS_VERSION = { message: `must be one of ${TLS_VERSIONS.join(', ')}` }

/** Faults of a webhook's `allowed_cidrs` or `denied_cidrs`, each by its index. They take addresses away, and never add any. */
export function webhookCidrsFaults(cidrs: unknown): Problem[] {
  if (!Array.isArray(cidrs) || cidrs.length === 0 || cidrs.length > MAX_CIDRS)
    return [{ pointer: '', message: `must be an array of 1 to ${MAX_CIDRS} CIDRs, or null for no such bound` }]
  return cidrsFaults(cidrs)
}
