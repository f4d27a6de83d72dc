import { FORMATS } from './schema-formats.js'
import { numberOf, same, valueOf, matches, type Place } from './schema-view.js'
import { within } from './check-budget.js'

/** What the keywords of single values of the newer schema refuse although the older ones allow it. */
export interface ValueBreak {
  readonly keyword: string
  readonly message: string
}

const ALL_TYPES = ['null', 'boolean', 'integer', 'fraction', 'string', 'array', 'object'] as const
export type ValueType = (typeof ALL_TYPES)[number]

/** Types that a value may have under all of the schemas at once. */
export function typesOf(places: readonly Place[]): Set<ValueType> {
  let types = new Set<ValueType>(ALL_TYPES)
  for (const place of places) {
    const declared = valueOf(place, 'type')
    if (declared !== undefined) types = common(types, [declared].flat().flatMap(expanded))
    const values = valuesOf([place])
    if (values !== undefined) types = common(types, values.map(typeOf))
    if (place.node === false) types = new Set()
  }
  return types
}

const common = (types: ReadonlySet<ValueType>, others: readonly ValueType[]) =>
  new Set(others.filter(type => types.has(type)))

const expanded = (type: unknown): ValueType[] => (type === 'number' ? ['integer', 'fraction'] : [type as ValueType])

function typeOf(value: unknown): ValueType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'fraction'
  return typeof value as ValueType
}

/** The values that all enums and consts leave; undefined when nothing limits them. */
function valuesOf(places: readonly Place[]): unknown[] | undefined {
  let values: unknown[] | undefined
  for (const place of places) {
    const isConst = typeof place.node !== 'boolean' && Object.hasOwn(place.node, 'const')
    for (const list of [isConst ? [valueOf(place, 'const')] : undefined, valueOf(place, 'enum')]) {
      if (!Array.isArray(list)) continue
      const kept = new Set(list.map(text))
      values = values === undefined ? list : values.filter(value => kept.has(text(value)))
    }
  }
  return values
}

const shown = (types: Iterable<ValueType>) => {
  const names = new Set(types)
  const whole = names.has('integer') && names.has('fraction')
  return [...names]
    .filter(name => !(whole && name === 'integer'))
    .map(name => (name === 'fraction' ? (whole ? 'number' : 'number with a fraction') : name))
    .join(', ')
}

export function typeBreaks(olds: readonly Place[], newer: Place): ValueBreak[] {
  const declared = valueOf(newer, 'type')
  if (declared === undefined) return []
  const kept = new Set([declared].flat().flatMap(expanded))
  const gone = [...typesOf(olds)].filter(type => !kept.has(type))
  return gone.length === 0 ? [] : [{ keyword: 'type', message: `no longer takes ${shown(gone)}` }]
}

export function enumBreaks(olds: readonly Place[], newer: Place): ValueBreak[] {
  const allowed = valuesOf([newer])
  if (allowed === undefined) return []
  const keyword = valueOf(newer, 'enum') === undefined ? 'const' : 'enum'
  const known = valuesOf(olds)
  if (known === undefined) return [{ keyword, message: 'limits the values, which were free' }]
  const kept = new Set(allowed.map(text))
  const gone = known.filter(value => !kept.has(text(value)))
  return gone.length === 0 ? [] : [{ keyword, message: `no longer takes ${gone.map(text).join(', ').slice(0, 200)}` }]
}

const text = (value: unknown) => JSON.stringify(value)

/** Keywords that a number limits: which types they speak of, and whether a larger limit allows more. */
const BOUNDS: readonly (readonly [keyword: string, types: readonly ValueType[], wider: 1 | -1])[] = [
  ['minimum', ['integer', 'fraction'], -1],
  ['exclusiveMinimum', ['integer', 'fraction'], -1],
  ['maximum', ['integer', 'fraction'], 1],
  ['exclusiveMaximum', ['integer', 'fraction'], 1],
  ['minLength', ['string'], -1],
  ['maxLength', ['string'], 1],
  ['minItems', ['array'], -1],
  ['maxItems', ['array'], 1],
  ['minProperties', ['object'], -1],
  ['maxProperties', ['object'], 1],
]

export function boundBreaks(olds: readonly Place[], newer: Place): ValueBreak[] {
  const types = typesOf(olds)
  return BOUNDS.flatMap(([keyword, about, wider]) => {
    const limit = numberOf(newer, keyword)
    if (limit === undefined || !about.some(type => types.has(type))) return []
    // A length or a count is never under 0.
    if (limit === 0 && keyword.startsWith('min') && keyword !== 'minimum') return []
    if (olds.some(old => isWithin(old, keyword, limit, wider))) return []
    if (valuesOf(olds)?.every(value => valueIsWithin(value, keyword, limit))) return []
    return [{ keyword, message: `is now ${limit}: values that were allowed are refused` }]
  })
}

function isWithin(old: Place, keyword: string, limit: number, wider: 1 | -1): boolean {
  const inside = (bound: number | undefined, strictly = false) =>
    bound !== undefined && (strictly ? (limit - bound) * wider > 0 : (limit - bound) * wider >= 0)
  if (keyword === 'minProperties' && ((valueOf(old, 'required') as unknown[] | undefined)?.length ?? 0) >= limit)
    return true
  switch (keyword) {
    case 'minimum':
      return inside(numberOf(old, 'minimum')) || inside(numberOf(old, 'exclusiveMinimum'))
    case 'maximum':
      return inside(numberOf(old, 'maximum')) || inside(numberOf(old, 'exclusiveMaximum'))
    case 'exclusiveMinimum':
      return inside(numberOf(old, 'exclusiveMinimum')) || inside(numberOf(old, 'minimum'), true)
    case 'exclusiveMaximum':
      return inside(numberOf(old, 'exclusiveMaximum')) || inside(numberOf(old, 'maximum'), true)
    default:
      return inside(numberOf(old, keyword))
  }
}

function valueIsWithin(value: unknown, keyword: string, limit: number): boolean {
  const size = typeof value === 'string' ? [...value].length : undefined
  switch (keyword) {
    case 'minimum':
      return typeof value !== 'number' || value >= limit
    case 'maximum':
      return typeof value !== 'number' || value <= limit
    case 'exclusiveMinimum':
      return typeof value !== 'number' || value > limit
    case 'exclusiveMaximum':
      return typeof value !== 'number' || value < limit
    case 'minLength':
      return size === undefined || size >= limit
    case 'maxLength':
      return size === undefined || size <= limit
    default:
      return typeof value !== 'object' || value === null
  }
}

/** multipleOf, pattern, format and uniqueItems: kept as they were, or not there before. */
export function fixedBreaks(olds: readonly Place[], newer: Place): ValueBreak[] {
  const types = typesOf(olds)
  const breaks: ValueBreak[] = []
  const values = valuesOf(olds)
  const step = numberOf(newer, 'multipleOf')
  const numbers = types.has('integer') || types.has('fraction')
  if (step !== undefined && numbers && !olds.some(old => (numberOf(old, 'multipleOf') ?? NaN) % step === 0))
    if (!(step === 1 && !types.has('fraction'))) breaks.push({ keyword: 'multipleOf', message: `is now ${step}` })
  for (const keyword of ['pattern', 'format'] as const) {
    const wanted = valueOf(newer, keyword)
    if (typeof wanted !== 'string' || !types.has('string') || olds.some(old => valueOf(old, keyword) === wanted))
      continue
    if (values?.every(value => typeof value !== 'string' || hasForm(keyword, wanted, value))) continue
    breaks.push({ keyword, message: `is now ${JSON.stringify(wanted)}: texts that were allowed may not fit it` })
  }
  if (
    valueOf(newer, 'uniqueItems') === true &&
    types.has('array') &&
    !olds.some(old => valueOf(old, 'uniqueItems') === true)
  )
    breaks.push({ keyword: 'uniqueItems', message: 'refuses items that occur twice, which were allowed' })
  return breaks
}

function hasForm(keyword: 'pattern' | 'format', form: string, value: string): boolean {
  if (keyword === 'pattern') return matches(form, value)
  const held = within(Infinity, () => FORMATS.get(form)!(value))
  return held.kind === 'done' && held.value
}

/** Keywords that cannot be compared, only found again: what they refuse depends on more than themselves. */
export function unprovenBreaks(olds: readonly Place[], newer: Place): ValueBreak[] {
  const whole = ['unevaluatedProperties', 'unevaluatedItems', 'if', 'not', 'contains'].filter(
    keyword => valueOf(newer, keyword) !== undefined,
  )
  if (whole.length === 0 || olds.some(old => same(old, newer))) return []
  return whole
    .filter(keyword => !(keyword === 'not' || keyword === 'contains') || !olds.some(old => keeps(old, newer, keyword)))
    .map(keyword => ({ keyword, message: 'cannot be shown to take all that was allowed before' }))
}

function keeps(old: Place, newer: Place, keyword: 'not' | 'contains'): boolean {
  const [before, now] = [old, newer].map(place => ({
    ...place,
    node: part(place, keyword),
    pointer: `${place.pointer}/${keyword}`,
  }))
  if (before!.node === undefined || !same(before as Place, now as Place)) return false
  const counts = ['minContains', 'maxContains']
  return keyword === 'not' || counts.every(count => valueOf(old, count) === valueOf(newer, count))
}

const part = (place: Place, keyword: string) => valueOf(place, keyword) as Place['node'] | undefined
