import {
  ApiError,
  type AddedVersionView,
  type AddVersionBody,
  type Caller,
  type CheckEventTypeBody,
  type CreateEventTypeBody,
  type EventTypeCheckView,
  type EventTypeDetailView,
  type EventTypeScope,
  type EventTypeStatus,
  type EventTypeView,
  type ListEventTypesQuery,
  type ListVersionsQuery,
  type ListView,
  type OwnScope,
  type PatchEventTypeBody,
  type SchemaVersionSummaryView,
  type SchemaVersionView,
} from '@posthorn/api'
import {
  EventTypeTaken,
  requireVersion,
  type Audited,
  type EventTypeChange,
  type EventTypeRow,
  type EventTypes,
} from '@posthorn/store'
import { eventTypeKey } from '@posthorn/topics'
import { isEventType } from '@posthorn/webhook'
import { audited } from './auditing.js'
import { cursorOf, positionOf, type CursorShape } from './cursor.js'
import {
  breakView,
  checkedSchema,
  checkView,
  faultsOf,
  invalid,
  requireCompatible,
  requireExample,
  warningsOf,
  type CheckedSchema,
} from './event-type-schema.js'
import {
  adopted,
  BUILT_IN_VERSION,
  builtIn,
  builtInAfter,
  builtInVersion,
  descriptionOf,
  eventTypeDetailView,
  eventTypeView,
  exampleOf,
  nameOf,
  schemaOf,
  versionSummaryView,
  versionView,
  type KnownType,
} from './event-type-view.js'
import type { Publishing } from './publishing.js'
import type { TenantCases } from './tenants.js'

const CURSOR: CursorShape = { list: 'event-types', fields: { type: 'text' } }
const VERSIONS: CursorShape = { list: 'event-type-versions', fields: { number: 'int4' } }
const IN_USE = ['active', 'deprecated'] as const

/**
 * What can be done with event types. Of one name the tenant's own counts before the platform's, and that
 * before the built-in one; an archived type does not count. Who changes a type that is not his makes one
 * of his own of it.
 */
export class EventTypeCases {
  constructor(
    private readonly types: EventTypes,
    private readonly tenants: Pick<TenantCases, 'require'>,
    private readonly publishing: Publishing,
  ) {}

  async create(caller: Caller, body: CreateEventTypeBody): Promise<EventTypeDetailView> {
    const tenant = await this.owner(caller, body.scope)
    const before = await this.lower(tenant, body.type)
    const schema = body.schema ?? (before && schemaOf(before)) ?? null
    const checked = schema === null ? undefined : checkedSchema(schema, (before && schemaOf(before)) ?? null)
    if (checked) requireCompatible(checked, false)
    const example = body.example ?? (body.schema === undefined && before ? exampleOf(before) : null)
    if (checked) requireExample(checked, example)
    const mode = body.mode ?? 'off'
    requireSchema(mode, schema)
    const description = body.description ?? (before ? descriptionOf(before) : null)
    const trail = audited(caller, tenant, 'event_type.created', auditView)
    const type = { tenant, type: body.type, status: 'active', mode, description, schema, example } as const
    const row = await this.types.insert(type, [], trail)
    return this.published(row)
  }

  async list(caller: Caller, query: ListEventTypesQuery): Promise<ListView<EventTypeView>> {
    await this.tenants.require(caller.tenant)
    const after = positionOf(CURSOR, query.cursor)?.type as string | undefined
    const found = await this.page(caller, query, after, query.limit + 1)
    const page = found.slice(0, query.limit)
    const more = found.length > page.length
    return {
      data: page.map(eventTypeView),
      next_cursor: more ? cursorOf(CURSOR, { type: nameOf(page.at(-1)!) }) : null,
    }
  }

  async get(caller: Caller, type: string, scope?: EventTypeScope): Promise<EventTypeDetailView> {
    return eventTypeDetailView(await this.known(caller, type, scope))
  }

  /** Of the type that counts for the tenant; null without one. */
  async example(caller: Caller, type: string): Promise<object | null> {
    const found = isEventType(type) ? await this.find(caller, type, undefined) : undefined
    return found ? exampleOf(found) : null
  }

  async change(
    caller: Caller,
    type: string,
    scope: OwnScope | undefined,
    body: PatchEventTypeBody,
    version?: number,
  ): Promise<EventTypeDetailView> {
    const row = await this.changeOwn(caller, type, scope, version, 'event_type.updated', own => changeOf(own, body))
    return this.published(row)
  }

  async setStatus(
    caller: Caller,
    type: string,
    scope: OwnScope | undefined,
    status: EventTypeStatus,
    version?: number,
  ): Promise<EventTypeDetailView> {
    const decide = (row: EventTypeRow) => {
      if (status === 'deprecated') requireInUse(row)
      return { status }
    }
    const action = { active: 'restored', deprecated: 'deprecated', archived: 'archived' }[status]
    return this.published(await this.changeOwn(caller, type, scope, version, `event_type.${action}`, decide))
  }

  async addVersion(
    caller: Caller,
    type: string,
    scope: OwnScope | undefined,
    body: AddVersionBody,
    version?: number,
  ): Promise<AddedVersionView> {
    let checked!: CheckedSchema
    const decide = (row: EventTypeRow): EventTypeChange => {
      requireInUse(row)
      checked = checkedSchema(body.schema, row.schema)
      requireCompatible(checked, body.allow_breaking ?? false)
      const example = body.example ?? row.example
      requireExample(checked, example, body.example ? '' : ': the example before does not fit, send another')
      return { example, next: { schema: body.schema, breaks: checked.breaks.map(breakView) } }
    }
    const row = await this.changeOwn(caller, type, scope, version, 'event_type.version_added', decide)
    await this.publishing.published('event_type', row)
    const { schemaVersion: number, example, updatedAt: createdAt } = row
    const breaks = checked.breaks.map(breakView)
    // Not read again: a failure after the commit would lose the answer.
    const added = versionView({ number, schema: body.schema, example, breaks, createdAt })
    return { ...added, news: checked.news.map(breakView), warnings: warningsOf(checked.compiled) }
  }

  async versions(caller: Caller, type: string, query: ListVersionsQuery): Promise<ListView<SchemaVersionSummaryView>> {
    const known = await this.known(caller, type, query.scope)
    if (known.kind === 'built_in') return { data: [BUILT_IN_VERSION], next_cursor: null }
    const before = positionOf(VERSIONS, query.cursor)?.number as number | undefined
    const found = await this.types.versions(known.row.id, before, query.limit + 1)
    const page = found.slice(0, query.limit)
    const more = found.length > page.length
    return {
      data: page.map(versionSummaryView),
      next_cursor: more ? cursorOf(VERSIONS, { number: page.at(-1)!.number }) : null,
    }
  }

  async version(caller: Caller, type: string, number: number, scope?: EventTypeScope): Promise<SchemaVersionView> {
    const known = await this.known(caller, type, scope)
    if (known.kind === 'built_in' && number === 1) return builtInVersion(known.type)
    const exists = known.kind === 'row' && number > 0 && number <= known.row.schemaVersion
    const row = exists ? await this.types.version(known.row.id, number) : undefined
    if (!row) throw notFound(`${type} in version ${number}`)
    return versionView(row)
  }

  /** Changes nothing: what a schema, or data, would come to. */
  async check(
    caller: Caller,
    type: string,
    scope: EventTypeScope | undefined,
    body: CheckEventTypeBody,
  ): Promise<EventTypeCheckView> {
    const before = schemaOf(await this.known(caller, type, scope))
    const schema = body.schema ?? before
    if (schema === null) throw invalid([{ pointer: '/schema', message: 'is required: the event type has none' }])
    const checked = checkedSchema(schema, before)
    return checkView(checked, body.data === undefined ? [] : faultsOf(checked.compiled, body.data))
  }

  /** Changes the owner's own type, or makes one of what counts for him so far. Throws VersionConflict. */
  private async changeOwn(
    caller: Caller,
    type: string,
    scope: OwnScope | undefined,
    version: number | undefined,
    action: string,
    decide: (row: EventTypeRow) => EventTypeChange,
  ): Promise<EventTypeRow> {
    const tenant = await this.owner(caller, scope)
    const trail = audited(caller, tenant, action, auditView)
    const own = isEventType(type) ? await this.types.own(tenant, type) : undefined
    const made = own ? undefined : await this.adopt(tenant, type, version, decide, trail)
    const row = made ?? (await this.types.change(eventTypeKey(tenant, type), version, decide, trail))
    if (!row) throw notFound(type)
    return row
  }

  /** Undefined when somebody else did the same meanwhile: that one is then changed. */
  private async adopt(
    tenant: string | null,
    type: string,
    version: number | undefined,
    decide: (row: EventTypeRow) => EventTypeChange,
    trail: Audited<EventTypeRow>,
  ): Promise<EventTypeRow | undefined> {
    const base = await this.lower(tenant, type)
    if (!base) throw notFound(type)
    const row = adopted(base, tenant)
    requireVersion(row, version)
    const { next, ...change } = decide(row)
    // What does not count would change nothing.
    if (change.status === 'archived') throw notFound(type)
    const schema = next ? next.schema : row.schema
    try {
      return await this.types.insert({ ...row, ...change, schema }, next?.breaks ?? [], trail)
    } catch (error) {
      if (error instanceof EventTypeTaken) return undefined
      throw error
    }
  }

  private async published(row: EventTypeRow): Promise<EventTypeDetailView> {
    await this.publishing.published('event_type', row)
    return eventTypeDetailView({ kind: 'row', row })
  }

  /** The tenant whose types are meant; null for the platform's. Throws ApiError role_missing, tenant_not_found. */
  private async owner(caller: Caller, scope: OwnScope | undefined): Promise<string | null> {
    if (scope === 'platform') {
      if (!caller.platform)
        throw new ApiError('role_missing', 'Event types of the platform are changed by its own keys alone.')
      return null
    }
    await this.tenants.require(caller.tenant)
    return caller.tenant
  }

  /** What would count if the owner had none of this name himself. */
  private async lower(tenant: string | null, type: string): Promise<KnownType | undefined> {
    if (!isEventType(type)) return undefined
    const row = tenant === null ? undefined : await this.types.own(null, type)
    return row && row.status !== 'archived' ? { kind: 'row', row } : builtIn(type)
  }

  private async known(caller: Caller, type: string, scope: EventTypeScope | undefined): Promise<KnownType> {
    await this.tenants.require(caller.tenant)
    const found = isEventType(type) ? await this.find(caller, type, scope) : undefined
    if (!found) throw notFound(type)
    return found
  }

  private async find({ tenant }: Caller, type: string, scope: EventTypeScope | undefined) {
    if (scope === 'built_in') return builtIn(type)
    const row = await this.types.own(scope === 'platform' ? null : tenant, type)
    if (row && (scope !== undefined || row.status !== 'archived')) return { kind: 'row', row } as const
    return scope === undefined ? this.lower(tenant, type) : undefined
  }

  private async page(
    { tenant }: Caller,
    { scope, status }: ListEventTypesQuery,
    after: string | undefined,
    limit: number,
  ): Promise<KnownType[]> {
    const statuses = status === undefined ? IN_USE : [status]
    const rows = async (owner: string | null, wanted: readonly EventTypeStatus[]) =>
      (await this.types.list({ tenant: owner, statuses: wanted, after, limit })).map(
        row => ({ kind: 'row', row }) as const,
      )
    if (scope === 'built_in') return status === undefined || status === 'active' ? builtInAfter(after) : []
    if (scope === 'platform') return rows(null, statuses)
    if (scope === 'tenant' || status !== undefined) return rows(tenant, statuses)
    // Each list is in the order of names and has all up to its last one: merged, the first `limit` are complete.
    const merged = new Map<string, KnownType>()
    for (const known of [...builtInAfter(after), ...(await rows(null, IN_USE)), ...(await rows(tenant, IN_USE))])
      merged.set(nameOf(known), known)
    return [...merged.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).slice(0, limit)
  }
}

/** For the audit, without the schema: of 256 KiB twice in each entry, and there under its version. */
const auditView = (row: EventTypeRow) => ({ ...eventTypeView({ kind: 'row', row }), example: row.example })

function changeOf(row: EventTypeRow, { description, example, mode }: PatchEventTypeBody): EventTypeChange {
  if (mode !== undefined) requireSchema(mode, row.schema)
  if (example !== undefined && row.schema !== null) requireExample(checkedSchema(row.schema, null), example)
  return {
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { example }),
    ...(mode === undefined ? {} : { mode }),
  }
}

function requireSchema(mode: string, schema: object | null): void {
  if (mode !== 'off' && schema === null)
    throw invalid([{ pointer: '/mode', message: `cannot be ${mode}: the event type has no schema` }])
}

function requireInUse({ status, type }: EventTypeRow): void {
  if (status === 'archived') throw new ApiError('event_type_archived', `The event type "${type}" is archived.`)
}

function notFound(type: string): ApiError {
  return new ApiError('event_type_not_found', `There is no event type "${type.slice(0, 200)}".`)
}
