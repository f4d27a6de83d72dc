import { describe, expect, it } from '@jest/globals'
import { EventFields } from './event-fields.js'
import { ExactIndex } from './exact-index.js'
import { compileFilter, type ExactField } from './filter.js'

const field = (filter: Record<string, unknown>): ExactField => compileFilter(filter).exact[0]![0]!
const attributes = { tenant: 't', id: '1', source: '/s', type: 'a', time: '2026-01-31T12:00:00Z' }

function found(index: ExactIndex<number>, data: unknown): number[] {
  const entries = new Set<number>()
  const event = { ...attributes, contenttype: 'application/json' }
  index.visit(new EventFields(event, Buffer.from(JSON.stringify(data))), entry => entries.add(entry))
  return [...entries].sort((a, b) => a - b)
}

describe('ExactIndex', () => {
  it('visits only the entries that want a value the event has', () => {
    const index = new ExactIndex<number>()
    for (let i = 0; i < 100; i++) index.add(field({ data: { order: { customer: [`c${i}`, 'any'] } } }), i)
    index.add(field({ data: { order: { customer: [7, null] } } }), 100)
    index.add(field({ data: { ip: ['10.0.0.1'] } }), 101)
    index.add(field({ source: ['/s'] }), 102)
    expect(found(index, { order: { customer: 'c5' } })).toEqual([5, 102])
    expect(found(index, { order: [{ customer: ['c1', 'c2'] }, { customer: 7 }] })).toEqual([1, 2, 100, 102])
    expect(found(index, { order: { customer: '7' }, ip: '::ffff:a00:1' })).toEqual([101, 102])
    expect(found(index, { order: { customer: 'any' } })).toHaveLength(101)
    expect(found(index, [])).toEqual([102])
  })

  it('finds members of an object that has fewer of them than are wanted', () => {
    const index = new ExactIndex<number>()
    for (let i = 0; i < 50; i++) index.add(field({ data: { [`f${i}`]: [1] } }), i)
    expect(found(index, { f3: 1, f49: 1, f5: 2, other: 1 })).toEqual([3, 49])
  })

  it('keeps nothing of what was removed', () => {
    const index = new ExactIndex<number>()
    const both = field({ data: { a: ['x', '10.0.0.1'] } })
    const one = field({ data: { a: ['x'], b: [{ prefix: '' }] } })
    index.add(both, 1)
    index.add(one, 2)
    index.remove(both, 1)
    index.remove(both, 1)
    expect(found(index, { a: ['x', '10.0.0.1'] })).toEqual([2])
    expect(index.isEmpty).toBe(false)
    index.remove(one, 2)
    expect(index.isEmpty).toBe(true)
  })

  it('expects few events to have a rare value of a field of many values', () => {
    const index = new ExactIndex<number>()
    const kind = field({ data: { kind: ['order'] } })
    const customer = (i: number) => field({ data: { customer: [`c${i}`] } })
    expect(index.share(customer(0))).toBe(index.share(kind))
    for (let i = 0; i < 100; i++) index.add(kind, i)
    expect(index.share(customer(0))).toBeLessThan(index.share(kind))
    for (let i = 0; i < 100; i++) index.add(customer(i), i)
    expect(index.share(customer(0))).toBeLessThan(0.05)
    expect(index.share(kind)).toBeGreaterThan(0.9)
    for (let i = 0; i < 100; i++) index.remove(kind, i)
    expect(index.share(kind)).toBe(0.5)
  })
})
