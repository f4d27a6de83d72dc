import { describe, expect, test } from '@jest/globals'
import { ApiFailure } from './failure.js'
import { jsonOf, textOf } from './print.js'

describe('printing', () => {
  const page = { data: [{ id: 'a', event: { type: 't' }, tags: ['x', 'y'], none: null }], next_cursor: 'c' }

  test('a list is a table for a person, and the page for a program', () => {
    const answer = { kind: 'list', page, columns: ['id', 'event.type', 'tags', 'none'] } as const
    expect(textOf(answer)).toBe('ID  EVENT TYPE  TAGS  NONE\na   t           x, y  -')
    expect(JSON.parse(jsonOf(answer))).toEqual(page)
  })

  test('texts of customers cannot move the cursor', () => {
    const value = { description: 'a\u001b[2Jb\nc', attempts: [{ error: '\u009b1m' }] }
    expect(textOf({ kind: 'item', value })).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(textOf({ kind: 'item', value })).toBe('description  a [2Jb c\nattempts     {"error":" 1m"}')
  })

  test('an answer keeps the digits that it came with', () => {
    const text = '{"data":12345678901234567890}'
    expect(jsonOf({ kind: 'item', value: JSON.parse(text) as object, text })).toBe(text)
  })
})

describe('a problem', () => {
  const response = (status: number) => ({ status, url: 'http://127.0.0.1:8080/v1/x' }) as Response

  test('is told with code, status, request, the faults and what to do', () => {
    const problem = {
      code: 'request_invalid',
      detail: '/url is required (and 1 more).',
      action: 'Correct the fields that errors[] names.',
      request_id: 'r1',
      errors: [
        { pointer: '/url', detail: 'is required' },
        { pointer: '/events', detail: 'is required' },
      ],
    }
    expect(ApiFailure.of(response(400), problem).message).toBe(
      '/url is required (and 1 more). (request_invalid, 400, request r1)\n' +
        '  /url: is required\n  /events: is required\nCorrect the fields that errors[] names.',
    )
  })

  test('of something that is no Posthorn says so', () => {
    expect(ApiFailure.of(response(502), '<html>\nBad Gateway').message).toBe(
      'http://127.0.0.1:8080 answered 502, and not as Posthorn does: <html> Bad Gateway',
    )
  })
})
