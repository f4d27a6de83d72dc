import { arrayBreaks, objectBreaks } from './compatibility-parts.js'
import { boundBreaks, enumBreaks, fixedBreaks, typeBreaks, typesOf, unprovenBreaks } from './compatibility-values.js'
import type { Schema } from './read-schema.js'
import { conjunction, members, named, rootOf, same, target, valueOf, type Place } from './schema-view.js'

/** One way in which a newer version refuses what an older one allows. */
export interface Break {
  /** JSON Pointer into the newer schema; what is gone is named where it would be. */
  readonly pointer: string
  /** Where in the data, as a JSON Pointer in which `*` stands for any item or name. */
  readonly data: string
  readonly message: string
}

export type Compare = (olds: readonly Place[], newer: Place, data: string) => Break[]

/** Schemas that are compared, counted each time, before it is given up: about a second at worst. */
const MAX_STEPS = 20_000
const MAX_BREAKS = 50

/**
 * What the newer version refuses of the data that the older one allows. Empty means: whatever fits the older
 * version, and has no properties but those that it names, fits the newer one. The check is careful: what it
 * cannot show to be allowed it reports. Pure; costs milliseconds.
 */
export function breaksBetween(older: Schema, newer: Schema): Break[] {
  const comparison = new Comparison()
  try {
    return distinct(comparison.compare([rootOf(older)], rootOf(newer), '')).slice(0, MAX_BREAKS)
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error
    return [{ pointer: '', data: '', message: 'is too complex to be compared with the version before' }]
  }
}

class TooComplex extends Error {}

/** A schema that is used in many places breaks in all of them: told once, for the place nearest to the root. */
function distinct(breaks: readonly Break[]): Break[] {
  const nearest = new Map<string, Break>()
  for (const one of breaks) {
    const key = `${one.pointer} ${one.message}`
    if ((nearest.get(key)?.data.length ?? Infinity) > one.data.length) nearest.set(key, one)
  }
  return [...nearest.values()]
}

class Comparison {
  private steps = 0
  /** Pairs being compared further up: a schema that contains itself is compared once. */
  private readonly open = new Set<string>()
  private readonly known = new Map<string, readonly Break[]>()

  /** What `newer` refuses of what all of `given` allow. */
  readonly compare = (given: readonly Place[], newer: Place, data: string): Break[] => {
    const olds = given.flatMap(conjunction)
    this.steps += 1 + olds.length
    if (this.steps > MAX_STEPS) throw new TooComplex()
    if (newer.node === true || olds.some(({ node }) => node === false)) return []
    if (newer.node === false)
      return typesOf(olds).size === 0 ? [] : [{ pointer: newer.pointer, data, message: 'allows nothing any more' }]
    const key = `${olds.map(({ pointer, cut }) => `${pointer}${cut ?? ''}`).join(' ')} | ${newer.pointer}`
    if (this.open.has(key)) return []
    const unchanged = olds.some(old => old.pointer === newer.pointer && same(old, newer))
    const known = this.known.get(key) ?? (unchanged ? [] : this.cases(olds, newer, key))
    this.known.set(key, known)
    return known.map(one => ({ ...one, data: `${data}${one.data}` }))
  }

  /** As a whole, or else by each alternative of the older schemas on its own. */
  private cases(olds: readonly Place[], newer: Place, key: string): Break[] {
    this.open.add(key)
    const breaks = this.alternatives(olds, newer)
    this.open.delete(key)
    return breaks
  }

  private alternatives(olds: readonly Place[], newer: Place): Break[] {
    const whole = this.whole(olds, newer, '')
    if (whole.length === 0) return whole
    for (const old of olds)
      for (const keyword of ['anyOf', 'oneOf']) {
        const alternatives = members(old, keyword)
        if (alternatives.length === 0) continue
        const rest = olds.map(one => (one === old ? without(old, keyword) : one))
        return alternatives.flatMap(one => this.compare([...rest, one], newer, ''))
      }
    return whole
  }

  private whole(olds: readonly Place[], newer: Place, data: string): Break[] {
    const referred = target(newer)
    const values = [typeBreaks, enumBreaks, boundBreaks, fixedBreaks, unprovenBreaks].flatMap(breaks =>
      breaks(olds, newer).map(({ keyword, message }) => ({ pointer: `${newer.pointer}/${keyword}`, data, message })),
    )
    return [
      ...values,
      ...objectBreaks(olds, newer, data, this.compare),
      ...arrayBreaks(olds, newer, data, this.compare),
      ...(referred ? this.compare(olds, referred, data) : []),
      ...members(newer, 'allOf').flatMap(one => this.compare(olds, one, data)),
      ...this.anyOf(olds, newer, data),
      ...this.oneOf(olds, newer, data),
    ]
  }

  private anyOf(olds: readonly Place[], newer: Place, data: string): Break[] {
    const forms = members(newer, 'anyOf')
    return forms.length === 0 ? [] : this.someOf(olds, newer, 'anyOf', forms, data)
  }

  /** Where the forms exclude each other, fitting one of them is fitting exactly one. */
  private oneOf(olds: readonly Place[], newer: Place, data: string): Break[] {
    const forms = members(newer, 'oneOf')
    if (forms.length === 0 || olds.some(old => sameForms(members(old, 'oneOf'), forms))) return []
    const mayOverlap = forms.some((one, index) => forms.slice(index + 1).some(other => !excludes(one, other)))
    if (mayOverlap)
      return [{ pointer: `${newer.pointer}/oneOf`, data, message: 'has forms that may not exclude each other' }]
    return this.someOf(olds, newer, 'oneOf', forms, data)
  }

  private someOf(
    olds: readonly Place[],
    newer: Place,
    keyword: string,
    forms: readonly Place[],
    data: string,
  ): Break[] {
    const results = forms.map(form => this.compare(olds, form, data))
    if (results.some(breaks => breaks.length === 0)) return []
    const nearest = results.filter((_, index) => mayBeMeant(olds, forms[index]!))
    return nearest.length === 1
      ? nearest[0]!
      : [{ pointer: `${newer.pointer}/${keyword}`, data, message: 'has no form any more for what was allowed' }]
  }
}

function without(place: Place, keyword: string): Place {
  const { [keyword]: _, ...node } = place.node as Exclude<Place['node'], boolean>
  return { ...place, node, cut: `${place.cut ?? ''}-${keyword}` }
}

const sameForms = (before: readonly Place[], now: readonly Place[]) =>
  before.length === now.length && before.every((form, index) => same(form, now[index]!))

const mayBeMeant = (olds: readonly Place[], form: Place) =>
  typesOf([...olds, ...conjunction(form)]).size > 0 && !olds.some(old => excludes(old, form))

/** Whether no value fits both: by their types, or by a required property whose fixed values differ. */
function excludes(a: Place, b: Place): boolean {
  const [mine, yours] = [conjunction(a), conjunction(b)]
  const types = typesOf([...mine, ...yours])
  if (types.size === 0) return true
  if (types.size > 1 || !types.has('object')) return false
  const [here, there] = [fixedValues(mine), fixedValues(yours)]
  return [...here].some(([name, values]) => {
    const others = there.get(name)
    return others !== undefined && [...values].every(value => !others.has(value))
  })
}

function fixedValues(places: readonly Place[]): Map<string, Set<string>> {
  const required = new Set(places.flatMap(place => (valueOf(place, 'required') as readonly string[] | undefined) ?? []))
  const fixed = places.flatMap(place => named(place, 'properties')).filter(([name]) => required.has(name))
  return new Map(
    fixed.flatMap(([name, place]) => {
      const constant =
        typeof place.node === 'object' && Object.hasOwn(place.node, 'const') ? [place.node.const] : undefined
      const values = constant ?? (valueOf(place, 'enum') as readonly unknown[] | undefined)
      return values === undefined ? [] : [[name, new Set(values.map(value => JSON.stringify(value)))] as const]
    }),
  )
}
