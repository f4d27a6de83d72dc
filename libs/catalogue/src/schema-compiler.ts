import { _, Ajv, type KeywordCxt, type Options, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { budget, spend } from './check-budget.js'
import { isObject, type Schema, type SchemaNode } from './read-schema.js'
import { LinearExpression } from './regular-expression.js'
import { FORMATS } from './schema-formats.js'
import { IN_PLACE, type Dialect } from './schema-keywords.js'

/** Stands in every schema that is compiled, with what applying it once costs. No customer's keyword has its name. */
const STEP = 'posthorn:step'
/**
 * Stand for const and enum where a value of theirs is an object or an array: ajv compares such by calling the
 * data's own toString and valueOf, which in `{"toString": 1}` are no functions.
 */
const SAME = { const: 'posthorn:const', enum: 'posthorn:enum' } as const
/** Entries of a list of names or values that are looked at in the time of one step. */
const ENTRIES_PER_STEP = 8
const TEXT_PER_STEP = 64

const OPTIONS: Options = {
  strict: false,
  logger: false,
  // ajv would copy what is referred to into each place: code that grows with the square of the schema.
  inlineRefs: false,
  // Otherwise {"required": ["toString"]} is met by every object.
  ownProperties: true,
}

const CLASSES = { '2020-12': Ajv2020, 'draft-07': Ajv } as const satisfies Record<Dialect, unknown>

/** They check schemas against the schema of their own dialect; made once, when first needed. */
const metaSchemas = new Map<Dialect, Ajv>()

export function metaSchemaOf(dialect: Dialect): Ajv {
  const made =
    metaSchemas.get(dialect) ?? withOwnUnique(withFormats(new CLASSES[dialect]({ ...OPTIONS, allErrors: true })))
  metaSchemas.set(dialect, made)
  return made
}

/**
 * The schema as a function, which ajv makes out of generated code. An ajv of its own each time: a shared one
 * would keep every schema that it has seen. Never done per event: it takes milliseconds.
 */
export function compile(schema: Schema, allErrors: boolean): ValidateFunction {
  const options = { ...OPTIONS, allErrors, meta: false, validateSchema: false }
  const ajv = withOwnUnique(withFormats(new CLASSES[schema.dialect]({ ...options, code: { regExp: linear } })))
  for (const keyword of Object.values(SAME))
    ajv.addKeyword({ keyword, schemaType: 'array', compile: oneOf, errors: false })
  // Before the first rule: a schema that fails must have been counted too.
  ajv.addKeyword({ keyword: STEP, schemaType: 'number', before: '$ref', code: countDown })
  return ajv.compile(counted(schema))
}

/**
 * Written into the generated code: a call would cost more than the counting. What fails by its type alone is not
 * reached by this, so that its parent pays for it: schemas of the same value by its weight, those of `contains`,
 * which goes on after an item that fails, by the length of the array.
 */
function countDown({ gen, data, schema, parentSchema }: KeywordCxt): void {
  const left = gen.scopeValue('obj', { ref: budget })
  const items = parentSchema.contains === undefined ? _`` : _` + (Array.isArray(${data}) ? ${data}.length : 0)`
  gen.code(_`if ((${left}.left -= ${schema as number}${items}) < 0) throw ${left}.spent`)
}

const linear = Object.assign(
  (pattern: string) => {
    const expression = new LinearExpression(pattern)
    return {
      test: (text: string) => {
        spend(expression.cost(text))
        return expression.test(text)
      },
      // By it ajv takes two for the same: without one of its own, all patterns of a schema would be the first.
      toString: () => pattern,
    }
  },
  { code: 'linear' },
)

/**
 * ajv's own compares each item with each other: 256 KiB of `{}` would take a minute. And it does by calling the
 * items' own toString and valueOf, which stops at `[{}, {"toString": 1}]`.
 */
function withOwnUnique(ajv: Ajv): Ajv {
  ajv.removeKeyword('uniqueItems')
  return ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: unique,
    errors: false,
  })
}

function unique(wanted: boolean, items: readonly unknown[]): boolean {
  if (!wanted) return true
  const seen = new Set<string>()
  for (const item of items) {
    const text = canonical(item)
    spend(1 + Math.floor(text.length / TEXT_PER_STEP))
    if (seen.has(text)) return false
    seen.add(text)
  }
  return true
}

function oneOf(values: readonly unknown[]): (value: unknown) => boolean {
  const texts = new Set(values.map(canonical))
  return value => {
    const text = canonical(value)
    spend(1 + Math.floor(text.length / TEXT_PER_STEP))
    return texts.has(text)
  }
}

/** Equal values of JSON, and only they, have the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}

/** The formats are assertions here. */
function withFormats(ajv: Ajv): Ajv {
  for (const [name, validate] of FORMATS) ajv.addFormat(name, { type: 'string', validate })
  return ajv
}

/** A copy in which every schema says what it costs. */
function counted({ root, nodes }: Schema): SchemaNode {
  const schemas = new Set<unknown>(nodes.values())
  const copyOf = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copyOf)
    if (!isObject(value)) return value
    const copy = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copyOf(inner)]))
    return schemas.has(value) ? { [STEP]: weightOf(value), ...withOwnEquality(copy) } : copy
  }
  return copyOf(root) as SchemaNode
}

function withOwnEquality({ const: constant, enum: values, ...rest }: Record<string, unknown>): Record<string, unknown> {
  const isDeep = (value: unknown) => typeof value === 'object' && value !== null
  const list = Array.isArray(values) ? (values as unknown[]) : []
  return {
    ...rest,
    ...(constant === undefined ? {} : isDeep(constant) ? { [SAME.const]: [constant] } : { const: constant }),
    ...(values === undefined ? {} : list.some(isDeep) ? { [SAME.enum]: list } : { enum: values }),
  }
}

function weightOf(node: Record<string, unknown>): number {
  const lists = [node.enum, node.required, node.properties, node.dependentRequired]
  const entries = lists.reduce<number>((sum, list) => sum + (list === undefined ? 0 : sizeOf(list)), 0)
  const same = Object.entries(node).reduce((sum, [name, value]) => sum + (IN_PLACE.has(name) ? sizeOf(value) : 0), 0)
  return 1 + same + Math.floor(entries / ENTRIES_PER_STEP)
}

const sizeOf = (value: unknown): number => (typeof value === 'object' && value !== null ? Object.keys(value).length : 1)
