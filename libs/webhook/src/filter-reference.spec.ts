import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { explainPattern } from './filter-explain.js'
import { checkPattern, compilePattern } from './filter.js'

/*
 * The language once more, as its definition reads: an event is a list of fields, each with the array
 * elements it stands in; a pattern fits when one value can be chosen for each of its fields, in the
 * order of their names, with no two chosen from different elements of one array. It tries all choices.
 */

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Membership = Readonly<Record<string, number>>
interface Value {
  readonly name: string
  readonly value: Json
  readonly within: Membership
}

function flatten(json: Json, name = '', place = '', within: Membership = {}): Value[] {
  if (Array.isArray(json))
    return json.flatMap((element, i) =>
      typeof element === 'object' && element !== null
        ? flatten(element, name, `${place}/${i}`, { ...within, [place]: i })
        : flatten(element, name, place, within),
    )
  if (typeof json === 'object' && json !== null)
    return Object.entries(json).flatMap(([key, value]) =>
      flatten(value, name === '' ? key : `${name}.${key}`, `${place}/${key}`, within),
    )
  return [{ name, value: json, within }]
}

function merge(one: Membership, other: Membership): Membership | undefined {
  return Object.entries(other).every(([array, index]) => (one[array] ?? index) === index)
    ? { ...one, ...other }
    : undefined
}

type Wanted = readonly (readonly [name: string, values: readonly Json[]])[]

function choose([first, ...rest]: Wanted, values: readonly Value[], so: Membership): boolean {
  if (!first) return true
  const [name, wanted] = first
  const here = values.filter(value => value.name === name && merge(so, value.within))
  return wanted.some(one =>
    isAbsence(one)
      ? here.length === 0 && choose(rest, values, so)
      : here.some(value => holds(one, value.value) && choose(rest, values, merge(so, value.within)!)),
  )
}

const isAbsence = (wanted: Json) => JSON.stringify(wanted) === '{"exists":false}'

function holds(wanted: Json, value: Json): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === value
  const [operator, operand] = Object.entries(wanted)[0]!
  const text = typeof value === 'string' ? value : undefined
  switch (operator) {
    case 'exists':
      return true
    case 'prefix':
      return text?.startsWith(operand as string) ?? false
    case 'suffix':
      return text?.endsWith(operand as string) ?? false
    case 'equals-ignore-case':
      return text?.toLowerCase() === (operand as string).toLowerCase()
    case 'wildcard':
      return text !== undefined && new RegExp(`^${(operand as string).replaceAll('*', '.*')}$`, 's').test(text)
    case 'anything-but':
      return !(operand as Json[]).includes(value)
    case 'numeric': {
      const [, low, , high] = operand as number[]
      return typeof value === 'number' && value > low! && value <= high!
    }
    default:
      throw new Error(operator)
  }
}

/** Every branch of the pattern as the list of its fields. */
function alternatives(pattern: Json, name = '', before: Wanted[] = [[]]): Wanted[] {
  return Object.entries(pattern as Record<string, Json>).reduce((branches, [key, value]) => {
    if (key === '$or') return (value as Json[]).flatMap(one => alternatives(one, name, branches))
    const below = name === '' ? key : `${name}.${key}`
    if (!Array.isArray(value)) return alternatives(value, below, branches)
    return branches.map(branch => [...branch, [below, value] as const])
  }, before)
}

function fits(pattern: Json, event: Json): boolean {
  const values = flatten(event)
  return alternatives(pattern).some(fields =>
    choose(
      [...fields].sort(([a], [b]) => (a < b ? -1 : 1)),
      values,
      {},
    ),
  )
}

const text = fc.constantFrom('', 'a', 'b', 'ab', 'aB', 'bab')
const scalar = fc.oneof(text, fc.constantFrom(0, 1, 2), fc.constantFrom(true, null))
const key = fc.constantFrom('a', 'b', 'c')
const { event } = fc.letrec<{ event: Json; value: Json }>(tie => ({
  event: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  value: fc.oneof({ maxDepth: 5 }, scalar, tie('event'), fc.array(tie('value'), { maxLength: 3 })),
}))

const wanted: fc.Arbitrary<Json> = fc.oneof(
  scalar,
  fc.constant({ exists: false }),
  fc.constant({ exists: true }),
  fc.record({ prefix: text }, { noNullPrototype: true }),
  fc.record({ suffix: text }, { noNullPrototype: true }),
  fc.record({ 'equals-ignore-case': text }, { noNullPrototype: true }),
  fc.record({ wildcard: fc.constantFrom('*', 'a*', '*b', 'a*b', '*a*') }, { noNullPrototype: true }),
  fc.constantFrom<Json>({ 'anything-but': ['a', 'ab'] }, { 'anything-but': [0, 1] }, { numeric: ['>', 0, '<=', 1] }),
)
const field = fc.array(wanted, { minLength: 1, maxLength: 2 }) as fc.Arbitrary<Json>
const { pattern } = fc.letrec<{ pattern: Json; below: Json }>(tie => ({
  pattern: fc
    .tuple(
      fc.dictionary(key, tie('below'), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
      fc.option(fc.tuple(field, field), { freq: 4 }),
    )
    .map(([fields, or]) => ({ ...(fields as object), ...(or ? { $or: [{ d: or[0] }, { e: or[1] }] } : {}) }) as Json),
  below: fc.oneof({ maxDepth: 3 }, field, tie('pattern')),
}))

describe('patterns', () => {
  it('fit what the definition says, and explain what does not', () => {
    let fitting = 0
    fc.assert(
      fc.property(pattern, event, (one, json) => {
        fc.pre(checkPattern(one).length === 0)
        const expected = fits(one, json)
        if (expected) fitting++
        expect(compilePattern(one)(json)).toBe(expected)
        expect(explainPattern(one, json).length === 0).toBe(expected)
      }),
      { numRuns: 2000 },
    )
    // Random pairs that never fit would show nothing.
    expect(fitting).toBeGreaterThan(20)
  })
})
