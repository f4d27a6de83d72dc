import { randomBytes } from 'node:crypto'
import {
  ApiError,
  apiKeyFrom,
  apiKeyHash,
  apiKeyPrefix,
  type Caller,
  type CreatedKeyView,
  type CreateKeyBody,
  type KeyScope,
  type KeyView,
  type ListKeysQuery,
  type ListView,
  type PatchKeyBody,
  type RotateKeyBody,
} from '@posthorn/api'
import type { KeyOwner, KeyRow, KeySecret, Keys } from '@posthorn/store'
import type { Sealer } from '@posthorn/sealing'
import { keyId, secretFrom } from '@posthorn/webhook'
import { audited } from './auditing.js'
import { pageView, placeOf, type CursorShape } from './cursor.js'
import type { Publishing } from './publishing.js'
import type { TenantCases } from './tenants.js'

const ID = /^key_[0-9a-z]{26}$/
const CURSOR: CursorShape = { list: 'keys', fields: { createdAt: 'time', id: 'text' } }

/** What can be done with keys: a tenant's admin has those of the tenant, the platform's those of all and its own. */
export class KeyCases {
  constructor(
    private readonly keys: Keys,
    private readonly tenants: Pick<TenantCases, 'require'>,
    private readonly sealer: Sealer,
    private readonly publishing: Publishing,
  ) {}

  async create(caller: Caller, body: CreateKeyBody): Promise<CreatedKeyView> {
    refuseUnfit(body)
    const tenant = ownerFor(caller, body.scope)
    const id = keyId(randomBytes(16))
    const secret = body.kind === 'signing' ? this.newSigningKey(id, body.secret) : newKey()
    const row = await this.keys.insert(
      {
        id,
        tenant,
        name: body.name,
        roles: body.roles,
        allowedIps: body.allowed_ips ?? [],
        expiresAt: body.expires_at == null ? null : new Date(body.expires_at),
        ...secret.kept,
      },
      audited(caller, tenant, 'key.created', keyView),
    )
    await this.publishing.published('key', row)
    return { ...keyView(row), key: secret.key }
  }

  async list(caller: Caller, { limit, cursor, scope }: ListKeysQuery): Promise<ListView<KeyView>> {
    const owner = await this.owner(caller, scope)
    return pageView(CURSOR, await this.keys.list(owner, limit, placeOf(CURSOR, cursor)), keyView)
  }

  async get(caller: Caller, id: string, scope?: KeyScope): Promise<KeyView> {
    const owner = await this.owner(caller, scope)
    return keyView(found(id, ID.test(id) ? await this.keys.get(owner, id) : undefined))
  }

  async change(caller: Caller, id: string, body: PatchKeyBody, scope?: KeyScope, version?: number): Promise<KeyView> {
    const owner = await this.owner(caller, scope)
    const { name, allowed_ips: allowedIps, expires_at: expiresAt } = body
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(allowedIps === undefined ? {} : { allowedIps: allowedIps ?? [] }),
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt === null ? null : new Date(expiresAt) }),
    }
    const trail = audited(caller, owner, 'key.updated', keyView)
    const row = found(id, ID.test(id) ? await this.keys.update(owner, id, version, change, trail) : undefined)
    await this.publishing.published('key', row)
    return keyView(row)
  }

  /** The same key with another secret; the old one ends at once. */
  async rotate(caller: Caller, id: string, body: RotateKeyBody, scope?: KeyScope): Promise<CreatedKeyView> {
    const owner = await this.owner(caller, scope)
    let made: NewSecret | undefined
    const secretFor = (row: KeyRow): KeySecret => {
      if (row.sealedSecret === null && body.secret != null) throw onlyForSigning()
      made = row.sealedSecret === null ? newKey() : this.newSigningKey(row.id, body.secret)
      return made.kept
    }
    const trail = audited(caller, owner, 'key.rotated', keyView)
    const row = found(id, ID.test(id) ? await this.keys.rotate(owner, id, secretFor, trail) : undefined)
    await this.publishing.published('key', row)
    return { ...keyView(row), key: made!.key }
  }

  /** Ends it at once. */
  async remove(caller: Caller, id: string, scope?: KeyScope): Promise<void> {
    const owner = await this.owner(caller, scope)
    const trail = audited(caller, owner, 'key.deleted', keyView)
    await this.publishing.published(
      'key',
      found(id, ID.test(id) ? await this.keys.remove(owner, id, trail) : undefined),
    )
  }

  private newSigningKey(id: string, given: string | null | undefined): NewSecret {
    const key = given ?? secretFrom(randomBytes(32))
    return { key, kept: { hash: null, sealedSecret: this.sealer.seal(key, id), prefix: apiKeyPrefix(key) } }
  }

  private async owner(caller: Caller, scope: KeyScope | undefined): Promise<KeyOwner> {
    const owner = ownerFor(caller, scope)
    if (owner !== null) await this.tenants.require(owner)
    return owner
  }
}

function ownerFor({ platform, tenant }: Caller, scope: KeyScope | null | undefined): KeyOwner {
  if (scope !== 'platform') return tenant
  if (!platform) throw new ApiError('role_missing', 'Keys of the platform are for keys of the platform.')
  return null
}

interface NewSecret {
  readonly key: string
  readonly kept: KeySecret
}

function newKey(): NewSecret {
  const key = apiKeyFrom(randomBytes(32))
  return { key, kept: { hash: apiKeyHash(key), sealedSecret: null, prefix: apiKeyPrefix(key) } }
}

/** Throws ApiError request_invalid: a key that signs publishes for one tenant, and does nothing else. */
function refuseUnfit({ kind, secret, roles, scope }: CreateKeyBody): void {
  if (kind !== 'signing') {
    if (secret != null) throw onlyForSigning()
    return
  }
  if (roles.length !== 1 || roles[0] !== 'publish')
    throw unfit('/roles', 'must be ["publish"]: a key that signs can do nothing else')
  if (scope === 'platform') throw unfit('/scope', 'must be tenant: a key that signs publishes for one tenant')
}

const onlyForSigning = () => unfit('/secret', 'is for keys of kind signing: of others it is made here')

function unfit(pointer: string, message: string): ApiError {
  return new ApiError('request_invalid', `${pointer} ${message}.`, [{ pointer, message }])
}

function found(id: string, row: KeyRow | undefined): KeyRow {
  if (!row) throw new ApiError('key_not_found', `There is no key "${id.slice(0, 100)}".`)
  return row
}

function keyView(row: KeyRow): KeyView {
  const { id, tenant, name, prefix, roles, version } = row
  return {
    id,
    kind: row.sealedSecret === null ? 'bearer' : 'signing',
    scope: tenant === null ? 'platform' : 'tenant',
    tenant,
    name,
    prefix,
    roles,
    allowed_ips: row.allowedIps,
    expires_at: row.expiresAt && row.expiresAt.toISOString(),
    last_used_at: row.lastUsedAt && row.lastUsedAt.toISOString(),
    created_at: row.createdAt.toISOString(),
    version,
  }
}
