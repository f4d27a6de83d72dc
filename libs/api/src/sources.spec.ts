import { describe, expect, it } from '@jest/globals'
import { ApiError } from './errors.js'
import { validated } from './http-validation.js'
import { CreateSourceBody, PatchSourceBody, sourceDefinition } from './sources.js'

const event = { tenant: 'acme', type: { header: 'type' } }
const orders = { topic: 'orders', event }

function pointersOf(work: () => unknown): readonly string[] {
  try {
    work()
    return []
  } catch (error) {
    if (error instanceof ApiError && error.code === 'request_invalid') return error.errors.map(({ pointer }) => pointer)
    throw error
  }
}

const create = (body: unknown) => sourceDefinition(validated(CreateSourceBody, body), undefined)
const before = create(orders)
const patch = (body: unknown) => sourceDefinition(validated(PatchSourceBody, body), before)

describe('the body of a source', () => {
  it('becomes a definition with its defaults; null means the default', () => {
    const wanted = {
      topic: 'orders',
      value: 'json',
      start: 'latest',
      event: { tenant: { constant: 'acme' }, type: { header: 'type' } },
    }
    expect(create(orders)).toEqual(wanted)
    const nulls = { ...orders, pattern: null, value: null, start: null, event: { ...event, id: null } }
    expect(create(nulls)).toEqual(wanted)
  })

  it.each<[string, unknown, string[]]>([
    ['nothing', {}, ['/event']],
    ['no topic', { event }, ['/topic']],
    ['both', { ...orders, pattern: 'a' }, ['/pattern']],
    ['an unknown field', { ...orders, colour: 'red' }, ['/colour']],
    ['an id of its own', { ...orders, id: 'mine' }, ['/id']],
    ['a status', { ...orders, status: 'paused' }, ['/status']],
    ['wrong types', { topic: 7, value: {}, start: [], event: 'x' }, ['/topic', '/value', '/start', '/event']],
    ['an unknown attribute', { ...orders, event: { ...event, colour: 'red' } }, ['/event/colour']],
    ['a type that breaks the rule', { ...orders, event: { tenant: 'a', type: 'a b' } }, ['/event/type']],
    ['no type and a broken pattern', { pattern: '(', event: { tenant: 'a' } }, ['/pattern', '/event/type']],
    ['no object', [orders], ['']],
  ])('is refused by its fields: %s', (_name, body, pointers) => {
    expect(pointersOf(() => create(body))).toEqual(pointers)
  })

  it('is merged into what there was: an attribute is replaced whole, null removes', () => {
    expect(patch({})).toEqual(before)
    expect(patch({ event: { type: { pointer: '/t' }, key: { record: 'key' } } }).event).toEqual({
      tenant: { constant: 'acme' },
      type: { pointer: '/t' },
      key: { record: 'key' },
    })
    expect(patch({ topic: null, pattern: 'o.*', start: 'earliest' })).toEqual({
      ...before,
      topic: undefined,
      pattern: 'o.*',
      start: 'earliest',
    })
    expect(pointersOf(() => patch({ event: { type: null } }))).toEqual(['/event/type'])
    expect(pointersOf(() => patch({ topic: null }))).toEqual(['/topic'])
    expect(pointersOf(() => patch({ pattern: 'x' }))).toEqual(['/pattern'])
    expect(pointersOf(() => patch({ event: null, status: null }))).toEqual(['/event', '/status'])
    expect(pointersOf(() => patch({ status: 'deleted' }))).toEqual(['/status'])
  })
})
