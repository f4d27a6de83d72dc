import { escapePointer } from '@posthorn/webhook'
import type { Break, Compare } from './compatibility.js'
import { typesOf } from './compatibility-values.js'
import { dependentNames, dependentSchemas, inner, itemsOf, matches, named, valueOf, type Place } from './schema-view.js'

const at = (data: string, name: string) => `${data}/${escapePointer(name)}`

/** What the older schemas say about a property; `isNamed` when one of them knows it by name or pattern. */
function propertyOf(olds: readonly Place[], name: string): { readonly places: Place[]; readonly isNamed: boolean } {
  const places: Place[] = []
  let isNamed = false
  for (const old of olds) {
    const own = [
      ...named(old, 'properties').filter(([known]) => known === name),
      ...named(old, 'patternProperties').filter(([pattern]) => matches(pattern, name)),
    ].map(([, place]) => place)
    isNamed ||= own.length > 0
    const others = own.length > 0 ? undefined : inner(old, 'additionalProperties')
    places.push(...own, ...(others ? [others] : []))
  }
  return { places, isNamed }
}

/** The parts of an object. A property that the older version does not name was not sent: see docs/event-types.md. */
export function objectBreaks(olds: readonly Place[], newer: Place, data: string, compare: Compare): Break[] {
  if (!typesOf(olds).has('object')) return []
  return [
    ...requiredBreaks(olds, newer, data),
    ...namedBreaks(olds, newer, data, compare),
    ...otherBreaks(olds, newer, data, compare),
    ...nameBreaks(olds, newer, data, compare),
    ...dependentBreaks(olds, newer, data, compare),
  ]
}

const requiredOf = (place: Place) => (valueOf(place, 'required') as readonly string[] | undefined) ?? []

function requiredBreaks(olds: readonly Place[], newer: Place, data: string): Break[] {
  const before = new Set(olds.flatMap(requiredOf))
  return requiredOf(newer)
    .filter(name => !before.has(name))
    .map(name => ({
      pointer: `${newer.pointer}/required`,
      data: at(data, name),
      message: `now requires ${JSON.stringify(name)}`,
    }))
}

function namedBreaks(olds: readonly Place[], newer: Place, data: string, compare: Compare): Break[] {
  const known = new Set(olds.flatMap(old => named(old, 'properties').map(([name]) => name)))
  const direct = named(newer, 'properties').flatMap(([name, place]) => {
    const { places } = propertyOf(olds, name)
    return places.length === 0 ? [] : compare(places, place, at(data, name))
  })
  const patterned = named(newer, 'patternProperties').flatMap(([pattern, place]) => {
    const fitting = [...known].filter(name => matches(pattern, name))
    // Whether two expressions share a name is not decided here: each older one is taken to do so.
    const loose = olds.flatMap(old => [
      ...named(old, 'patternProperties').map(([, older]) => older),
      ...[inner(old, 'additionalProperties')].filter(other => other !== undefined),
    ])
    return [
      ...fitting.flatMap(name => compare(propertyOf(olds, name).places, place, at(data, name))),
      ...loose.flatMap(older => compare([older], place, at(data, '*'))),
    ]
  })
  return [...direct, ...patterned]
}

/** Properties that the newer schema leaves to additionalProperties. */
function otherBreaks(olds: readonly Place[], newer: Place, data: string, compare: Compare): Break[] {
  const others = inner(newer, 'additionalProperties')
  if (others === undefined || others.node === true) return []
  const names = new Set(named(newer, 'properties').map(([name]) => name))
  const patterns = named(newer, 'patternProperties').map(([pattern]) => pattern)
  const gone = [...new Set(olds.flatMap(old => named(old, 'properties').map(([name]) => name)))].filter(
    name => !names.has(name) && !patterns.some(pattern => matches(pattern, name)),
  )
  const removed = gone.flatMap(name =>
    compare(propertyOf(olds, name).places, others, at(data, name)).map(one =>
      others.node === false && one.pointer === others.pointer
        ? { ...one, pointer: `${newer.pointer}/properties/${escapePointer(name)}`, message: GONE }
        : one,
    ),
  )
  const loose = olds.flatMap(old => named(old, 'patternProperties')).filter(([pattern]) => !patterns.includes(pattern))
  const unnamed = olds.map(old => inner(old, 'additionalProperties')).filter(other => other !== undefined)
  return [
    ...removed,
    ...loose.flatMap(([, older]) => compare([older], others, at(data, '*'))),
    ...(unnamed.length === 0
      ? [{ pointer: others.pointer, data: at(data, '*'), message: 'limits properties that have no name here' }]
      : compare(unnamed, others, at(data, '*'))),
  ]
}

const GONE = 'is gone, and additionalProperties refuses it'

function nameBreaks(olds: readonly Place[], newer: Place, data: string, compare: Compare): Break[] {
  const names = inner(newer, 'propertyNames')
  if (names === undefined) return []
  const before = olds.map(old => inner(old, 'propertyNames')).filter(one => one !== undefined)
  // A name is a string, whatever its schema says.
  const text: Place = { whole: newer.whole, node: { type: 'string' }, pointer: 'string' }
  return compare([text, ...before], names, at(data, '*'))
}

function dependentBreaks(olds: readonly Place[], newer: Place, data: string, compare: Compare): Break[] {
  const required = new Set(olds.flatMap(requiredOf))
  const keyword = newer.whole.dialect === '2020-12' ? 'dependentRequired' : 'dependencies'
  const lists = [...dependentNames(newer)].flatMap(([name, needs]) => {
    if (!propertyOf(olds, name).isNamed) return []
    const before = new Set(olds.flatMap(old => dependentNames(old).get(name) ?? []))
    return needs
      .filter(need => !required.has(need) && !before.has(need))
      .map(need => ({
        pointer: `${newer.pointer}/${keyword}/${escapePointer(name)}`,
        data: at(data, need),
        message: `now requires ${JSON.stringify(need)} beside ${JSON.stringify(name)}`,
      }))
  })
  const schemas = dependentSchemas(newer).flatMap(([name, place]) => {
    const before = olds.flatMap(old => dependentSchemas(old)).filter(([known]) => known === name)
    return compare([...olds, ...before.map(([, older]) => older)], place, data)
  })
  return [...lists, ...schemas]
}

/** The parts of an array. */
export function arrayBreaks(olds: readonly Place[], newer: Place, data: string, compare: Compare): Break[] {
  if (!typesOf(olds).has('array')) return []
  const { first, rest } = itemsOf(newer)
  const at = (index: number) => olds.flatMap(old => itemsOf(old).first[index] ?? itemsOf(old).rest ?? [])
  const positions = first.flatMap((place, index) => compare(at(index), place, `${data}/${index}`))
  if (rest === undefined) return positions
  const longest = Math.max(0, ...olds.map(old => itemsOf(old).first.length))
  const beyond = Array.from({ length: Math.max(1, longest - first.length + 1) }, (_, i) => first.length + i)
  return [...positions, ...beyond.flatMap(index => compare(at(index), rest, `${data}/*`))]
}
