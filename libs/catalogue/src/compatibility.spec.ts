import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { breaksBetween } from './compatibility.js'
import { compileSchema } from './compile-schema.js'
import type { Schema } from './read-schema.js'
import { conjunction, inner, itemsOf, members, named, rootOf, type Place } from './schema-view.js'

function compiled(json: unknown) {
  const result = compileSchema(json)
  if (result.kind === 'bad') throw new Error(JSON.stringify(result.problems))
  return result.compiled
}

const breaks = (older: unknown, newer: unknown) => breaksBetween(compiled(older).schema, compiled(newer).schema)
const places = (older: unknown, newer: unknown) => breaks(older, newer).map(({ pointer, data }) => `${pointer} ${data}`)

const object = (properties: object, rest: object = {}) => ({ type: 'object', properties, ...rest })
const string = { type: 'string' }
const closed = { additionalProperties: false }

const BREAKING: readonly [string, unknown, unknown, string][] = [
  ['a property becomes required', object({ a: {} }), object({ a: {} }, { required: ['a'] }), '/required /a'],
  ['a type is narrowed', object({ a: { type: ['string', 'null'] } }), object({ a: string }), '/properties/a/type /a'],
  [
    'a number becomes whole',
    object({ a: { type: 'number' } }),
    object({ a: { type: 'integer' } }),
    '/properties/a/type /a',
  ],
  ['a value leaves an enum', object({ a: { enum: [1, 2] } }), object({ a: { enum: [1] } }), '/properties/a/enum /a'],
  ['free values get an enum', { items: string }, { items: { ...string, enum: ['a'] } }, '/items/enum /*'],
  ['a closed object loses a property', object({ a: {} }, closed), object({}, closed), '/properties/a /a'],
  ['an object is closed', object({ a: {} }), object({ a: {} }, closed), '/additionalProperties /*'],
  ['a lower bound rises', { minimum: 1 }, { minimum: 2 }, '/minimum '],
  ['a bound excludes itself', { minimum: 1 }, { exclusiveMinimum: 1 }, '/exclusiveMinimum '],
  ['an upper bound falls', { maxLength: 9, ...string }, { maxLength: 8, ...string }, '/maxLength '],
  ['a bound is new', { type: 'array' }, { type: 'array', maxItems: 3 }, '/maxItems '],
  ['a pattern changes', { pattern: 'a', ...string }, { pattern: 'b', ...string }, '/pattern '],
  ['a format is new', string, { ...string, format: 'uri' }, '/format '],
  ['items must differ', { type: 'array' }, { type: 'array', uniqueItems: true }, '/uniqueItems '],
  ['items become typed', { type: 'array' }, { type: 'array', items: string }, '/items/type /*'],
  ['a position changes', { prefixItems: [string, {}] }, { prefixItems: [string, string] }, '/prefixItems/1/type /1'],
  [
    'a map is narrowed',
    { additionalProperties: {} },
    { additionalProperties: string },
    '/additionalProperties/type /*',
  ],
  [
    'a name is given to part of a map',
    { additionalProperties: string },
    object({ a: { type: 'null' } }),
    '/properties/a/type /a',
  ],
  [
    'a property needs another',
    object({ a: {}, b: {} }),
    object({ a: {}, b: {} }, { dependentRequired: { a: ['b'] } }),
    '/dependentRequired/a /b',
  ],
  ['an alternative goes', { anyOf: [string, { type: 'null' }] }, { anyOf: [string, { type: 'array' }] }, '/anyOf '],
  ['nothing is allowed', {}, false, ' '],
  ['a ban is new', {}, { not: string }, '/not '],
  ['a condition is new', {}, { if: string, else: { minItems: 1 } }, '/if '],
  ['a part of allOf is new', string, { allOf: [string, { minLength: 2 }] }, '/allOf/1/minLength '],
]

const COMPATIBLE: readonly [string, unknown, unknown][] = [
  ['nothing changes', object({ a: { enum: [1] } }, closed), object({ a: { enum: [1] } }, closed)],
  ['an optional property is added', object({ a: {} }), object({ a: {}, b: string })],
  ['an optional property is added to a closed object', object({ a: {} }, closed), object({ a: {}, b: {} }, closed)],
  ['an object is opened', object({ a: {} }, closed), object({ a: {} })],
  ['a property is no longer required', object({ a: {} }, { required: ['a'] }), object({ a: {} })],
  ['a type is widened', { type: 'integer' }, { type: ['number', 'string'] }],
  ['an enum grows', { enum: ['a'] }, { enum: ['b', 'a'] }],
  ['an enum becomes free', { enum: ['a', 'bc'] }, { ...string, minLength: 1, pattern: '^[a-c]+$' }],
  ['enums of several parts leave less', { allOf: [{ enum: [1, 2] }, { enum: [2, 3] }] }, { enum: [2] }],
  ['a const becomes an enum', { const: 1 }, { enum: [1, 2] }],
  ['bounds widen', { minimum: 2, maximum: 3 }, { exclusiveMinimum: 1, maximum: 4 }],
  ['an alternative is added', { anyOf: [string] }, { anyOf: [{ type: 'null' }, string] }],
  ['alternatives become one', { oneOf: [string, { type: 'null' }] }, { type: ['string', 'null'] }],
  [
    'parts move behind a name',
    object({ a: string }),
    { $ref: '#/$defs/o', $defs: { o: object({ a: { $ref: '#/$defs/s' } }), s: string } },
  ],
  ['allOf becomes one', { allOf: [{ minimum: 1 }, { type: 'integer' }] }, { type: 'integer', minimum: 1 }],
  ['a form that excludes the others is added', { oneOf: [form('a')] }, { oneOf: [form('a'), form('b')] }],
  [
    'the dialect changes',
    { $schema: 'http://json-schema.org/draft-07/schema#', items: [string], additionalItems: false },
    { prefixItems: [string], items: false },
  ],
  ['a schema contains itself', tree('a'), tree('a', { b: string })],
]

function form(action: string) {
  return object({ action: { const: action }, n: { type: 'integer' } }, { required: ['action'] })
}

function tree(name: string, more: object = {}) {
  return object({ [name]: { type: 'array', items: { $ref: '#' } }, ...more })
}

describe('S1 a new version of a schema is compared with the one before', () => {
  it.each(BREAKING)('S1 breaks when %s', (_name, older, newer, place) => {
    expect(places(older, newer)).toContain(place)
  })

  it.each(COMPATIBLE)('S1 is compatible when %s', (_name, older, newer) => {
    expect(breaks(older, newer)).toEqual([])
  })

  it('S1 says in words what broke, and where in schema and data', () => {
    const line = (type: string) => object({ sku: { type } })
    const order = (type: string) =>
      object({ lines: { type: 'array', items: { $ref: '#/$defs/l' } } }, { $defs: { l: line(type) } })
    expect(breaks(order('string'), order('integer'))).toEqual([
      { pointer: '/$defs/l/properties/sku/type', data: '/lines/*/sku', message: 'no longer takes string' },
    ])
  })

  it('S1 finds the break in the form that is meant', () => {
    const older = { oneOf: [form('a'), form('b')] }
    const narrowed = { ...form('b'), required: ['action', 'n'] }
    expect(breaks(older, { oneOf: [form('a'), narrowed] })).toEqual([
      { pointer: '/oneOf/1/required', data: '/n', message: 'now requires "n"' },
    ])
  })

  it('S1 sees through a schema that contains itself', () => {
    expect(places(tree('a', { v: {} }), tree('a', { v: string }))).toEqual(['/properties/v/type /v'])
  })

  it('S1 sees a reference that keeps its name and changes its meaning', () => {
    const banned = (type: string) => ({ not: { $ref: '#/$defs/x' }, $defs: { x: { type } } })
    expect(places(banned('null'), banned('string'))).toEqual(['/not '])
    expect(breaks(banned('null'), banned('null'))).toEqual([])
  })

  it('S1 gives up on what would take too long, and says so', () => {
    const fork = (n: number): object => ({ anyOf: [0, 1].map(i => ({ required: [`p${n}${i}`] })) })
    const wide = { allOf: Array.from({ length: 24 }, (_, n) => fork(n)) }
    expect(breaks(wide, { ...wide, required: ['q'] }).length).toBeGreaterThan(0)
  })
})

const NAMES = ['a', 'b', 'c']
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom('', 'a', 'ab', 'abc'),
  fc.boolean(),
  fc.constant(null),
  fc.constant(0.5),
)

const { schema } = fc.letrec<{ schema: object | boolean }>(tie => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<object>({}, string, { type: 'integer' }, { type: 'number' }, { type: ['null', 'boolean'] }),
    fc.record(
      {
        type: fc.constantFrom('integer', 'number'),
        minimum: fc.integer({ min: -2, max: 2 }),
        maximum: fc.integer({ min: -2, max: 2 }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      { minLength: fc.nat(2), maxLength: fc.nat(3), pattern: fc.constantFrom('^a', 'b$') },
      { requiredKeys: [] },
    ),
    fc.record({ enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }) }),
    fc.record(
      { type: fc.constant('array'), items: tie('schema'), maxItems: fc.nat(3), uniqueItems: fc.boolean() },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      { prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }), items: tie('schema') },
      { requiredKeys: ['prefixItems'] },
    ),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(fc.constantFrom(...NAMES), tie('schema'), { noNullPrototype: true }),
        required: fc.uniqueArray(fc.constantFrom(...NAMES)),
        additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
        patternProperties: fc.dictionary(fc.constantFrom('^[ab]$', 'c'), tie('schema'), {
          noNullPrototype: true,
          maxKeys: 1,
        }),
        minProperties: fc.nat(2),
        dependentRequired: fc.constant({ a: ['b'] }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record(
      { allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }), not: tie('schema') },
      { requiredKeys: ['allOf'] },
    ),
    fc.record({ $ref: fc.constantFrom('#/$defs/x', '#/$defs/y') }),
  ),
}))

const whole = fc
  .tuple(schema, schema, schema)
  .map(([root, x, y]) => ({ allOf: [root], $defs: { x: withoutReferences(x), y: withoutReferences(y) } }))

/** So that no generated schema refers to itself without going deeper. */
function withoutReferences(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (key, value) => (key === '$ref' ? undefined : value))
}

/** A small change somewhere in it: two random schemas would hardly ever be compatible. */
const changed = fc.tuple(whole, fc.nat(), fc.nat(), schema).map(([json, where, how, other]) => {
  let count = 0
  const newer = JSON.parse(JSON.stringify(json), (key, value) => {
    if (typeof value !== 'object' || value === null || key === '$defs' || key === '' || Array.isArray(value))
      return value
    return count++ === where % 7 ? mutated(value, how, other) : value
  })
  return [json, newer] as const
})

function mutated(value: Record<string, unknown>, how: number, other: unknown): unknown {
  const keys = Object.keys(value)
  const key = keys[how % Math.max(1, keys.length)]!
  switch (how % 5) {
    case 0: {
      const { [key]: _, ...rest } = value
      return rest
    }
    case 1:
      return typeof value[key] === 'number' ? { ...value, [key]: (value[key] as number) + (how % 2 ? 1 : -1) } : value
    case 2:
      return typeof other === 'object' ? { ...value, ...(withoutReferences(other) as object) } : value
    case 3:
      return Array.isArray(value[key]) && key !== 'prefixItems'
        ? { ...value, [key]: (value[key] as unknown[]).slice(0, 1) }
        : value
    default:
      return { anyOf: [value, withoutReferences(other)] }
  }
}

const { data } = fc.letrec<{ data: unknown }>(tie => ({
  data: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('data'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'd'), tie('data'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))

/** Whether every property is one that the schema names where it stands, which is what the comparison promises for. */
function allNamed(at: readonly Place[], value: unknown): boolean {
  const here = at.flatMap(closure)
  if (Array.isArray(value))
    return value.every((item, index) =>
      allNamed(
        here.flatMap(place => itemsOf(place).first[index] ?? itemsOf(place).rest ?? []),
        item,
      ),
    )
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, item]) => {
    const known = here.flatMap(place => [
      ...named(place, 'properties').filter(([own]) => own === name),
      ...named(place, 'patternProperties').filter(([pattern]) => new RegExp(pattern).test(name)),
    ])
    const others = here.flatMap(place => inner(place, 'additionalProperties') ?? [])
    const below = [...known.map(([, place]) => place), ...others]
    return below.length > 0 && allNamed(below, item)
  })
}

const closure = (place: Place): Place[] =>
  conjunction(place).flatMap(one => [
    one,
    ...['anyOf', 'oneOf'].flatMap(keyword => members(one, keyword)).flatMap(closure),
  ])

describe('S1 what the comparison calls compatible is so', () => {
  it('S1 data that fits the older version fits the newer one', () => {
    let [agreed, tried] = [0, 0]
    const holds = (older: unknown, newer: unknown, values: readonly unknown[]) => {
      const results = [compileSchema(older), compileSchema(newer)]
      if (results.some(({ kind }) => kind === 'bad')) return true
      const [before, now] = results.map(
        result => (result as { compiled: { schema: Schema; check(data: unknown, bytes: number): unknown[] } }).compiled,
      )
      if (breaksBetween(before!.schema, now!.schema).length > 0) return true
      agreed++
      const fitting = values.filter(
        value => before!.check(value, 1000).length === 0 && allNamed([rootOf(before!.schema)], value),
      )
      tried += fitting.length
      expect(fitting.filter(value => now!.check(value, 1000).length > 0)).toEqual([])
      return true
    }
    fc.assert(
      fc.property(changed, fc.array(data, { minLength: 30, maxLength: 30, size: 'max' }), ([older, newer], values) =>
        holds(older, newer, values),
      ),
      { numRuns: 150 },
    )
    // Otherwise nothing was tested.
    expect([agreed > 20, tried > 200]).toEqual([true, true])
  })

  it('S1 whatever its form, a schema is compatible with itself', () => {
    fc.assert(
      fc.property(whole, json => {
        const result = compileSchema(json)
        if (result.kind === 'bad') return
        expect(breaksBetween(result.compiled.schema, result.compiled.schema)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})
