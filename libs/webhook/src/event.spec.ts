import { describe, expect, it } from '@jest/globals'
import { checkEvent, escapePointer, isJsonMediaType, type WebhookEvent } from './event.js'

const good: WebhookEvent = {
  tenant: 'acme',
  id: '1',
  source: '/agents',
  type: 'agent.created',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
}

const pointers = (changes: Partial<Record<keyof WebhookEvent, unknown>>) =>
  checkEvent({ ...good, ...changes } as WebhookEvent).map(problem => problem.pointer)

describe('checkEvent', () => {
  it('accepts an event with all of its attributes', () => {
    expect(
      pointers({
        partitionkey: 'k',
        subject: 's',
        dataschema: 'https://x/y',
        extensions: { traceparent: '00-…', n1: '' },
      }),
    ).toEqual([])
  })

  it.each(['id', 'source', 'subject', 'partitionkey', 'dataschema'] as const)('bounds %s', name => {
    const limit = name === 'id' || name === 'partitionkey' ? 256 : 1024
    expect(pointers({ [name]: 'x'.repeat(limit) })).toEqual([])
    for (const value of ['', 'x'.repeat(limit + 1), 'a\u0000', 'a\r\nb', '\u007f', 5])
      expect(pointers({ [name]: value })).toEqual([`/${name}`])
  })

  it.each(['a', 'A-b_9', 'a'.repeat(64)])('takes tenant %j', tenant => expect(pointers({ tenant })).toEqual([]))
  it.each(['', '-a', '_a', 'a b', 'a/b', 'a'.repeat(65)])('refuses tenant %j', tenant =>
    expect(pointers({ tenant })).toEqual(['/tenant']),
  )

  it('reserves the types of Posthorn itself', () => {
    expect(pointers({ type: 'posthorn.attempt' })).toEqual(['/type'])
    expect(pointers({ type: 'posthorn' })).toEqual([])
    expect(pointers({ type: 'posthorner.x' })).toEqual([])
  })

  it.each([
    '2026-01-31T12:00:00Z',
    '2026-01-31t12:00:00z',
    '2026-01-31T12:00:00.123456789Z',
    '2026-01-31T12:00:00+05:30',
    '2026-01-31T23:59:60Z',
    '2026-01-31T23:59:60.5+01:00',
    '2024-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
  ])('takes the time %s', time => expect(pointers({ time })).toEqual([]))

  it.each([
    '',
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-01-31 12:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00+24:00',
    '+002026-01-01T00:00:00Z',
    1769860800000,
  ])('refuses the time %j', time => expect(pointers({ time })).toEqual(['/time']))

  it.each(['application/json', 'text/plain; charset=utf-8', 'application/vnd.github+json', 'image/svg+xml'])(
    'takes the media type %s',
    contenttype => expect(pointers({ contenttype })).toEqual([]),
  )
  it.each([
    '',
    'json',
    'a/',
    '/b',
    'a/b/c',
    'a b/c',
    'text/plain;\r\nx: y',
    'text/plain\n;x',
    'text/plain;\u0000',
    `a/${'b'.repeat(256)}`,
  ])('refuses the media type %j', contenttype => expect(pointers({ contenttype })).toEqual(['/datacontenttype']))

  it('bounds extension attributes', () => {
    const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`x${i}`, '']))
    expect(pointers({ extensions: many(32) })).toEqual([])
    expect(pointers({ extensions: many(33) })).toEqual([''])
    expect(pointers({ extensions: { a: 'x'.repeat(1024) } })).toEqual([])
    expect(pointers({ extensions: { a: 'x'.repeat(1025) } })).toEqual(['/a'])
    expect(pointers({ extensions: { data: 'x' } })).toEqual(['/data'])
    expect(pointers({ extensions: { a: 'x\u0000' } })).toEqual(['/a'])
    expect(pointers({ extensions: { ['a'.repeat(21)]: '' } })).toEqual([`/${'a'.repeat(21)}`])
    expect(pointers({ extensions: { 'A/b~c': '' } })).toEqual(['/A~1b~0c'])
  })

  it('reports every fault at once', () => {
    expect(pointers({ id: '', source: '', type: 'a..b', time: 'now', tenant: '' }).sort()).toEqual(
      ['/id', '/source', '/tenant', '/time', '/type'].sort(),
    )
  })
})

it('escapes JSON Pointer tokens so that ~ and / come back', () => {
  expect(escapePointer('~1/a~')).toBe('~01~1a~0')
})

it.each([
  ['application/json', true],
  ['application/JSON; charset=utf-8', true],
  ['text/json', true],
  ['application/cloudevents+json', true],
  ['application/problem+json ; a=b', true],
  ['application/jsonl', false],
  ['text/plain; x=/json', false],
  ['application/xml', false],
])('%s is JSON: %s', (contenttype, json) => expect(isJsonMediaType(contenttype)).toBe(json))
