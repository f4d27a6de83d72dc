import { escapePointer, type Problem } from './event.js'
import { FILTER_LIMITS } from './filter-limits.js'
import { parsePredicate, type Reader } from './filter-operators.js'
import type { Predicate } from './filter-predicate.js'

/** One field of a branch. A field with `exists: false` among other values makes two branches. */
export interface FilterField {
  readonly path: readonly string[]
  /** Where in the filter it stands. */
  readonly pointer: string
  /** Undefined: the field must not exist. */
  readonly predicates: readonly Predicate[] | undefined
}

/** Fields that must all fit; an event fits a filter when it fits one of its branches. */
export type FilterBranch = readonly FilterField[]

export interface ParsedFilter {
  readonly branches: readonly FilterBranch[]
  readonly problems: readonly Problem[]
}

/** Names that event-ruler keeps for operators: inside $or they are refused, to catch `{"$or": [{"prefix": "a"}, …]}`. */
const RESERVED = new Set(
  (
    'exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex ' +
    'not-wildcard not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range ' +
    'ip-address-in-range ip-address-not-in-range'
  ).split(' '),
)

interface Place {
  readonly path: readonly string[]
  readonly pointer: string
  readonly depth: number
  readonly inOr: boolean
}

/** Reads a filter from parsed JSON: its branches, or every fault with its place. */
export function parseFilter(json: unknown): ParsedFilter {
  if (!isObject(json)) return refused('', 'must be an object of fields')
  if (JSON.stringify(json).length > FILTER_LIMITS.size)
    return refused('', `must have at most ${FILTER_LIMITS.size} characters as JSON`)
  return new FilterParser().parse(json)
}

function refused(pointer: string, message: string): ParsedFilter {
  return { branches: [], problems: [{ pointer, message }] }
}

class FilterParser implements Reader {
  private readonly problems: Problem[] = []
  private predicates = 0
  private comparisons = 0
  private wildcards = 0
  private alternated = false

  parse(json: Readonly<Record<string, unknown>>): ParsedFilter {
    const branches = this.object(json, { path: [], pointer: '', depth: 1, inOr: false }, [[]])
    // Without $or the members of JSON objects are distinct as they are.
    if (this.alternated) for (const branch of branches) this.requireDistinctPaths(branch)
    return { branches, problems: distinct(this.problems) }
  }

  fault(pointer: string, message: string): undefined {
    this.problems.push({ pointer, message })
  }

  countWildcard(pointer: string): void {
    if (++this.wildcards === FILTER_LIMITS.wildcards + 1)
      this.fault(pointer, `a filter must have at most ${FILTER_LIMITS.wildcards} wildcards`)
  }

  /** The branches with this object's fields added to each. */
  private object(
    object: Readonly<Record<string, unknown>>,
    place: Place,
    branches: readonly FilterBranch[],
  ): readonly FilterBranch[] {
    const entries = Object.entries(object)
    if (entries.length === 0) this.fault(place.pointer, 'must name at least one field')
    if (place.depth > FILTER_LIMITS.depth) {
      this.fault(place.pointer, `must be at most ${FILTER_LIMITS.depth} objects deep`)
      return branches
    }
    return entries.reduce((before, [name, value]) => this.entry(name, value, place, before), branches)
  }

  private entry(
    name: string,
    value: unknown,
    { path, pointer, depth, inOr }: Place,
    branches: readonly FilterBranch[],
  ): readonly FilterBranch[] {
    const below: Place = {
      path: name === '$or' ? path : [...path, name],
      pointer: `${pointer}/${escapePointer(name)}`,
      depth: depth + 1,
      inOr: inOr || name === '$or',
    }
    if (name === '$or') return this.alternatives(value, below, branches)
    if (inOr && RESERVED.has(name))
      this.fault(below.pointer, 'is the name of an operator: inside $or it cannot be a field')
    else if (Array.isArray(value)) return this.field(value, below, branches)
    else if (isObject(value)) return this.object(value, below, branches)
    else this.fault(below.pointer, 'must be an array of wanted values, or an object of fields')
    return branches
  }

  private alternatives(value: unknown, place: Place, branches: readonly FilterBranch[]): readonly FilterBranch[] {
    this.alternated = true
    if (!Array.isArray(value) || value.length < 2) {
      this.fault(place.pointer, 'must be an array of at least two objects')
      return branches
    }
    if (!this.affords(branches.length * value.length, place.pointer)) return branches
    return value.flatMap((alternative: unknown, index) => {
      const pointer = `${place.pointer}/${index}`
      if (isObject(alternative)) return this.object(alternative, { ...place, pointer }, branches)
      this.fault(pointer, 'must be an object of fields')
      return []
    })
  }

  private field(values: readonly unknown[], { path, pointer }: Place, branches: readonly FilterBranch[]) {
    if (values.length === 0) this.fault(pointer, 'must have at least one wanted value')
    const read = values
      .slice(0, FILTER_LIMITS.predicates)
      .map((value, i) => parsePredicate(value, `${pointer}/${i}`, this))
    this.countPredicates(values.length, pointer)
    const predicates = read.filter(predicate => predicate !== undefined && predicate !== 'absent')
    this.countComparisons(predicates, pointer)
    const alternatives: FilterField[] = []
    if (predicates.length > 0) alternatives.push({ path, pointer, predicates })
    if (read.includes('absent')) alternatives.push({ path, pointer, predicates: undefined })
    if (!this.affords(branches.length * alternatives.length, pointer)) return branches
    return alternatives.flatMap(field => branches.map(branch => [...branch, field]))
  }

  countPredicates(count: number, pointer: string): void {
    const before = this.predicates
    this.predicates += count
    if (before <= FILTER_LIMITS.predicates && this.predicates > FILTER_LIMITS.predicates)
      this.fault(pointer, `a filter must have at most ${FILTER_LIMITS.predicates} wanted values`)
  }

  private countComparisons(predicates: readonly Predicate[], pointer: string): void {
    const before = this.comparisons
    for (const predicate of predicates) this.comparisons += comparisonsOf(predicate)
    if (before <= FILTER_LIMITS.comparisons && this.comparisons > FILTER_LIMITS.comparisons)
      this.fault(pointer, `a filter must have at most ${FILTER_LIMITS.comparisons} wanted values that are not plain`)
  }

  private affords(branches: number, pointer: string): boolean {
    if (branches <= FILTER_LIMITS.branches) return true
    this.fault(
      pointer,
      `a filter must come to at most ${FILTER_LIMITS.branches} combinations of its $or and "exists": false alternatives`,
    )
    return false
  }

  /** One branch names a path once: two arrays for it would be neither "and" nor "or" in other readers of the language. */
  private requireDistinctPaths(branch: FilterBranch): void {
    const seen = new Map<string, boolean>()
    for (const { path, pointer } of branch) {
      const keys = path.map((_, length) => JSON.stringify(path.slice(0, length + 1)))
      if (seen.has(keys.at(-1)!) || keys.slice(0, -1).some(key => seen.get(key) === true))
        this.fault(pointer, 'is already named outside this $or, or in another one that holds at the same time')
      keys.forEach((key, i) => seen.set(key, i === keys.length - 1))
    }
  }
}

function comparisonsOf(predicate: Predicate): number {
  switch (predicate.kind) {
    case 'equals':
    case 'address':
    case 'exists':
    case 'none-of':
      return 0
    case 'text':
    case 'number':
    case 'block':
      return 1
    case 'no-text':
      return predicate.tests.length
  }
}

/** A fault in what several branches have in common is one fault. */
function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map(problem => [`${problem.pointer} ${problem.message}`, problem])).values()]
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
