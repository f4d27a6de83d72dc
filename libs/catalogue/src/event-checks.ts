import { isJsonMediaType, RESERVED_PREFIX, type Problem, type WebhookEvent } from '@posthorn/webhook'
import { BUILT_IN_EVENT_TYPES } from './built-in.js'
import { recompile, type CompiledSchema } from './compile-schema.js'

/** What is done with an event that does not fit: nothing at all, a count and a line in the log, or its refusal. */
export const SCHEMA_MODES = ['off', 'warn', 'enforce'] as const
export type SchemaMode = (typeof SCHEMA_MODES)[number]

/** What a check needs to know of an event type, as catalogue.v1 carries it. */
export interface CheckedType {
  readonly id: string
  /** Null: of the platform, for every tenant that has none of this name itself. */
  readonly tenant: string | null
  readonly type: string
  readonly version: number
  /** An archived type is as good as absent. */
  readonly status: 'active' | 'deprecated' | 'archived' | 'deleted'
  readonly mode: SchemaMode
  readonly schema?: unknown
}

/** Misfits of one type since the last report of it. */
export interface MisfitReport {
  readonly type: CheckedType
  readonly events: number
  /** Of the last one, without a word of its data. */
  readonly problems: readonly Problem[]
}

export interface EventChecksOptions {
  /** Every event that does not fit. */
  misfit(mode: 'warn' | 'enforce'): void
  /** At most once a minute and type. */
  report(report: MisfitReport): void
  /** A schema that this version cannot compile: events of the type pass unchecked. */
  unusable(type: CheckedType, problems: readonly Problem[]): void
  /** ms since the epoch. */
  now(): number
}

const REPORT_EVERY_MS = 60_000
const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_EVENT_TYPES.map(({ type }) => type))

interface Entry {
  readonly type: CheckedType
  /** Made for the first event: most types of most tenants are never seen by most processes. */
  compiled?: CompiledSchema | 'unusable'
  unreported: number
  reportAt: number
}

/**
 * The schemas that events are held against, kept up to date by whoever reads catalogue.v1. An event of
 * a type without a schema costs one look-up.
 */
export class EventChecks {
  private readonly types = new Map<string, Map<string | null, Entry>>()
  private readonly names = new Map<string, CheckedType>()

  constructor(private readonly options: EventChecksOptions) {}

  get size(): number {
    return this.names.size
  }

  put(type: CheckedType): void {
    this.remove(type.id)
    if (type.status === 'archived' || type.status === 'deleted') return
    this.names.set(type.id, type)
    const owners = this.types.get(type.type) ?? new Map<string | null, Entry>()
    this.types.set(type.type, owners.set(type.tenant, { type, unreported: 0, reportAt: 0 }))
  }

  remove(id: string): void {
    const known = this.names.get(id)
    if (!known) return
    this.names.delete(id)
    const owners = this.types.get(known.type)!
    owners.delete(known.tenant)
    if (owners.size === 0) this.types.delete(known.type)
  }

  /** Whether the tenant's catalogue has the type: its own, the platform's or a built-in one, and not archived. */
  knows(tenant: string, type: string): boolean {
    if (BUILT_IN.has(type) || type.startsWith(RESERVED_PREFIX)) return true
    const owners = this.types.get(type)
    return owners !== undefined && (owners.has(tenant) || owners.has(null))
  }

  /** The faults for which the event has to be refused, by JSON Pointer into the event; undefined when it may pass. */
  faults(event: WebhookEvent, data: Uint8Array): readonly Problem[] | undefined {
    const owners = this.types.get(event.type)
    if (owners === undefined) return undefined
    const entry = owners.get(event.tenant) ?? owners.get(null)
    if (entry === undefined || entry.type.mode === 'off' || entry.type.schema === undefined) return undefined
    const problems = this.check(entry, event, data)
    if (problems.length === 0) return undefined
    this.options.misfit(entry.type.mode)
    this.count(entry, problems)
    return entry.type.mode === 'enforce' ? problems : undefined
  }

  private check(entry: Entry, { contenttype }: WebhookEvent, data: Uint8Array): Problem[] {
    const compiled = (entry.compiled ??= this.compile(entry.type))
    if (compiled === 'unusable') return []
    if (!isJsonMediaType(contenttype))
      return [{ pointer: '/datacontenttype', message: 'must be JSON: the type of the event has a schema' }]
    if (data.length === 0) return [{ pointer: '/data', message: 'is required: the type of the event has a schema' }]
    const json = parsed(data)
    if (json === undefined) return [{ pointer: '/data', message: 'is not JSON' }]
    return compiled
      .check(json.value, data.length)
      .map(({ pointer, message }) => ({ pointer: `/data${pointer}`, message }))
  }

  private compile(type: CheckedType): CompiledSchema | 'unusable' {
    const result = recompile(type.schema)
    if (result.kind === 'compiled') return result.compiled
    this.options.unusable(type, result.problems)
    return 'unusable'
  }

  private count(entry: Entry, problems: readonly Problem[]): void {
    entry.unreported++
    const now = this.options.now()
    if (now < entry.reportAt) return
    this.options.report({ type: entry.type, events: entry.unreported, problems })
    entry.unreported = 0
    entry.reportAt = now + REPORT_EVERY_MS
  }
}

function parsed(data: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) }
  } catch {
    return undefined
  }
}
