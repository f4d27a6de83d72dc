import { fileURLToPath } from 'node:url'
import { escapePointer } from '@posthorn/webhook'
import { ApiError } from './errors.js'

/*
 * Messages of gRPC have the fields of the REST API, by the same names, so that one mapping does for all:
 * what is not set is absent here and null there, and a google.protobuf.Struct is a JSON object.
 */

/** Where the .proto files are. */
export const PROTO_DIR = fileURLToPath(new URL('../proto', import.meta.url))

/** How they are read: absent stays absent, names as they are written. */
export const PROTO_OPTIONS = { keepCase: true, longs: Number, includeDirs: [PROTO_DIR] } as const

/** Fields that are a google.protobuf.Struct wherever they occur; in AuditEntry whole documents. */
const JSON_FIELDS = new Set(['filter', 'encryption', 'before', 'after'])
type Fields = Readonly<Record<string, unknown>>

/** The fields of one message that are JSON beside the usual: a google.protobuf.Struct, or a Value. */
export type JsonFields = Readonly<Record<string, 'struct' | 'value'>>

/** A message as the DTO classes take it. */
export function plainOf(message: unknown, json: JsonFields = {}): Record<string, unknown> {
  const entries = Object.entries((message ?? {}) as Fields).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(entries.map(([name, value]) => [name, plainField(name, value, json)]))
}

function plainField(name: string, value: unknown, json: JsonFields): unknown {
  if (JSON_FIELDS.has(name)) return fromStruct(value, `/${name}`)
  if (!Object.hasOwn(json, name)) return value
  return json[name] === 'struct' ? fromStruct(value, `/${name}`) : fromValue(value as WireValue, `/${name}`)
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

/** Each level is two messages, of which decoders take 100, and there is what stands around it. */
const MAX_LEVELS = 48

function toStruct(object: Fields, level = 1): object {
  const entries = Object.entries(object).map(([name, value]) => [name, toValue(value, level)])
  return { fields: Object.fromEntries(entries) }
}

function toValue(value: unknown, level: number): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value }
    case 'number':
      return { numberValue: value }
    case 'boolean':
      return { boolValue: value }
    case 'object':
      if (value === null) return { nullValue: 0 }
      requireLevel(level + 1)
      if (!Array.isArray(value)) return { structValue: toStruct(value as Fields, level + 1) }
      return { listValue: { values: value.map(each => toValue(each, level + 1)) } }
    default:
      return { nullValue: 0 }
  }
}

function requireLevel(level: number): void {
  if (level > MAX_LEVELS)
    throw new ApiError('request_invalid', `The answer has JSON of more than ${MAX_LEVELS} levels: read it over REST.`)
}

interface WireValue {
  readonly stringValue?: string
  readonly numberValue?: number
  readonly boolValue?: boolean
  readonly structValue?: unknown
  readonly listValue?: { readonly values?: readonly WireValue[] }
}

/** The JSON object of a google.protobuf.Struct as proto-loader gives it. Throws ApiError request_invalid: no NaN in JSON. */
export function fromStruct(struct: unknown, pointer = ''): Record<string, unknown> {
  const { fields = {} } = struct as { fields?: Readonly<Record<string, WireValue>> }
  const entries = Object.entries(fields)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, fromValue(value, `${pointer}/${escapePointer(name)}`)]),
  )
}

function fromValue(value: WireValue, pointer: string): unknown {
  if (value.stringValue !== undefined) return value.stringValue
  if (value.numberValue !== undefined) return finite(value.numberValue, pointer)
  if (value.boolValue !== undefined) return value.boolValue
  if (value.structValue !== undefined) return fromStruct(value.structValue, pointer)
  if (value.listValue !== undefined)
    return (value.listValue.values ?? []).map((each, index) => fromValue(each, `${pointer}/${index}`))
  return null
}

function finite(number: number, pointer: string): number {
  if (Number.isFinite(number)) return number
  const message = 'must be a finite number'
  throw new ApiError('request_invalid', `${pointer} ${message}.`, [{ pointer, message }])
}
