import { ApiError, type AuditView, type Caller, type ListAuditQuery, type ListView } from '@posthorn/api'
import type { Audit, AuditRecord } from '@posthorn/store'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'

const CURSOR: CursorShape = { list: 'audit', fields: { seq: 'int8' } }

/** What can be read of the audit: a tenant's admin sees what concerns the tenant, the platform's all. */
export class AuditCases {
  constructor(private readonly audit: Audit) {}

  /** Newest first. */
  async list(caller: Caller, query: ListAuditQuery): Promise<ListView<AuditView>> {
    const { limit, cursor, scope, subject, action, key, from, to } = query
    const { rows, before } = await this.audit.list({
      tenant: tenantOf(caller, scope),
      subject,
      action,
      key,
      from: dateOf(from),
      to: dateOf(to),
      limit,
      before: positionOf(CURSOR, cursor)?.seq as number | undefined,
    })
    return { data: rows.map(auditView), next_cursor: before === undefined ? null : cursorOf(CURSOR, { seq: before }) }
  }
}

function tenantOf({ platform, tenant }: Caller, scope: ListAuditQuery['scope']): string | null | undefined {
  if (scope === undefined || scope === 'tenant') return tenant
  if (!platform) throw new ApiError('role_missing', 'The audit of the platform is for keys of the platform.')
  return scope === 'platform' ? null : undefined
}

const dateOf = (time: string | undefined) => (time === undefined ? undefined : new Date(time))

function auditView({ requestId, at, ...rest }: AuditRecord): AuditView {
  const { seq, tenant, key, address, action, subject, before, after } = rest
  return {
    seq,
    at: at.toISOString(),
    tenant,
    key,
    address,
    request_id: requestId,
    action,
    subject,
    before,
    after,
  }
}
