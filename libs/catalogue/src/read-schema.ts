import { escapePointer, type Problem } from '@posthorn/webhook'
import { LinearExpression } from './regular-expression.js'
import { FORMATS } from './schema-formats.js'
import { dialectOf, IN_PLACE, kindOf, type Dialect } from './schema-keywords.js'
import { SCHEMA_LIMITS } from './schema-limits.js'

export type SchemaNode = boolean | { readonly [keyword: string]: unknown }

/** A schema within the limits, of known keywords alone, whose references all lead into itself. */
export interface Schema {
  readonly dialect: Dialect
  /** A copy without annotations and unknown keywords. */
  readonly root: SchemaNode
  /** By JSON Pointer, every schema in `root`. */
  readonly nodes: ReadonlyMap<string, SchemaNode>
  /** What was left out although its author may have meant something by it. */
  readonly warnings: readonly Problem[]
}

export type ReadSchema =
  { readonly kind: 'schema'; readonly schema: Schema } | { readonly kind: 'bad'; readonly problems: readonly Problem[] }

/** Problems that are told at once. */
const MAX_PROBLEMS = 50

/** Reads what JSON.parse made of a schema; pointers of problems lead into it. Pure, and linear in its size. */
export function readSchema(json: unknown): ReadSchema {
  const outer = outerFaults(json)
  if (outer.length > 0) return { kind: 'bad', problems: outer }
  const dialect =
    typeof json === 'object' && json !== null ? dialectOf((json as SchemaNode & object).$schema) : '2020-12'
  if (dialect === undefined)
    return bad(
      '/$schema',
      'must be https://json-schema.org/draft/2020-12/schema or http://json-schema.org/draft-07/schema#',
    )
  const reader = new Reader(dialect)
  const root = reader.read(json, '')
  reader.checkReferences()
  if (reader.problems.length > 0) return { kind: 'bad', problems: reader.problems.slice(0, MAX_PROBLEMS) }
  return {
    kind: 'schema',
    schema: { dialect, root, nodes: reader.nodes, warnings: reader.warnings.slice(0, MAX_PROBLEMS) },
  }
}

function bad(pointer: string, message: string): ReadSchema {
  return { kind: 'bad', problems: [{ pointer, message }] }
}

/** What must hold before the JSON may be walked by anything recursive. */
function outerFaults(json: unknown): Problem[] {
  if (typeof json !== 'boolean' && !isObject(json)) return [{ pointer: '', message: 'must be a JSON object' }]
  if (deeperThan(json, SCHEMA_LIMITS.depth))
    return [{ pointer: '', message: `must have at most ${SCHEMA_LIMITS.depth} levels` }]
  const bytes = Buffer.byteLength(JSON.stringify(json))
  if (bytes > SCHEMA_LIMITS.bytes)
    return [{ pointer: '', message: `has ${bytes} bytes; at most ${SCHEMA_LIMITS.bytes} are taken` }]
  return []
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deeperThan(json: unknown, levels: number): boolean {
  if (typeof json !== 'object' || json === null) return false
  return levels === 0 || Object.values(json).some(inner => deeperThan(inner, levels - 1))
}

class Reader {
  readonly problems: Problem[] = []
  readonly warnings: Problem[] = []
  readonly nodes = new Map<string, SchemaNode>()
  private patterns = 0

  constructor(private readonly dialect: Dialect) {}

  read(json: unknown, pointer: string): SchemaNode {
    if (typeof json !== 'boolean' && !isObject(json)) {
      this.fault(pointer, 'must be a schema: a JSON object, true or false')
      return true
    }
    if (this.nodes.size === SCHEMA_LIMITS.subschemas)
      this.fault('', `must have at most ${SCHEMA_LIMITS.subschemas} schemas inside it`)
    if (this.nodes.size >= SCHEMA_LIMITS.subschemas) return true
    const copy: Record<string, unknown> = Object.create(null)
    const node = typeof json === 'boolean' ? json : copy
    this.nodes.set(pointer, node)
    if (typeof json !== 'boolean')
      for (const [keyword, value] of Object.entries(json)) this.keyword(copy, json, keyword, value, pointer)
    return node
  }

  private keyword(copy: Record<string, unknown>, json: object, keyword: string, value: unknown, above: string): void {
    const pointer = `${above}/${escapePointer(keyword)}`
    const kind = kindOf(this.dialect, keyword)
    if (kind === undefined) return this.unknown(keyword, pointer)
    if (kind === 'annotation') return
    if (kind === 'refused') {
      // The root may say its name: nothing is looked up by it.
      if (keyword !== '$id' || above !== '')
        this.fault(pointer, 'is not supported: refer by {"$ref": "#/$defs/…"} to what stands in this schema')
      return
    }
    if (this.dialect === 'draft-07' && '$ref' in json && !/^(\$ref|\$defs|definitions)$/.test(keyword)) {
      this.warn(pointer, 'is ignored: draft-07 gives no meaning to what stands beside $ref')
      return
    }
    const read = this.valueOf(kind, keyword, value, pointer)
    if (read !== undefined) copy[keyword] = read
  }

  private valueOf(kind: string, keyword: string, value: unknown, pointer: string): unknown {
    switch (kind) {
      case 'schema':
        return this.read(value, pointer)
      case 'schemas':
        return this.list(value, pointer)
      case 'tuple':
        return Array.isArray(value) ? this.list(value, pointer) : this.read(value, pointer)
      case 'map':
      case 'dependencies':
        return this.map(kind, keyword, value, pointer)
      default:
        return this.assertion(keyword, value, pointer)
    }
  }

  private list(value: unknown, pointer: string): unknown {
    if (Array.isArray(value)) return value.map((inner, index) => this.read(inner, `${pointer}/${index}`))
    this.fault(pointer, 'must be an array of schemas')
    return undefined
  }

  private map(kind: 'map' | 'dependencies', keyword: string, value: unknown, pointer: string): unknown {
    if (!isObject(value)) {
      this.fault(pointer, 'must be an object of schemas')
      return undefined
    }
    const copy: Record<string, unknown> = {}
    for (const [name, inner] of Object.entries(value)) {
      const below = `${pointer}/${escapePointer(name)}`
      if (name === '__proto__') this.fault(below, 'is not taken as a name')
      else if (kind === 'dependencies' && Array.isArray(inner)) copy[name] = inner
      else copy[name] = this.read(inner, below)
      if (keyword === 'patternProperties') this.pattern(name, below)
    }
    return copy
  }

  private assertion(keyword: string, value: unknown, pointer: string): unknown {
    if (keyword === 'pattern' && typeof value === 'string') this.pattern(value, pointer)
    const entries = keyword === 'enum' && Array.isArray(value) ? value.length : 1
    if (entries < 1 || entries > SCHEMA_LIMITS.enumEntries)
      this.fault(pointer, `must have 1 to ${SCHEMA_LIMITS.enumEntries} entries`)
    if (keyword === 'format' && typeof value === 'string' && !FORMATS.has(value)) {
      this.warn(pointer, 'is ignored: no such format')
      return undefined
    }
    return value
  }

  private pattern(pattern: string, pointer: string): void {
    if (++this.patterns > SCHEMA_LIMITS.patterns) {
      if (this.patterns === SCHEMA_LIMITS.patterns + 1)
        this.fault(pointer, `must not be here: at most ${SCHEMA_LIMITS.patterns} regular expressions are taken`)
      return
    }
    try {
      new LinearExpression(pattern)
    } catch (error) {
      this.fault(pointer, (error as Error).message)
    }
  }

  private unknown(keyword: string, pointer: string): void {
    if (keyword.startsWith('x-')) return
    const newer = kindOf('2020-12', keyword) ?? kindOf('draft-07', keyword)
    this.warn(
      pointer,
      newer === undefined ? 'is ignored: no such keyword' : `is ignored: not a keyword of ${this.dialect}`,
    )
  }

  /** Every $ref leads to a schema in here, and none to itself without going deeper into the data. */
  checkReferences(): void {
    const settled = new Set<string>()
    for (const [pointer, node] of this.nodes) {
      if (typeof node === 'boolean' || node.$ref === undefined) continue
      if (targetOf(node.$ref) === undefined || !this.nodes.has(targetOf(node.$ref)!))
        this.fault(`${pointer}/$ref`, 'must be # or lead to a schema in this one, such as #/$defs/name')
    }
    if (this.problems.length === 0) for (const pointer of this.nodes.keys()) this.walk(pointer, new Set(), settled)
  }

  private walk(pointer: string, above: Set<string>, settled: Set<string>): void {
    if (settled.has(pointer)) return
    if (above.has(pointer)) {
      if (this.problems.length === 0) this.fault(pointer, 'refers to itself without going deeper into the data')
      return
    }
    above.add(pointer)
    for (const next of this.sameValue(pointer)) this.walk(next, above, settled)
    above.delete(pointer)
    settled.add(pointer)
  }

  /** Pointers of the schemas that are applied to the same value as this one. */
  private sameValue(pointer: string): string[] {
    const node = this.nodes.get(pointer)
    if (node === undefined || typeof node === 'boolean') return []
    const nested = Object.keys(node).filter(keyword => IN_PLACE.has(keyword))
    const below = nested.flatMap(keyword => {
      const at = `${pointer}/${keyword}`
      const names = this.nodes.has(at) ? [] : Object.keys(node[keyword] as object)
      return names.length === 0 ? [at] : names.map(name => `${at}/${escapePointer(name)}`)
    })
    return node.$ref === undefined ? below : [...below, targetOf(node.$ref)!]
  }

  private fault(pointer: string, message: string): void {
    this.problems.push({ pointer, message })
  }

  private warn(pointer: string, message: string): void {
    this.warnings.push({ pointer, message })
  }
}

/** The JSON Pointer that a $ref leads to; undefined when it leads outside. */
export function targetOf(reference: unknown): string | undefined {
  if (typeof reference !== 'string' || !(reference === '#' || reference.startsWith('#/'))) return undefined
  try {
    return decodeURIComponent(reference.slice(1))
  } catch {
    return undefined
  }
}
