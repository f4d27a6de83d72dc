import { escapePointer } from './event.js'
import { parseAddress, parseBlock } from './filter-address.js'
import { FILTER_LIMITS } from './filter-limits.js'
import { InexactNumber } from './filter-number.js'
import type { NumberRange, Predicate, TextTest } from './filter-predicate.js'
import { fold, parseWildcard } from './filter-text.js'

/** Where faults go, and what is counted over the whole filter. */
export interface Reader {
  fault(pointer: string, message: string): undefined
  countPredicates(count: number, pointer: string): void
  countWildcard(pointer: string): void
}

type Read<T> = T | undefined
type Operator = (operand: unknown, pointer: string, reader: Reader) => Read<Predicate | 'absent'>

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  [
    'exactly',
    (operand, pointer, reader) => {
      const text = textOf(operand, pointer, reader)
      return text === undefined ? undefined : { kind: 'equals', value: text }
    },
  ],
  ['prefix', (operand, pointer, reader) => textPredicate(affix('prefix', operand, pointer, reader))],
  ['suffix', (operand, pointer, reader) => textPredicate(affix('suffix', operand, pointer, reader))],
  ['equals-ignore-case', (operand, pointer, reader) => textPredicate(folded('folded', operand, pointer, reader))],
  ['wildcard', (operand, pointer, reader) => textPredicate(wildcard(operand, pointer, reader))],
  ['numeric', numeric],
  ['exists', exists],
  ['cidr', cidr],
  ['anything-but', anythingBut],
])

/** One element of a field's array: a plain value, or an object with one operator. Undefined after a fault. */
export function parsePredicate(value: unknown, pointer: string, reader: Reader): Read<Predicate | 'absent'> {
  if (value instanceof InexactNumber) return inexact(value, pointer, reader)
  if (typeof value === 'string') return literal(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return { kind: 'equals', value }
  const single = only(value, pointer, reader, 'must be a string, number, boolean, null, or an object with one operator')
  if (!single) return undefined
  const operator = OPERATORS.get(single.name)
  return operator
    ? operator(single.operand, single.pointer, reader)
    : reader.fault(single.pointer, `is not an operator; there are ${[...OPERATORS.keys()].join(', ')}`)
}

function literal(value: string): Predicate {
  const address = parseAddress(value)
  return address === undefined ? { kind: 'equals', value } : { kind: 'address', address }
}

/** The one member of an object. */
function only(value: unknown, pointer: string, reader: Reader, message: string) {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof InexactNumber)
    return reader.fault(pointer, message)
  const [first, ...rest] = Object.entries(value)
  if (!first || rest.length > 0) return reader.fault(pointer, 'must have exactly one operator')
  return { name: first[0], operand: first[1] as unknown, pointer: `${pointer}/${escapePointer(first[0])}` }
}

function textOf(operand: unknown, pointer: string, reader: Reader): Read<string> {
  return typeof operand === 'string' ? operand : reader.fault(pointer, 'must be a string')
}

function textPredicate(test: Read<TextTest>): Read<Predicate> {
  return test && { kind: 'text', test }
}

function affix(kind: 'prefix' | 'suffix', operand: unknown, pointer: string, reader: Reader): Read<TextTest> {
  if (typeof operand === 'string') return { kind, text: operand }
  const single = only(operand, pointer, reader, 'must be a string, or {"equals-ignore-case": string}')
  if (!single) return undefined
  if (single.name === 'equals-ignore-case') return folded(`folded-${kind}`, single.operand, single.pointer, reader)
  return reader.fault(single.pointer, 'must be equals-ignore-case')
}

function folded(
  kind: 'folded' | 'folded-prefix' | 'folded-suffix',
  operand: unknown,
  pointer: string,
  reader: Reader,
): Read<TextTest> {
  const text = textOf(operand, pointer, reader)
  return text === undefined ? undefined : { kind, folded: fold(text) }
}

function wildcard(operand: unknown, pointer: string, reader: Reader): Read<TextTest> {
  const text = textOf(operand, pointer, reader)
  if (text === undefined) return undefined
  reader.countWildcard(pointer)
  if (text.length > FILTER_LIMITS.wildcardLength)
    return reader.fault(pointer, `must have at most ${FILTER_LIMITS.wildcardLength} characters`)
  const pieces = parseWildcard(text)
  if (!pieces)
    return reader.fault(pointer, 'must not have two "*" in a row, nor a "\\" before anything but "*" and "\\"')
  if (pieces.length - 1 > FILTER_LIMITS.stars)
    return reader.fault(pointer, `must have at most ${FILTER_LIMITS.stars} "*"`)
  return { kind: 'wildcard', pieces }
}

function exists(operand: unknown, pointer: string, reader: Reader): Read<Predicate | 'absent'> {
  if (typeof operand !== 'boolean') return reader.fault(pointer, 'must be true or false')
  return operand ? { kind: 'exists' } : 'absent'
}

function cidr(operand: unknown, pointer: string, reader: Reader): Read<Predicate> {
  const block = typeof operand === 'string' ? parseBlock(operand) : undefined
  return block
    ? { kind: 'block', block }
    : reader.fault(pointer, 'must be a block of addresses such as 10.0.0.0/8 or 2001:db8::/32')
}

function inexact({ text }: InexactNumber, pointer: string, reader: Reader): undefined {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return reader.fault(pointer, `${shown} is not exactly a 64-bit floating point number: no event's number equals it`)
}

function numberOf(value: unknown, pointer: string, reader: Reader): Read<number> {
  if (value instanceof InexactNumber) return inexact(value, pointer, reader)
  return typeof value === 'number' ? value : reader.fault(pointer, 'must be a number')
}

const COMPARISONS = ['=', '<', '<=', '>', '>=']
const EVERYTHING: NumberRange = { low: -Infinity, lowIncluded: false, high: Infinity, highIncluded: false }

/** ["=", n], ["<", n], …, or a lower and an upper bound: [">=", n, "<", m]. */
function numeric(operand: unknown, pointer: string, reader: Reader): Read<Predicate> {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4))
    return reader.fault(pointer, 'must be [comparison, number], or a range such as [">=", 0, "<", 10]')
  const [comparison, value, second] = operand as readonly unknown[]
  if (typeof comparison !== 'string' || !COMPARISONS.includes(comparison))
    return reader.fault(`${pointer}/0`, 'must be one of = < <= > >=')
  const number = numberOf(value, `${pointer}/1`, reader)
  if (number === undefined) return undefined
  if (operand.length === 2)
    return comparison === '='
      ? { kind: 'equals', value: number }
      : { kind: 'number', range: bound(comparison, number, EVERYTHING) }
  if (comparison !== '>' && comparison !== '>=')
    return reader.fault(`${pointer}/0`, 'must be > or >= where two bounds follow')
  if (second !== '<' && second !== '<=') return reader.fault(`${pointer}/2`, 'must be < or <=')
  const high = numberOf(operand[3], `${pointer}/3`, reader)
  if (high === undefined) return undefined
  if (high <= number) return reader.fault(`${pointer}/3`, 'must be greater than the lower bound')
  return { kind: 'number', range: bound(second, high, bound(comparison, number, EVERYTHING)) }
}

function bound(comparison: string, value: number, range: NumberRange): NumberRange {
  const included = comparison.endsWith('=')
  return comparison.startsWith('<')
    ? { ...range, high: value, highIncluded: included }
    : { ...range, low: value, lowIncluded: included }
}

const BUT = 'must be a string, a number, an array of strings or of numbers, or an object with one operator'

function anythingBut(operand: unknown, pointer: string, reader: Reader): Read<Predicate> {
  if (Array.isArray(operand)) return noneOf(operand, pointer, reader)
  if (typeof operand === 'string') return { kind: 'none-of', values: new Set([operand]) }
  if (operand instanceof InexactNumber) return inexact(operand, pointer, reader)
  if (typeof operand === 'number') return { kind: 'none-of', values: new Set([operand]) }
  const single = only(operand, pointer, reader, BUT)
  return single && noText(single.name, single.operand, single.pointer, reader)
}

function noneOf(values: readonly unknown[], pointer: string, reader: Reader): Read<Predicate> {
  reader.countPredicates(values.length, pointer)
  if (values.length === 0) return reader.fault(pointer, 'must have at least one value')
  const wanted = typeof values[0] === 'string' ? 'string' : 'number'
  for (const [index, value] of values.entries()) {
    if (value instanceof InexactNumber) return inexact(value, `${pointer}/${index}`, reader)
    if (typeof value !== wanted)
      return reader.fault(`${pointer}/${index}`, 'must be a string or a number, of one kind in the whole array')
  }
  return { kind: 'none-of', values: new Set(values as string[]) }
}

const TEXT_OPERATORS = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard']

function noText(name: string, operand: unknown, pointer: string, reader: Reader): Read<Predicate> {
  if (!TEXT_OPERATORS.includes(name)) return reader.fault(pointer, `must be one of ${TEXT_OPERATORS.join(', ')}`)
  if (!Array.isArray(operand)) {
    const test = textTest(name, operand, pointer, reader)
    return test && { kind: 'no-text', tests: [test] }
  }
  reader.countPredicates(operand.length, pointer)
  if (operand.length === 0) return reader.fault(pointer, 'must have at least one string')
  const tests = operand.map((value: unknown, i) => textTest(name, value, `${pointer}/${i}`, reader))
  const read = tests.filter(test => test !== undefined)
  return read.length === tests.length ? { kind: 'no-text', tests: read } : undefined
}

function textTest(name: string, operand: unknown, pointer: string, reader: Reader): Read<TextTest> {
  if (name === 'wildcard') return wildcard(operand, pointer, reader)
  if (name === 'equals-ignore-case') return folded('folded', operand, pointer, reader)
  const text = textOf(operand, pointer, reader)
  if (text === undefined) return undefined
  if (text === '') return reader.fault(pointer, 'must not be empty: it would leave no text at all')
  return { kind: name === 'prefix' ? 'prefix' : 'suffix', text }
}
