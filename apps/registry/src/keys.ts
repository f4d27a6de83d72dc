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
} from '@posthorn/api'
import type { KeyOwner, KeyRow, Keys } from '@posthorn/store'
import { keyId } from '@posthorn/webhook'
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
    private readonly publishing: Publishing,
  ) {}

  async create(caller: Caller, body: CreateKeyBody): Promise<CreatedKeyView> {
    const tenant = ownerFor(caller, body.scope)
    const secret = newKey()
    const row = await this.keys.insert(
      {
        id: keyId(randomBytes(16)),
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

  /** The same key with another secret; the old one ends at once. */
  async rotate(caller: Caller, id: string, scope?: KeyScope): Promise<CreatedKeyView> {
    const owner = await this.owner(caller, scope)
    const { key, kept } = newKey()
    const trail = audited(caller, owner, 'key.rotated', keyView)
    const row = found(id, ID.test(id) ? await this.keys.rotate(owner, id, kept, trail) : undefined)
    await this.publishing.published('key', row)
    return { ...keyView(row), key }
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

function newKey(): { key: string; kept: Pick<KeyRow, 'hash' | 'prefix'> } {
  const key = apiKeyFrom(randomBytes(32))
  return { key, kept: { hash: apiKeyHash(key), prefix: apiKeyPrefix(key) } }
}

function found(id: string, row: KeyRow | undefined): KeyRow {
  if (!row) throw new ApiError('key_not_found', `There is no key "${id.slice(0, 100)}".`)
  return row
}

function keyView(row: KeyRow): KeyView {
  const { id, tenant, name, prefix, roles, version } = row
  return {
    id,
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
