import { parseAddress, type AddressBlock } from './filter-address.js'
import { InexactNumber } from './filter-number.js'
import { endsWithFolded, foldedPrefix, matchesWildcard, type Folded, type Wildcard } from './filter-text.js'

/** What JSON has beside objects and arrays. */
export type Scalar = string | number | boolean | null | InexactNumber

export type TextTest =
  | { readonly kind: 'prefix' | 'suffix'; readonly text: string }
  | { readonly kind: 'folded' | 'folded-prefix' | 'folded-suffix'; readonly folded: Folded }
  | { readonly kind: 'wildcard'; readonly pieces: Wildcard }

export interface NumberRange {
  readonly low: number
  readonly lowIncluded: boolean
  readonly high: number
  readonly highIncluded: boolean
}

/** One wanted value of a field; a field fits when any of its predicates holds for any of its values. */
export type Predicate =
  | { readonly kind: 'equals'; readonly value: string | number | boolean | null }
  /** A literal that is an IP address: any spelling of the address fits. */
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'number'; readonly range: NumberRange }
  | { readonly kind: 'block'; readonly block: AddressBlock }
  | { readonly kind: 'exists' }
  | { readonly kind: 'text'; readonly test: TextTest }
  | { readonly kind: 'none-of'; readonly values: ReadonlySet<string> | ReadonlySet<number> }
  | { readonly kind: 'no-text'; readonly tests: readonly TextTest[] }

export type ScalarTest = (value: Scalar) => boolean

/** What can be looked up in a hash instead of being tried. */
export type Exact = Extract<Predicate, { kind: 'equals' | 'address' }>

export function isExact(predicate: Predicate): predicate is Exact {
  return predicate.kind === 'equals' || predicate.kind === 'address'
}

/** One test for all predicates of a field: plain values are one look-up, and an address is read once. */
export function compilePredicates(predicates: readonly Predicate[]): ScalarTest {
  const values = predicates.flatMap(predicate => (predicate.kind === 'equals' ? [predicate.value] : []))
  const blocks = predicates.flatMap(blockOf)
  const tests = predicates.flatMap(predicate => compilePredicate(predicate) ?? [])
  if (blocks.length > 0) tests.unshift(compileBlocks(blocks))
  if (values.length > 0) tests.unshift(isAmong(values))
  const [only] = tests
  return tests.length === 1 ? only! : value => tests.some(test => test(value))
}

/** An address is a block of one. */
function blockOf(predicate: Predicate): AddressBlock[] {
  if (predicate.kind === 'address') return [{ low: predicate.address, high: predicate.address }]
  return predicate.kind === 'block' ? [predicate.block] : []
}

function isAmong(values: readonly Scalar[]): ScalarTest {
  const [only] = values
  if (values.length === 1) return value => value === only
  const set = new Set(values)
  return value => set.has(value)
}

/** Undefined for the kinds that are tested together. */
function compilePredicate(predicate: Predicate): ScalarTest | undefined {
  switch (predicate.kind) {
    case 'equals':
    case 'address':
    case 'block':
      return undefined
    case 'number':
      return compileRange(predicate.range)
    case 'exists':
      return () => true
    case 'text': {
      const test = compileText(predicate.test)
      return value => typeof value === 'string' && test(value)
    }
    case 'none-of': {
      const values: ReadonlySet<Scalar> = predicate.values
      return value => !values.has(value)
    }
    case 'no-text': {
      const tests = predicate.tests.map(compileText)
      return value => typeof value !== 'string' || !tests.some(test => test(value))
    }
  }
}

function compileRange({ low, lowIncluded, high, highIncluded }: NumberRange): ScalarTest {
  return value =>
    typeof value === 'number' &&
    (lowIncluded ? value >= low : value > low) &&
    (highIncluded ? value <= high : value < high)
}

function compileBlocks(blocks: readonly AddressBlock[]): ScalarTest {
  return value => {
    const address = typeof value === 'string' ? parseAddress(value) : undefined
    if (address === undefined) return false
    return blocks.some(({ low, high }) => address.length === low.length && address >= low && address <= high)
  }
}

function compileText(test: TextTest): (text: string) => boolean {
  switch (test.kind) {
    case 'prefix':
      return text => text.startsWith(test.text)
    case 'suffix':
      return text => text.endsWith(test.text)
    case 'folded':
      return text => foldedPrefix(test.folded, text) === text.length
    case 'folded-prefix':
      return text => foldedPrefix(test.folded, text) >= 0
    case 'folded-suffix':
      return text => endsWithFolded(test.folded, text)
    case 'wildcard':
      return text => matchesWildcard(test.pieces, text)
  }
}
