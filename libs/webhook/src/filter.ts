import type { EventFields } from './event-fields.js'
import { escapePointer, isExtensionName, type Problem } from './event.js'
import { compileBranch, type ValueTest } from './filter-match.js'
import { isObject, parseFilter, type FilterBranch, type FilterField } from './filter-parse.js'
import { isExact, type Exact } from './filter-predicate.js'

/** A filter of a subscription, in the event pattern language of Amazon EventBridge; see docs/filters.md. */
export type FilterPattern = Readonly<Record<string, unknown>>

/** A field of which one of a few exact values is wanted: what a filter can be found by. */
export interface ExactField {
  readonly path: readonly string[]
  readonly values: readonly Exact[]
}

/** A filter made ready once, when the subscription is read. */
export interface CompiledFilter {
  readonly matches: (event: EventFields) => boolean
  /** The exact fields of each branch. */
  readonly exact: readonly (readonly ExactField[])[]
}

const ATTRIBUTES = ['id', 'source', 'type', 'subject', 'time', 'partitionkey', 'dataschema', 'datacontenttype']

/**
 * Every fault of a webhook's filter: of the language, of its cost, and fields that no event has.
 * Pointers start at the filter.
 */
export function checkFilter(filter: unknown): readonly Problem[] {
  const { problems } = parseFilter(filter)
  return isObject(filter) ? [...problems, ...unknownFields(filter, '')] : problems
}

/** Every fault of a pattern that applies to a JSON object of any shape. */
export function checkPattern(pattern: unknown): readonly Problem[] {
  return parseFilter(pattern).problems
}

function unknownFields(object: FilterPattern, pointer: string): Problem[] {
  return Object.entries(object).flatMap(([name, value]): Problem[] => {
    const below = `${pointer}/${escapePointer(name)}`
    if (name === '$or')
      return Array.isArray(value)
        ? value.flatMap((one: unknown, i) => (isObject(one) ? unknownFields(one, `${below}/${i}`) : []))
        : []
    if (name === 'data') return []
    if (!ATTRIBUTES.includes(name) && (name === 'tenant' || !isExtensionName(name)))
      return [
        {
          pointer: below,
          message: `is not a field of events; there are ${ATTRIBUTES.join(', ')}, extensions and data`,
        },
      ]
    return isObject(value)
      ? [{ pointer: below, message: 'must be an array of wanted values: attributes have no fields' }]
      : []
  })
}

/** Compiles the filter of a webhook. Throws on one that checkFilter refuses: a newer version has written it. */
export function compileFilter(filter: FilterPattern): CompiledFilter {
  const branches = branchesOf(filter)
  const [unknown] = unknownFields(filter, '')
  if (unknown) throw new Error(`filter${unknown.pointer} ${unknown.message}`)
  return { matches: compiledWhenAsked(filter), exact: branches.map(exactFields) }
}

/** Of many webhooks few are ever looked at: a test that nobody asks for takes no memory. */
function compiledWhenAsked(filter: FilterPattern): CompiledFilter['matches'] {
  let tests: ((event: EventFields) => boolean)[] | undefined
  return event => {
    tests ??= branchesOf(filter).map(compileEventBranch)
    for (const test of tests) if (test(event)) return true
    return false
  }
}

/** A pattern as a test of any JSON object, as parseJson reads it. Throws on one that checkPattern refuses. */
export function compilePattern(pattern: unknown): ValueTest {
  const tests = branchesOf(pattern).map(branch => compileBranch(branch))
  return root => tests.some(test => test(root))
}

/** The branches of a pattern. Throws on one that checkPattern refuses. */
export function branchesOf(pattern: unknown): readonly FilterBranch[] {
  const { branches, problems } = parseFilter(pattern)
  const [first] = problems
  if (first) throw new Error(`filter${first.pointer} ${first.message}`)
  return branches
}

/** Attributes first: they are at hand, the data may have to be parsed. */
function compileEventBranch(branch: FilterBranch): (event: EventFields) => boolean {
  const isData = ({ path }: FilterField) => path[0] === 'data'
  const ofAttributes = branch.filter(field => !isData(field))
  const ofData = branch.filter(isData)
  const attributes = ofAttributes.length === 0 ? undefined : compileBranch(ofAttributes)
  const data = ofData.length === 0 ? undefined : compileBranch(ofData, 1)
  return event => {
    if (attributes && !attributes(event.attributes)) return false
    if (!data) return true
    const read = event.data
    switch (read.kind) {
      case 'json':
        return data(read.value)
      case 'none':
        return data(undefined)
      case 'opaque':
        return false
    }
  }
}

function exactFields(branch: FilterBranch): ExactField[] {
  return branch.flatMap(({ path, predicates }) => (predicates?.every(isExact) ? [{ path, values: predicates }] : []))
}

/** How many of a tenant's filters are not found by a hash; see isIndexedFilter. */
export function countUnindexed(filters: Iterable<FilterPattern>): number {
  let count = 0
  for (const filter of filters) if (!isIndexedFilter(filter)) count++
  return count
}

/**
 * Whether the filter is found by a hash: each of its alternatives wants an exact value of some field.
 * One that is not costs a test for every event of its types, so tenants may have only so many of them.
 */
export function isIndexedFilter(filter: FilterPattern): boolean {
  return isIndexed(compileFilter(filter))
}

export function isIndexed({ exact }: CompiledFilter): boolean {
  return exact.every(fields => fields.length > 0)
}
