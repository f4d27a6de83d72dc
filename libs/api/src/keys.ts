import { isIP } from 'node:net'
import { IsIn, IsOptional, ValidateIf } from 'class-validator'
import { checkSecrets } from '@posthorn/verify'
import { API_ROLES, type ApiRole } from '@posthorn/topics'
import type { Problem } from '@posthorn/webhook'
import { Documented } from './documented.js'
import { Faults } from './http-validation.js'
import { ListQuery } from './lists.js'

export const KEY_SCOPES = ['tenant', 'platform'] as const
export type KeyScope = (typeof KEY_SCOPES)[number]

export const KEY_KINDS = ['bearer', 'signing'] as const
/** `bearer`: the key is sent; `signing`: requests are signed with it. */
export type KeyKind = (typeof KEY_KINDS)[number]

const MAX_NAME = 128
const MAX_IPS = 64
const ONE_SCOPE = { message: 'must be tenant or platform' }
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/i
const TIME = { type: 'string', format: 'date-time' } as const
const SCOPE = {
  enum: [...KEY_SCOPES],
  default: 'tenant',
  required: false,
  description: "Whose key it is: the tenant's, or the platform's.",
} as const
const ROLES = { type: 'array', items: { type: 'string', enum: [...API_ROLES] }, minItems: 1 } as const
const IPS = { type: 'array', items: { type: 'string' }, maxItems: MAX_IPS } as const

const KIND = {
  enum: [...KEY_KINDS],
  description: 'bearer: the key is sent; signing: what is published is signed with it, by Standard Webhooks.',
} as const
const SECRET = {
  type: 'string',
  required: false,
  nullable: true,
  description:
    'For kind signing: the secret that the sender has, whsec_ + base64 of 24 to 64 bytes, or its public key, whpk_. Made here when it is absent.',
} as const

const fault = (message: string, pointer = ''): Problem[] => [{ pointer, message }]

function nameFaults(name: unknown): Problem[] {
  return typeof name === 'string' && name.trim() !== '' && name.length <= MAX_NAME
    ? []
    : fault(`must be 1 to ${MAX_NAME} characters`)
}

function rolesFaults(roles: unknown): Problem[] {
  const all = `an array of ${API_ROLES.join(', ')}`
  if (!Array.isArray(roles) || roles.length === 0 || roles.length > API_ROLES.length) return fault(`must be ${all}`)
  return roles.flatMap((role, index) =>
    API_ROLES.includes(role as ApiRole) && roles.indexOf(role) === index
      ? []
      : fault(`must be one of ${API_ROLES.join(', ')}, once`, `/${index}`),
  )
}

/** Faults of a list of CIDRs, each by its index. */
export function cidrsFaults(cidrs: unknown): Problem[] {
  if (!Array.isArray(cidrs) || cidrs.length > MAX_IPS) return fault(`must be an array of at most ${MAX_IPS} CIDRs`)
  return cidrs.flatMap((cidr, index) =>
    isCidr(cidr) ? [] : fault('must be a CIDR such as 203.0.113.0/24', `/${index}`),
  )
}

function isCidr(text: unknown): boolean {
  if (typeof text !== 'string' || !/^[0-9A-Fa-f.:]{2,45}\/\d{1,3}$/.test(text)) return false
  const [network, bits] = text.split('/') as [string, string]
  const version = isIP(network)
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128)
}

function signingSecretFaults(secret: unknown): Problem[] {
  const faults = fault('must be whsec_ + base64 of 24 to 64 bytes, or whpk_ + base64 of an Ed25519 public key')
  if (typeof secret !== 'string' || !/^wh(sec|pk)_/.test(secret)) return faults
  try {
    checkSecrets(secret)
    return []
  } catch {
    return faults
  }
}

function futureFaults(time: unknown): Problem[] {
  if (typeof time !== 'string' || !RFC3339.test(time) || Number.isNaN(Date.parse(time)))
    return fault('must be an RFC 3339 time such as 2027-01-31T12:00:00Z')
  return Date.parse(time) > Date.now() ? [] : fault('must be in the future')
}

/** POST /v1/keys */
export class CreateKeyBody {
  static readonly example = { name: 'shop', roles: ['publish'], allowed_ips: ['203.0.113.0/24'] }

  @Faults(nameFaults, { type: 'string', maxLength: MAX_NAME, description: 'What it is for.' })
  name: string

  @Faults(rolesFaults, { ...ROLES, description: 'admin: all; publish: send events; read: look at all but secrets.' })
  roles: ApiRole[]

  @Documented({ ...KIND, default: 'bearer', required: false, nullable: true })
  @IsOptional()
  @IsIn(KEY_KINDS, { message: 'must be bearer or signing' })
  kind?: KeyKind | null

  @IsOptional()
  @Faults(signingSecretFaults, SECRET)
  secret?: string | null

  @Documented({ ...SCOPE, nullable: true, description: 'platform: for every tenant. Only platform keys make such.' })
  @IsOptional()
  @IsIn(KEY_SCOPES, ONE_SCOPE)
  scope?: KeyScope | null

  @IsOptional()
  @Faults(cidrsFaults, { ...IPS, required: false, nullable: true, description: 'CIDRs that it may be used from.' })
  allowed_ips?: string[] | null

  @IsOptional()
  @Faults(futureFaults, { ...TIME, required: false, nullable: true })
  expires_at?: string | null
}

/** PATCH /v1/keys/{id}, by merge-patch. */
export class PatchKeyBody {
  static readonly example = { allowed_ips: ['203.0.113.0/24', '2001:db8::/32'] }

  @ValidateIf((body: PatchKeyBody) => body.name !== undefined)
  @Faults(nameFaults, { type: 'string', required: false, maxLength: MAX_NAME, description: 'What it is for.' })
  name?: string

  @IsOptional()
  @Faults(cidrsFaults, { ...IPS, required: false, nullable: true, description: 'CIDRs that it may be used from.' })
  allowed_ips?: string[] | null

  @IsOptional()
  @Faults(futureFaults, { ...TIME, required: false, nullable: true })
  expires_at?: string | null
}

/** POST /v1/keys/{id}/rotate */
export class RotateKeyBody {
  static readonly example = { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }

  @IsOptional()
  @Faults(signingSecretFaults, SECRET)
  secret?: string | null
}

/** What names the owner of keys: GET, DELETE and POST …/rotate. */
export class KeyScopeQuery {
  @Documented(SCOPE)
  @IsOptional()
  @IsIn(KEY_SCOPES, ONE_SCOPE)
  scope?: KeyScope
}

/** GET /v1/keys */
export class ListKeysQuery extends ListQuery {
  @Documented(SCOPE)
  @IsOptional()
  @IsIn(KEY_SCOPES, ONE_SCOPE)
  scope?: KeyScope
}

/** A key, without what would let its reader use it. */
export class KeyView {
  @Documented() readonly id: string
  @Documented(KIND) readonly kind: KeyKind
  @Documented({ enum: [...KEY_SCOPES] }) readonly scope: KeyScope
  @Documented({ type: 'string', nullable: true }) readonly tenant: string | null
  @Documented() readonly name: string
  @Documented({ description: 'How it begins.' }) readonly prefix: string
  @Documented(ROLES) readonly roles: readonly ApiRole[]
  @Documented(IPS) readonly allowed_ips: readonly string[]
  @Documented({ ...TIME, nullable: true }) readonly expires_at: string | null
  @Documented({ ...TIME, nullable: true, description: 'The minute of the last request with it.' })
  readonly last_used_at: string | null
  @Documented(TIME) readonly created_at: string
  @Documented({ type: 'integer' }) readonly version: number
}

/** The answer to a creation and to a rotation, and the only ones that have the key itself. */
export class CreatedKeyView extends KeyView {
  @Documented({ description: 'What is sent; of kind signing the secret, or the public key that was given.' })
  readonly key: string
}
