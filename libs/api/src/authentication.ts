import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { API_ROLES, type ApiKey, type ApiRole, type SigningKey } from '@posthorn/topics'
import { TENANT_PATTERN } from '@posthorn/webhook'
import { isApiKey } from './api-key.js'
import { ApiError, type ErrorCode } from './errors.js'
import type { RateLimit, RateState } from './rate-limit.js'
import type { WrongKeys } from './wrong-keys.js'

/** Who a request comes from, and for which tenant. */
export interface Caller {
  /** Id of the key; `platform` for the key of the environment. */
  readonly key: string
  /** Whether the key is the platform's: it may act for any tenant, and for the platform itself. */
  readonly platform: boolean
  readonly tenant: string
  readonly roles: readonly ApiRole[]
  /** IP address that the request came from. */
  readonly address: string
  readonly requestId: string
  /** What is left of the rate of the key; undefined where there is no limit. */
  readonly rate: RateState | undefined
}

/** What a request says about itself, whatever protocol it came by. */
export interface Credentials {
  readonly authorization: string | undefined
  /** What it names as its tenant. */
  readonly tenant: string | undefined
  readonly address: string
  readonly requestId: string
}

/** What the method that is called asks of its caller. */
export interface Needed {
  readonly role: ApiRole
  readonly platform: boolean
}

/** The key with this SHA-256 in hex; its own state is checked here. */
export type FindKey = (hash: string) => ApiKey | undefined | Promise<ApiKey | undefined>

const DEFAULT_TENANT = 'default'
const BEARER = /^Bearer +(\S+) *$/i
const PLATFORM_KEY = { id: 'platform', tenant: null, roles: API_ROLES, allowedIps: [], expiresAt: null } as const
/** For the log of a service that starts without a key of the environment. */
export const NO_PLATFORM_KEY =
  'POSTHORN_AUTH_PLATFORM_KEY is not set: only keys that were made are taken. ' +
  'The first one is made by: posthorn keys create --database --name <name>, with POSTHORN_DATABASE_URL set'
type CheckedKey = Pick<ApiKey, 'id' | 'tenant' | 'roles' | 'allowedIps' | 'expiresAt'>

export interface AuthenticationOptions {
  /** Without it only those that `find` has are let in; the caller logs NO_PLATFORM_KEY. */
  readonly platformKey: string | undefined
  readonly find: FindKey
  readonly wrongKeys: WrongKeys
  readonly rateLimit?: RateLimit | undefined
  /** Told of each request that is refused, for the metric. */
  readonly onRefused: (code: ErrorCode) => void
}

interface SignerParts {
  readonly find: (id: string) => SigningKey | undefined
  readonly check: (key: SigningKey) => Promise<void>
}

const NOT_LET_IN: ReadonlySet<number> = new Set([401, 403, 429])

/** Lets in who has the platform key of the environment, or a key that was made by the API. */
export class Authentication {
  private readonly platformDigest: Buffer | undefined
  private readonly ranges = new WeakMap<CheckedKey, BlockList>()

  constructor(private readonly options: AuthenticationOptions) {
    const { platformKey } = options
    this.platformDigest = platformKey === undefined ? undefined : sha256(platformKey)
  }

  /**
   * Throws ApiError rate_limited, key_missing, key_invalid, key_expired, address_not_allowed, role_missing,
   * tenant_not_found, wrong_keys_limited.
   */
  caller(credentials: Credentials, needed: Needed): Caller | Promise<Caller> {
    try {
      const caller = this.checked(credentials, needed)
      return caller instanceof Promise ? caller.catch((error: unknown) => this.refuse(error)) : caller
    } catch (error) {
      return this.refuse(error)
    }
  }

  /**
   * Lets in who signs instead of sending a key. `check` throws ApiError signature_invalid when the signature does not
   * fit. Throws ApiError key_invalid, key_expired, address_not_allowed, tenant_not_found, wrong_keys_limited.
   */
  async signer(id: string, credentials: Omit<Credentials, 'authorization'>, parts: SignerParts): Promise<Caller> {
    const { wrongKeys } = this.options
    const { address } = credentials
    try {
      wrongKeys.admit(address, id)
      const key = parts.find(id)
      if (!key) {
        wrongKeys.wrong(address, id)
        throw new ApiError('key_invalid', `There is no signing key "${id.slice(0, 100)}", or it was deleted.`)
      }
      const caller = this.admit(key, credentials, { role: 'publish', platform: false })
      await parts.check(key)
      wrongKeys.wasRight(address, id)
      return caller
    } catch (error) {
      if (error instanceof ApiError && error.code === 'signature_invalid') wrongKeys.wrong(address)
      return this.refuse(error)
    }
  }

  private refuse(error: unknown): never {
    if (error instanceof ApiError && NOT_LET_IN.has(error.status)) this.options.onRefused(error.code)
    throw error
  }

  private checked(credentials: Credentials, needed: Needed): Caller | Promise<Caller> {
    const key = bearerOf(credentials.authorization)
    const digest = sha256(key)
    const hash = digest.toString('hex')
    const { wrongKeys } = this.options
    wrongKeys.admit(credentials.address, hash)
    const admit = (found: CheckedKey | undefined) => {
      if (!found) {
        wrongKeys.wrong(credentials.address, hash)
        throw new ApiError('key_invalid', wrongBecause(key))
      }
      wrongKeys.wasRight(credentials.address, hash)
      return this.admit(found, credentials, needed)
    }
    const found = this.keyOf(key, digest, hash)
    return found instanceof Promise ? found.then(admit) : admit(found)
  }

  private keyOf(key: string, digest: Buffer, hash: string): CheckedKey | undefined | Promise<CheckedKey | undefined> {
    // Digests of equal length are compared, so that the time tells neither the key's length nor its beginning.
    if (this.platformDigest && timingSafeEqual(digest, this.platformDigest)) return PLATFORM_KEY
    return isApiKey(key) ? this.options.find(hash) : undefined
  }

  private admit(key: CheckedKey, credentials: Omit<Credentials, 'authorization'>, needed: Needed): Caller {
    const { address, requestId } = credentials
    if (key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.now())
      throw new ApiError('key_expired', `The key expired at ${key.expiresAt}.`)
    if (key.allowedIps.length > 0 && !this.allows(key, address))
      throw new ApiError('address_not_allowed', `The key may not be used from ${address}.`)
    if (needed.platform && key.tenant !== null)
      throw new ApiError('role_missing', 'This is for keys of the platform; the key is of a tenant.')
    if (!key.roles.includes('admin') && !key.roles.includes(needed.role))
      throw new ApiError('role_missing', `The key has not the role ${needed.role}.`)
    const tenant = tenantOf(key, credentials.tenant)
    const rate = this.options.rateLimit?.take(key.id, Date.now())
    return { key: key.id, platform: key.tenant === null, tenant, roles: key.roles, address, requestId, rate }
  }

  private allows(key: CheckedKey, address: string): boolean {
    let ranges = this.ranges.get(key)
    if (!ranges) this.ranges.set(key, (ranges = rangesOf(key.allowedIps)))
    const plain = plainAddress(address)
    return isIP(plain) !== 0 && ranges.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6')
  }
}

function bearerOf(authorization: string | undefined): string {
  if (authorization === undefined || authorization === '')
    throw new ApiError('key_missing', 'The request has no Authorization header.')
  const key = BEARER.exec(authorization)?.[1]
  if (key === undefined) throw new ApiError('key_missing', 'The Authorization header is not of the form Bearer <key>.')
  return key
}

function wrongBecause(key: string): string {
  return isApiKey(key)
    ? 'There is no such key, or it was deleted.'
    : 'The key is not of the form of a key: check that it is whole.'
}

/** The tenant of a key is the key's; a key of the platform names it. Whether it exists is for the use case to say. */
function tenantOf(key: CheckedKey, named: string | undefined): string {
  if (named !== undefined && !TENANT_PATTERN.test(named))
    throw new ApiError('tenant_not_found', 'The header Posthorn-Tenant is not a tenant id.')
  if (key.tenant === null) return named ?? DEFAULT_TENANT
  // The same answer as for a tenant that does not exist: a key sees nothing of the others.
  if (named !== undefined && named !== key.tenant)
    throw new ApiError('tenant_not_found', `There is no tenant "${named}".`)
  return key.tenant
}

/** The address as its owner writes it: `::ffff:192.0.2.1` is 192.0.2.1. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}

function rangesOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network, bits] = cidr.split('/') as [string, string]
    list.addSubnet(network, Number(bits), isIP(network) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
