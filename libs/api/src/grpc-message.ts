import { fileURLToPath } from 'node:url'

/*
 * Messages of gRPC have the fields of the REST API, by the same names, so that one mapping does for all:
 * what is not set is absent here and null there, and a google.protobuf.Struct is a JSON object.
 */

/** Where the .proto files are. */
export const PROTO_DIR = fileURLToPath(new URL('../proto', import.meta.url))

/** How they are read: absent stays absent, names as they are written. */
export const PROTO_OPTIONS = { keepCase: true, longs: Number, includeDirs: [PROTO_DIR] } as const

/** Fields that are a google.protobuf.Struct wherever they occur; in AuditEntry whole documents. */
const JSON_FIELDS = new Set(['filter', 'before', 'after'])
type Fields = Readonly<Record<string, unknown>>

/** The fields of one message that are JSON beside the usual: a google.protobuf.Struct, or a Value. */
export type JsonFields = Readonly<Record<string, 'struct' | 'value'>>

/** A message as the DTO classes take it. */
export function plainOf(message: unknown, json: JsonFields = {}): Record<string, unknown> {
  const entries = Object.entries((message ?? {}) as Fields).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(entries.map(([name, value]) => [name, plainField(name, value, json)]))
}

function plainField(name: string, value: unknown, json: JsonFields): unknown {
  if (JSON_FIELDS.has(name)) return fromStruct(value)
  if (!Object.hasOwn(json, name)) return value
  return json[name] === 'struct' ? fromStruct(value) : fromValue(value as WireValue)
}

/** A view as its message: null and undefined are absent. `json` names the fields that are a Struct beside the usual. */
export function messageOf(view: unknown, json: readonly string[] = []): unknown {
  if (Array.isArray(view)) return view.map(each => messageOf(each, json))
  if (typeof view !== 'object' || view === null || Buffer.isBuffer(view)) return view
  const entries = Object.entries(view).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      JSON_FIELDS.has(name) || json.includes(name) ? toStruct(value as Fields) : messageOf(value, json),
    ]),
  )
}

/**
 * The merge-patch of an update. Without a mask it is what is set; with one it is what the mask names,
 * null where that is not set. A path is a field, or a field and an entry of it: `metadata.team`.
 */
export function patchOf(
  message: unknown,
  mask: readonly string[] | undefined,
  json: JsonFields = {},
): Record<string, unknown> {
  const set = plainOf(message, json)
  if (mask === undefined || mask.length === 0) return set
  const patch = nothing()
  for (const path of mask) {
    const dot = path.indexOf('.')
    const [field, entry] = dot < 0 ? [path] : [path.slice(0, dot), path.slice(dot + 1)]
    if (entry === undefined) patch[field!] = memberOf(set, field!)
    else entriesOf(patch, field!)[entry] = memberOf(memberOf(set, field!), entry)
  }
  return patch
}

function entriesOf(patch: Record<string, unknown>, field: string): Record<string, unknown> {
  const entries = patch[field]
  if (isObject(entries)) return entries
  return (patch[field] = nothing())
}

/** Without a prototype: paths are the caller's, and `__proto__.x` must not reach the objects of everybody else. */
const nothing = () => Object.create(null) as Record<string, unknown>

function memberOf(fields: unknown, name: string): unknown {
  return isObject(fields) && Object.hasOwn(fields, name) ? fields[name] : null
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function toStruct(object: Fields): object {
  return { fields: Object.fromEntries(Object.entries(object).map(([name, value]) => [name, toValue(value)])) }
}

function toValue(value: unknown): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value }
    case 'number':
      return { numberValue: value }
    case 'boolean':
      return { boolValue: value }
    case 'object':
      if (value === null) return { nullValue: 0 }
      if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } }
      return { structValue: toStruct(value as Fields) }
    default:
      return { nullValue: 0 }
  }
}

interface WireValue {
  readonly stringValue?: string
  readonly numberValue?: number
  readonly boolValue?: boolean
  readonly structValue?: unknown
  readonly listValue?: { readonly values?: readonly WireValue[] }
}

/** The JSON object of a google.protobuf.Struct as proto-loader gives it. */
export function fromStruct(struct: unknown): Record<string, unknown> {
  const { fields = {} } = struct as { fields?: Readonly<Record<string, WireValue>> }
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fromValue(value)]))
}

function fromValue(value: WireValue): unknown {
  if (value.stringValue !== undefined) return value.stringValue
  if (value.numberValue !== undefined) return value.numberValue
  if (value.boolValue !== undefined) return value.boolValue
  if (value.structValue !== undefined) return fromStruct(value.structValue)
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map(fromValue)
  return null
}
