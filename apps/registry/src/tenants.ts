import {
  ApiError,
  type Caller,
  type CreateTenantBody,
  type ListTenantsQuery,
  type ListView,
  type PatchTenantBody,
  type QuotasView,
  type TenantView,
} from '@posthorn/api'
import type { TenantQuotas, TenantRow, Tenants } from '@posthorn/store'
import { TENANT_PATTERN } from '@posthorn/webhook'
import { audited } from './auditing.js'
import { pageView, placeOf, type CursorShape } from './cursor.js'
import type { Publishing } from './publishing.js'
import type { BackgroundRemoval } from './background-removal.js'

const CURSOR: CursorShape = { list: 'tenants', fields: { createdAt: 'time', id: 'text' } }
/** What a publisher without a tenant of its own publishes for. */
const PROTECTED = 'default'

/** What keys of the platform can do with tenants. */
export class TenantCases {
  constructor(
    private readonly tenants: Tenants,
    private readonly publishing: Publishing,
    private readonly removal: Pick<BackgroundRemoval, 'wake'>,
  ) {}

  /** Throws ApiError tenant_not_found unless the tenant is there and not being deleted. */
  async require(tenant: string): Promise<void> {
    if (!(await this.tenants.exists(tenant))) throw notFound(tenant)
  }

  async create(caller: Caller, body: CreateTenantBody): Promise<TenantView> {
    const { id, description, quotas, unknown_event_types } = body
    const row = await this.tenants.insert(
      {
        id,
        description: description ?? null,
        quotas: quotasOf(NO_QUOTAS, quotas ?? {}),
        unknownEventTypes: unknown_event_types ?? UNKNOWN_TYPES,
      },
      audited(caller, id, 'tenant.created', tenantView),
    )
    await this.publishing.published('tenant', row)
    return tenantView(row)
  }

  async list(_caller: Caller, { limit, cursor, status }: ListTenantsQuery): Promise<ListView<TenantView>> {
    return pageView(CURSOR, await this.tenants.list(status, limit, placeOf(CURSOR, cursor)), tenantView)
  }

  async get(_caller: Caller, id: string): Promise<TenantView> {
    return tenantView(found(id, TENANT_PATTERN.test(id) ? await this.tenants.get(id) : undefined))
  }

  async change(caller: Caller, id: string, body: PatchTenantBody, version?: number): Promise<TenantView> {
    const decide = (row: TenantRow) => ({
      ...(body.description === undefined ? {} : { description: body.description }),
      ...(body.quotas === undefined ? {} : { quotas: quotasOf(quotasView(row), body.quotas ?? NO_QUOTAS) }),
      ...(body.unknown_event_types === undefined
        ? {}
        : { unknownEventTypes: body.unknown_event_types ?? UNKNOWN_TYPES }),
    })
    const trail = audited(caller, id, 'tenant.updated', tenantView)
    const row = found(id, TENANT_PATTERN.test(id) ? await this.tenants.change(id, version, decide, trail) : undefined)
    await this.publishing.published('tenant', row)
    return tenantView(row)
  }

  /** Answers at once; the view's `deletion` tells how far it has come. */
  async remove(caller: Caller, id: string, version?: number): Promise<TenantView> {
    if (id === PROTECTED) throw new ApiError('tenant_protected', `The tenant "${id}" cannot be deleted.`)
    const trail = audited(caller, id, 'tenant.deleted', tenantView)
    const row = found(id, TENANT_PATTERN.test(id) ? await this.tenants.startDeletion(id, version, trail) : undefined)
    this.removal.wake()
    await this.publishing.published('tenant', row)
    return tenantView(row)
  }
}

/** Of a tenant that says nothing about it. */
const UNKNOWN_TYPES = 'accept'

const NO_QUOTAS: QuotasView = { webhooks: null, unindexed_filters: null, events_per_second: null }

function quotasOf(before: QuotasView, changed: Partial<QuotasView>): TenantQuotas {
  const { webhooks, unindexed_filters, events_per_second } = { ...before, ...changed }
  return { webhooks, unindexedFilters: unindexed_filters, eventsPerSecond: events_per_second }
}

function notFound(id: string): ApiError {
  return new ApiError('tenant_not_found', `There is no tenant "${id.slice(0, 100)}".`)
}

function found(id: string, row: TenantRow | undefined): TenantRow {
  if (!row) throw notFound(id)
  return row
}

function quotasView({ quotas }: TenantRow): QuotasView {
  return {
    webhooks: quotas.webhooks ?? null,
    unindexed_filters: quotas.unindexedFilters ?? null,
    events_per_second: quotas.eventsPerSecond ?? null,
  }
}

function tenantView(row: TenantRow): TenantView {
  const { id, status, description, unknownEventTypes, deletion, createdAt, updatedAt, version } = row
  return {
    id,
    status,
    description,
    quotas: quotasView(row),
    unknown_event_types: unknownEventTypes,
    deletion: deletion && {
      started_at: deletion.startedAt,
      finished_at: deletion.finishedAt,
      webhooks: deletion.webhooks,
      keys: deletion.keys,
      history_rows: deletion.historyRows,
    },
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
    version,
  }
}
