import { escapePointer } from '@posthorn/webhook'
import { LinearExpression } from './regular-expression.js'
import { isObject, targetOf, type Schema, type SchemaNode } from './read-schema.js'

/** One schema inside a whole one: what the comparison of versions is made of. */
export interface Place {
  readonly whole: Schema
  readonly node: SchemaNode
  readonly pointer: string
  /** Alternatives that were taken out, being looked at one by one; part of what this place is. */
  readonly cut?: string
  /** What holds together with it stands beside it already. */
  readonly expanded?: true
}

export type Named = readonly (readonly [name: string, place: Place])[]

export const rootOf = (whole: Schema): Place => ({ whole, node: whole.root, pointer: '' })

/** A keyword's value; undefined for a boolean schema. */
export function valueOf(place: Place, keyword: string): unknown {
  return typeof place.node === 'boolean' ? undefined : place.node[keyword]
}

export function numberOf(place: Place, keyword: string): number | undefined {
  const value = valueOf(place, keyword)
  return typeof value === 'number' ? value : undefined
}

/** The schema that a keyword holds. */
export function inner(place: Place, keyword: string): Place | undefined {
  const node = valueOf(place, keyword)
  return node === undefined || Array.isArray(node) ? undefined : below(place, keyword, node)
}

/** The schemas of a list. */
export function members(place: Place, keyword: string): Place[] {
  const list = valueOf(place, keyword)
  return Array.isArray(list) ? list.map((node, index) => below(place, `${keyword}/${index}`, node)) : []
}

/** The schemas of a map; what is a list of names in draft-07's `dependencies` is left out. */
export function named(place: Place, keyword: string): Named {
  const map = valueOf(place, keyword)
  if (!isObject(map)) return []
  return Object.entries(map)
    .filter(([, node]) => !Array.isArray(node))
    .map(([name, node]) => [name, below(place, `${keyword}/${escapePointer(name)}`, node)] as const)
}

export function target(place: Place): Place | undefined {
  const pointer = targetOf(valueOf(place, '$ref'))
  return pointer === undefined ? undefined : { whole: place.whole, node: place.whole.nodes.get(pointer)!, pointer }
}

function below(place: Place, path: string, node: unknown): Place {
  return { whole: place.whole, node: node as SchemaNode, pointer: `${place.pointer}/${path}` }
}

/** Items by their position, and all further ones: the dialects name them differently. */
export function itemsOf(place: Place): { readonly first: readonly Place[]; readonly rest: Place | undefined } {
  if (place.whole.dialect === '2020-12') return { first: members(place, 'prefixItems'), rest: inner(place, 'items') }
  const first = members(place, 'items')
  // Without a list in `items`, draft-07 gives additionalItems no meaning.
  return {
    first,
    rest:
      first.length > 0 || Array.isArray(valueOf(place, 'items'))
        ? inner(place, 'additionalItems')
        : inner(place, 'items'),
  }
}

/** Names that must stand beside a name. */
export function dependentNames(place: Place): ReadonlyMap<string, readonly string[]> {
  const map = valueOf(place, place.whole.dialect === '2020-12' ? 'dependentRequired' : 'dependencies')
  const lists = Object.entries(isObject(map) ? map : {}).filter(([, value]) => Array.isArray(value))
  return new Map(lists as [string, string[]][])
}

export const dependentSchemas = (place: Place): Named =>
  named(place, place.whole.dialect === '2020-12' ? 'dependentSchemas' : 'dependencies')

/** The schema and all that holds together with it: what it refers to, and its allOf. */
export function conjunction(place: Place): Place[] {
  if (place.expanded) return [place]
  const referred = target(place)
  const others = [...(referred ? [referred] : []), ...members(place, 'allOf')]
  return [{ ...place, expanded: true }, ...others.flatMap(conjunction)]
}

/** Whether two schemas say the same, whatever their names for what they refer to. */
export function same(a: Place, b: Place): boolean {
  return new Likeness().of(a, b)
}

const NAMES_ONLY = /^(\$ref|\$defs|definitions)$/

class Likeness {
  /** Pairs that were met: one that differs makes the whole differ, so that each is looked at once. */
  private readonly met = new Set<string>()

  of(a: Place, b: Place): boolean {
    const key = `${a.pointer}${a.cut ?? ''} ${b.pointer}${b.cut ?? ''}`
    if (this.met.has(key)) return true
    this.met.add(key)
    const [here, there] = [target(a), target(b)]
    if ((here === undefined) !== (there === undefined) || (here && !this.of(here, there!))) return false
    return this.alike(a, b, a.node, b.node, '')
  }

  private alike(a: Place, b: Place, left: unknown, right: unknown, path: string): boolean {
    if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left === right
    const isSchema = a.whole.nodes.has(`${a.pointer}${path}`) && b.whole.nodes.has(`${b.pointer}${path}`)
    if (path !== '' && isSchema) return this.of(moved(a, left, path), moved(b, right, path))
    const names = (value: object) => Object.keys(value).filter(name => !(isSchema && NAMES_ONLY.test(name)))
    const keys = names(left)
    if (Array.isArray(left) !== Array.isArray(right) || keys.length !== names(right).length) return false
    return keys.every(
      key =>
        Object.hasOwn(right, key) &&
        this.alike(a, b, left[key as never], right[key as never], `${path}/${escapePointer(key)}`),
    )
  }
}

const moved = ({ whole, pointer }: Place, node: object, path: string): Place => ({
  whole,
  node: node as SchemaNode,
  pointer: `${pointer}${path}`,
})

export function matches(pattern: string, name: string): boolean {
  return new LinearExpression(pattern).test(name)
}
