import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compileSchema } from './compile-schema.js'
import { CHECK_LIMITS, SCHEMA_LIMITS } from './schema-limits.js'

function faults(schema: unknown): readonly { pointer: string; message: string }[] {
  const result = compileSchema(schema)
  return result.kind === 'bad' ? result.problems : []
}

function check(schema: unknown, data: unknown) {
  const result = compileSchema(schema)
  if (result.kind === 'bad') throw new Error(JSON.stringify(result.problems))
  return result.compiled.check(data, sizeOf(data))
}

/** Bytes of the data; what is too deep to be written counts as large. */
function sizeOf(data: unknown): number {
  try {
    return JSON.stringify(data)?.length ?? 0
  } catch {
    return 1_000_000
  }
}

const pointers = (problems: readonly { pointer: string }[]) => problems.map(({ pointer }) => pointer)

const deep = (levels: number, inner: unknown, wrap: (inner: unknown) => unknown): unknown =>
  levels === 0 ? inner : deep(levels - 1, wrap(inner), wrap)

describe('S1 a schema', () => {
  const order = {
    type: 'object',
    required: ['id', 'total'],
    properties: {
      id: { type: 'string', pattern: '^ord_[0-9a-z]+$' },
      total: { type: 'integer', minimum: 0 },
      lines: { type: 'array', items: { $ref: '#/$defs/line' } },
      'a/b~c': { type: 'boolean' },
    },
    additionalProperties: false,
    $defs: { line: { type: 'object', required: ['sku'], properties: { sku: { enum: ['A', 'B'] } } } },
  }

  it('S1 takes what fits', () => {
    expect(check(order, { id: 'ord_1', total: 3, lines: [{ sku: 'A' }], 'a/b~c': true })).toEqual([])
  })

  it('S1 holds each text and each name against the pattern that stands there, however many a schema has', () => {
    const patterns = ['^a', '^b', 'b$', '^[ab]+$']
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...patterns), fc.string({ unit: fc.constantFrom('a', 'b', 'c') }))),
        fc.constantFrom('https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#'),
        (texts, $schema) => {
          const properties = Object.fromEntries(texts.map(([pattern], n) => [`p${n}`, { pattern }]))
          const data = Object.fromEntries(texts.map(([, text], n) => [`p${n}`, text]))
          const wrong = texts.flatMap(([pattern, text], n) => (new RegExp(pattern).test(text) ? [] : [`/p${n}`]))
          expect(pointers(check({ $schema, properties }, data)).sort()).toEqual(wrong.sort())
          const named = Object.fromEntries(patterns.map(pattern => [pattern, { const: pattern }]))
          for (const [value, name] of texts) {
            const fits = patterns.every(pattern => pattern === value || !new RegExp(pattern).test(name))
            expect([name, check({ $schema, patternProperties: named }, { [name]: value }).length === 0]).toEqual([
              name,
              fits,
            ])
          }
        },
      ),
    )
  })

  it('S1 names every fault by its JSON Pointer', () => {
    const data = { id: 'x', lines: [{ sku: 'A' }, { sku: 'C' }, {}], 'a/b~c': 1, more: 1 }
    expect(check(order, data)).toEqual(
      expect.arrayContaining([
        { pointer: '/total', message: 'is required' },
        { pointer: '/more', message: 'is not allowed here' },
        { pointer: '/id', message: 'must match pattern "^ord_[0-9a-z]+$"' },
        { pointer: '/lines/1/sku', message: 'must be one of "A", "B"' },
        { pointer: '/lines/2/sku', message: 'is required' },
        { pointer: '/a~1b~0c', message: 'must be a boolean' },
      ]),
    )
  })

  it.each([
    [undefined, ''],
    [null, ''],
    [[], ''],
    ['{}', ''],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, '/$schema'],
    [{ $schema: 7 }, '/$schema'],
    [{ type: 'strin' }, '/type'],
    [{ required: 'a' }, '/required'],
    [{ minimum: '1' }, '/minimum'],
    [{ properties: [] }, '/properties'],
    [{ properties: { a: 7 } }, '/properties/a'],
    [{ items: [{}] }, '/items'],
    [{ allOf: {} }, '/allOf'],
    [{ multipleOf: 0 }, '/multipleOf'],
    [{ pattern: '(' }, '/pattern'],
    [{ $ref: 'https://example.com/schema' }, '/$ref'],
    [{ $ref: 'file:///etc/passwd' }, '/$ref'],
    [{ $ref: '#/$defs/gone' }, '/$ref'],
    [{ $ref: '#/properties', properties: {} }, '/$ref'],
    [{ $ref: '#name', $defs: { a: { $anchor: 'name' } } }, '/$defs/a/$anchor'],
    [{ $defs: { a: { $id: 'https://json-schema.org/draft/2020-12/schema' } } }, '/$defs/a/$id'],
    [{ $dynamicRef: '#x' }, '/$dynamicRef'],
    [JSON.parse('{"properties":{"__proto__":{}}}'), '/properties/__proto__'],
  ])('S1 is refused with the place: %j', (schema, pointer) => {
    expect(pointers(faults(schema))).toContain(pointer)
  })

  it('S1 may be a boolean, or say its own name', () => {
    expect([check(true, 1), pointers(check(false, 1))]).toEqual([[], ['']])
    expect(check({ $id: 'https://json-schema.org/draft/2020-12/schema', type: 'string' }, 'a')).toEqual([])
  })

  it('S1 is told which of its keywords mean nothing', () => {
    const result = compileSchema({ requird: ['a'], format: 'colour', dependencies: {}, 'x-owner': 'team', title: 'T' })
    expect(result.kind === 'compiled' && result.compiled.schema.warnings).toEqual([
      { pointer: '/requird', message: 'is ignored: no such keyword' },
      { pointer: '/format', message: 'is ignored: no such format' },
      { pointer: '/dependencies', message: 'is ignored: not a keyword of 2020-12' },
    ])
  })

  it('S1 of draft-07 keeps the meaning that it has there', () => {
    const $schema = 'http://json-schema.org/draft-07/schema#'
    const tuple = { $schema, items: [{ type: 'string' }], additionalItems: false, dependencies: { a: ['b'] } }
    expect(pointers(check(tuple, ['a', 'b']))).toEqual([''])
    expect(pointers(check(tuple, { a: 1 }))).toEqual(['/b'])
    const beside = { $schema, properties: { a: { $ref: '#/definitions/s', maxLength: 1 } }, definitions: { s: {} } }
    expect(check(beside, { a: 'long' })).toEqual([])
    expect(pointers(check({ ...beside, $schema: undefined, $defs: {} }, { a: 'long' }))).toEqual(['/a'])
  })

  it('S1 is not met by what every object inherits', () => {
    expect(pointers(check({ required: ['toString', 'constructor'] }, {}))).toEqual(['/toString', '/constructor'])
    const fixed = { anyOf: [{ const: { a: [1] } }, { enum: [{ b: 2, a: 1 }, 7] }] }
    expect([{ a: [1] }, { a: 1, b: 2 }, 7].map(data => check(fixed, data))).toEqual([[], [], []])
    for (const data of [{ toString: 1 }, { valueOf: {} }, { constructor: null }, { toJSON: 1 }, {}, [], null, 8])
      expect([data, new Set(pointers(check(fixed, data)))]).toEqual([data, new Set([''])])
    const closed = { additionalProperties: false, properties: { a: {} } }
    expect(pointers(check(closed, JSON.parse('{"__proto__":1}')))).toEqual(['/__proto__'])
  })
})

describe('S1 the limits of a schema', () => {
  it.each([
    ['bytes', { description: 'x'.repeat(SCHEMA_LIMITS.bytes) }, ''],
    ['depth', deep(SCHEMA_LIMITS.depth, {}, not => ({ not })), ''],
    ['depth beyond any stack', deep(10, JSON.parse('['.repeat(90_000) + ']'.repeat(90_000)), not => ({ not })), ''],
    ['subschemas', { allOf: Array(SCHEMA_LIMITS.subschemas).fill({}) }, ''],
    ['enum', { enum: Array.from({ length: SCHEMA_LIMITS.enumEntries + 1 }, (_, i) => i) }, '/enum'],
    ['length of a pattern', { pattern: 'a'.repeat(SCHEMA_LIMITS.patternLength + 1) }, '/pattern'],
    ['size of a pattern', { pattern: '(a{1,100}){1,50}' }, '/pattern'],
    ['size of a name', { patternProperties: { '(a{1,100}){1,50}': {} } }, '/patternProperties/(a{1,100}){1,50}'],
    ['look-ahead', { pattern: '(?=a)b' }, '/pattern'],
    ['back reference', { pattern: '(a)\\1' }, '/pattern'],
    [
      'patterns',
      { allOf: Array.from({ length: SCHEMA_LIMITS.patterns + 1 }, (_, i) => ({ pattern: `a{${i}}` })) },
      `/allOf/${SCHEMA_LIMITS.patterns}/pattern`,
    ],
    ['itself', { $ref: '#' }, ''],
    [
      'itself in a circle',
      { $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } },
      '/$defs/a',
    ],
  ])('S1 %s', (_name, schema, pointer) => {
    expect(pointers(faults(schema))).toContain(pointer)
  })

  it('S1 lets a schema refer to itself deeper in the data', () => {
    const tree = { type: 'object', properties: { left: { $ref: '#' }, right: { $ref: '#' }, v: { type: 'number' } } }
    expect(pointers(check(tree, { left: { right: { v: 'x' } } }))).toEqual(['/left/right/v'])
  })
})

describe('S1 the limits of a check: what takes too long is a fault, and the process lives', () => {
  const tooLong = [{ pointer: '', message: 'takes too long to check against its schema' }]

  it('S1 branching at every level of the data', () => {
    const branch = { properties: { a: { $ref: '#/$defs/n' } }, required: ['a'] }
    const doubling = { $ref: '#/$defs/n', $defs: { n: { anyOf: [branch, branch, { type: 'null' }] } } }
    expect(
      check(
        doubling,
        deep(50, 1, a => ({ a })),
      ),
    ).toEqual(tooLong)
  })

  it('S1 branching within one value', () => {
    const defs = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`d${i}`, { anyOf: Array(2).fill({ $ref: `#/$defs/d${i + 1}` }) }]),
    )
    expect(check({ $ref: '#/$defs/d0', $defs: { ...defs, d40: { type: 'null' } } }, 1)).toEqual(tooLong)
  })

  it('S1 data nested deeper than the stack', () => {
    const nested = JSON.parse('{"a":'.repeat(40_000) + '1' + '}'.repeat(40_000))
    expect(check({ properties: { a: { $ref: '#' } } }, nested)).toEqual(tooLong)
  })

  it('S1 expressions that backtrack elsewhere', () => {
    expect(pointers(check({ pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}b`))).toEqual([''])
    expect(pointers(check({ pattern: '(?:a|c)[abc]{500}[xy]' }, 'abc'.repeat(80_000)))).toEqual([''])
    expect(pointers(check({ format: 'email' }, 'a'.repeat(200_000)))).toEqual([''])
  })

  it('S1 many items that must differ', () => {
    const items = Array.from({ length: 60_000 }, (_, i) => ({ b: i, a: [] }))
    expect(check({ uniqueItems: true }, items)).toEqual([])
    expect(check({ uniqueItems: true }, [...items, { a: [], b: 7 }])).toEqual([
      { pointer: '', message: 'must not have the same item twice' },
    ])
    expect(check({ uniqueItems: false }, [1, 1])).toEqual([])
  })

  it('S1 tells a bounded number of faults of an event that is all wrong', () => {
    const problems = check({ items: { type: 'string' } }, Array(5000).fill(1))
    expect(problems).toHaveLength(CHECK_LIMITS.faults)
    expect(pointers(check({ items: { type: 'string' } }, Array(400_000).fill(1)))).toEqual(['/0'])
  })

  it('S1 checks the largest plain event', () => {
    expect(check({ items: { type: 'integer' } }, Array(460_000).fill(1))).toEqual([])
  })
})

describe('S1 whatever is sent as a schema', () => {
  it.each<[object, string]>([
    [{ type: [{}, { toString: 'x' }] }, '/type/0'],
    [{ $schema: 'http://json-schema.org/draft-07/schema#', type: [{}, { valueOf: 'x' }] }, '/type/0'],
    [{ properties: { a: { required: [{ toString: 1 }, { toString: 1 }] } } }, '/properties/a/required/0'],
  ])('S1 %j is refused by where it is wrong', (schema, pointer) => {
    const result = compileSchema(schema)
    const problems = result.kind === 'bad' ? result.problems : []
    expect(problems.map(problem => problem.pointer)).toContain(pointer)
  })

  it('S1 may not name a type twice', () => {
    expect(compileSchema({ type: ['string', 'string'] })).toMatchObject({
      kind: 'bad',
      problems: [{ pointer: '/type' }],
    })
  })

  const nasty = fc.constantFrom(
    ...[
      '"',
      "'",
      '`${x}`',
      '\\',
      '\n',
      '\u2028',
      '*/',
      '//',
      '</script>',
      '$data',
      '$async',
      'id',
      'nullable',
      'constructor',
    ],
    ...['prototype', 'toString', '__proto__', '~', '/', '%', '%25', '#', '', 'a"]; throw 1; //'],
  )
  const keyword = fc.constantFrom(
    ...[
      'type',
      'properties',
      'items',
      'prefixItems',
      'allOf',
      'anyOf',
      'oneOf',
      'not',
      'if',
      'then',
      'else',
      '$ref',
      '$id',
    ],
    ...[
      '$defs',
      'definitions',
      'enum',
      'const',
      'required',
      'pattern',
      'patternProperties',
      'format',
      'minimum',
      'contains',
    ],
    ...['minContains', 'additionalProperties', 'dependentRequired', 'dependencies', 'uniqueItems', 'unevaluatedItems'],
    ...['unevaluatedProperties', 'propertyNames', 'multipleOf', 'maxLength', '$schema', '$anchor', 'discriminator'],
  )
  const leaf = fc.oneof(
    nasty,
    fc.constantFrom('string', 'object', 'array', '#', '#/$defs/a', '^a+$', '(', 'uri', 'date-time', 0, -1, 1.5, 1e300),
    fc.boolean(),
    fc.constant(null),
  )
  const { json } = fc.letrec<{ json: unknown }>(tie => ({
    json: fc.oneof(
      { depthSize: 'medium' },
      leaf,
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(keyword, nasty), tie('json'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  const schema = fc.dictionary(keyword, json, { maxKeys: 4, noNullPrototype: true })
  const named = nasty.map(name => ({
    properties: { [name]: { const: name } },
    required: [name],
    enum: [{ [name]: name }],
  }))

  it('S1 is compiled or refused, and a check of whatever is sent ends', () => {
    let compiled = 0
    fc.assert(
      fc.property(fc.oneof(schema, named), json, (one, data) => {
        const result = compileSchema(JSON.parse(JSON.stringify(one)))
        if (result.kind === 'bad') return expect(result.problems.length).toBeGreaterThan(0)
        compiled++
        expect(Array.isArray(result.compiled.check(data, 1000))).toBe(true)
      }),
      { numRuns: 1000 },
    )
    expect(compiled).toBeGreaterThan(100)
  })

  it('S1 says what is wrong with it: it never fails in the compiler', () => {
    fc.assert(
      fc.property(schema, one => {
        const result = compileSchema(JSON.parse(JSON.stringify(one)))
        expect(result.kind === 'bad' ? result.problems.map(({ message }) => message).join() : '').not.toMatch(
          /cannot be compiled/,
        )
      }),
      { numRuns: 1000 },
    )
  })
})
