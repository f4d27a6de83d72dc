import type {
  EventTypeDetailView,
  EventTypeScope,
  EventTypeView,
  SchemaVersionSummaryView,
  SchemaVersionView,
} from '@posthorn/api'
import { BUILT_IN_EVENT_TYPES, type BuiltInEventType } from '@posthorn/catalogue'
import type { EventTypeRow, EventTypeVersionRow, EventTypeVersionSummary } from '@posthorn/store'
import { eventTypeKey } from '@posthorn/topics'

/** What there is of one name: built in, or somebody's. */
export type KnownType =
  { readonly kind: 'built_in'; readonly type: BuiltInEventType } | { readonly kind: 'row'; readonly row: EventTypeRow }

const BUILT_IN = new Map(BUILT_IN_EVENT_TYPES.map(type => [type.type, type]))

export function builtIn(type: string): KnownType | undefined {
  const found = BUILT_IN.get(type)
  return found && { kind: 'built_in', type: found }
}

/** The built-in types after a name, by name. */
export function builtInAfter(after: string | undefined): KnownType[] {
  return BUILT_IN_EVENT_TYPES.filter(({ type }) => after === undefined || type > after)
    .toSorted((a, b) => (a.type < b.type ? -1 : 1))
    .map(type => ({ kind: 'built_in', type }))
}

export const nameOf = (known: KnownType): string => (known.kind === 'row' ? known.row.type : known.type.type)
export const schemaOf = (known: KnownType): object | null =>
  known.kind === 'row' ? known.row.schema : (known.type.schema as object)
export const exampleOf = (known: KnownType): object | null =>
  known.kind === 'row' ? known.row.example : known.type.example
export const descriptionOf = (known: KnownType): string | null =>
  known.kind === 'row' ? known.row.description : known.type.description

/** What a type would be as the owner's own, before anything of it is changed. */
export function adopted(known: KnownType, tenant: string | null): EventTypeRow {
  const { version, mode, schema_version: schemaVersion } = eventTypeView(known)
  const now = new Date(0)
  const type = nameOf(known)
  return {
    id: eventTypeKey(tenant, type),
    tenant,
    type,
    version,
    status: 'active',
    mode,
    description: descriptionOf(known),
    schemaVersion,
    schema: schemaOf(known),
    example: exampleOf(known),
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  }
}

export function scopeOf({ tenant }: EventTypeRow): EventTypeScope {
  return tenant === null ? 'platform' : 'tenant'
}

export function eventTypeView(known: KnownType): EventTypeView {
  const description = descriptionOf(known)
  if (known.kind === 'built_in')
    return {
      type: known.type.type,
      scope: 'built_in',
      status: 'active',
      mode: 'off',
      description,
      schema_version: 1,
      created_at: null,
      updated_at: null,
      version: 0,
    }
  const { row } = known
  return {
    type: row.type,
    scope: scopeOf(row),
    // A deleted one is only seen by the audit, as it was before.
    status: row.status === 'deleted' ? 'archived' : row.status,
    mode: row.mode,
    description,
    schema_version: row.schemaVersion,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    version: row.version,
  }
}

export function eventTypeDetailView(known: KnownType): EventTypeDetailView {
  return { ...eventTypeView(known), schema: schemaOf(known), example: exampleOf(known) }
}

export function versionView({
  number,
  schema,
  example,
  breaks,
  createdAt,
}: Omit<EventTypeVersionRow, 'eventType'>): SchemaVersionView {
  return { number, schema, example, breaks, created_at: createdAt.toISOString() }
}

export function versionSummaryView({ createdAt, ...version }: EventTypeVersionSummary): SchemaVersionSummaryView {
  return { ...version, created_at: createdAt.toISOString() }
}

export const BUILT_IN_VERSION: SchemaVersionSummaryView = { number: 1, breaking: false, created_at: null }

/** The one version that a built-in type has. */
export function builtInVersion({ schema, example }: BuiltInEventType): SchemaVersionView {
  return { number: 1, schema: schema as object, example, breaks: [], created_at: null }
}
