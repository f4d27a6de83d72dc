import { InexactNumber } from './filter-number.js'
import type { FilterBranch, FilterField } from './filter-parse.js'
import { compilePredicates, type ScalarTest } from './filter-predicate.js'

/** True when the JSON value fits; undefined is a value that is not there. */
export type ValueTest = (value: unknown) => boolean

/**
 * A branch against a JSON object. Fields below one array fit together only in one and the same
 * element of it ("array consistency"), so the fields are walked as a tree: at an array, some element
 * must fit all that lies below. The cost is at most fields × values, whatever the arrays.
 * With `depth` the value is what stands that many steps into all paths.
 */
export function compileBranch(branch: FilterBranch, depth = 0): ValueTest {
  // event-ruler takes a branch's fields in this order, which decides what an absence sees; see freeAbsences.
  const named = branch.map(field => ({ field, name: field.path.join('.') }))
  const ordered = named.sort((a, b) => (a.name < b.name ? -1 : 1))
  return compileValue(ordered, depth)
}

interface Named {
  readonly field: FilterField
  readonly name: string
}

/** A value that is one field, or has fields below it: no branch names both. */
function compileValue(fields: readonly Named[], depth: number): ValueTest {
  const { field } = fields[0]!
  return field.path.length === depth ? compileLeaf(field) : compileNode(fields, depth)
}

/** `fields` in order, all of whose paths share their first `depth` steps. */
function compileNode(fields: readonly Named[], depth: number): ValueTest {
  const free = freeAbsences(fields)
  const bound = fields.slice(free.length)
  const inObject = compileObject(fields, depth)
  const inElement = free.length > 0 && bound.length > 0 ? compileNode(bound, depth) : node
  return node

  function node(value: unknown): boolean {
    if (Array.isArray(value))
      return (
        !free.some(({ field }) => existsBelow(value, field.path, depth)) &&
        (bound.length === 0 || value.some(inElement))
      )
    return isJsonObject(value) ? inObject(value) : bound.length === 0
  }
}

/**
 * Absences that no element of an array here is chosen for: an absence is looked for in the element
 * that an earlier field was found in, and in all of them where no earlier field lies below the array.
 */
function freeAbsences(fields: readonly Named[]): readonly Named[] {
  const firstPresent = fields.findIndex(({ field }) => field.predicates !== undefined)
  return firstPresent < 0 ? fields : fields.slice(0, firstPresent)
}

function compileObject(fields: readonly Named[], depth: number): (object: object) => boolean {
  const steps = new Map<string, Named[]>()
  for (const named of fields) {
    const step = named.field.path[depth]!
    steps.set(step, [...(steps.get(step) ?? []), named])
  }
  const members = [...steps].map(([step, below]) => compileMember(step, compileValue(below, depth + 1)))
  const [first] = members
  if (members.length === 1) return first!
  return object => {
    for (const test of members) if (!test(object)) return false
    return true
  }
}

function compileMember(step: string, test: ValueTest): (object: object) => boolean {
  return object => test(member(object, step))
}

/** Objects of the data: neither arrays nor the stand-ins for numbers. */
export function isJsonObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber)
}

/**
 * A member that JSON gave the object: what every object inherits is a function, which JSON has not, or
 * `__proto__`. Asking for own members by Object.hasOwn takes twice as long.
 */
export function member(object: object, name: string): unknown {
  const value = (object as Readonly<Record<string, unknown>>)[name]
  if (typeof value === 'function' || (name === '__proto__' && !Object.hasOwn(object, name))) return undefined
  return value
}

function compileLeaf({ predicates }: FilterField): ValueTest {
  if (predicates === undefined) return value => !anyScalar(value, () => true)
  const test = compilePredicates(predicates)
  return value => anyScalar(value, test)
}

/** A field's values are its scalar, or all scalars of its array and of arrays in that; objects are none. */
function anyScalar(value: unknown, test: ScalarTest): boolean {
  if (value === undefined) return false
  if (typeof value !== 'object' || value === null) return test(value as string)
  if (Array.isArray(value)) return value.some(element => anyScalar(element, test))
  return value instanceof InexactNumber && test(value)
}

/** Whether the field exists anywhere under `value`, which stands `depth` steps into its path. */
function existsBelow(value: unknown, path: readonly string[], depth: number): boolean {
  if (depth === path.length) return anyScalar(value, () => true)
  if (Array.isArray(value)) return value.some(element => existsBelow(element, path, depth))
  return isJsonObject(value) && existsBelow(member(value, path[depth]!), path, depth + 1)
}
