import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isEventType, parseTypePattern, patternsMatching } from './event-type.js'

const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)
const type = fc.array(word, { minLength: 1, maxLength: 5 }).map(words => words.join('.'))

describe('event types', () => {
  it.each(['a', 'agent.created', 'A-b_9.x', '-', 'a'.repeat(128)])('takes %j', name => {
    expect(isEventType(name)).toBe(true)
  })

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'a/b',
    'ä',
    'a\n',
    'agent.*',
    '*',
    'a'.repeat(129),
    7,
    null,
    undefined,
    {},
    ['a'],
  ])('refuses %j', name => {
    expect(isEventType(name)).toBe(false)
  })

  it('agrees with the rule said word by word', () => {
    const words = (name: string) => name.split('.').every(part => part !== '' && /^[A-Za-z0-9_-]*$/.test(part))
    fc.assert(
      fc.property(fc.oneof(type, fc.string(), fc.stringMatching(/^[a.*_-]{0,6}$/)), name => {
        expect(isEventType(name)).toBe(words(name) && !name.includes('\n') && name.length <= 128)
      }),
    )
  })
})

describe('type patterns', () => {
  it('reads a type, a prefix with .* and the star', () => {
    expect(parseTypePattern('agent.created')).toEqual({ kind: 'exact', type: 'agent.created' })
    expect(parseTypePattern('agent.*')).toEqual({ kind: 'prefix', prefix: 'agent' })
    expect(parseTypePattern('agent.run.*')).toEqual({ kind: 'prefix', prefix: 'agent.run' })
    expect(parseTypePattern('*')).toEqual({ kind: 'all' })
  })

  it.each(['', '**', '.*', '*.created', 'agent.*.created', 'agent*', 'agent.**', 'agent.* ', 'a'.repeat(129), 1, null])(
    'refuses %j',
    pattern => {
      expect(parseTypePattern(pattern)).toBeUndefined()
    },
  )

  it('matches by index key exactly what the pattern says', () => {
    const pattern = fc.oneof(
      type,
      type.map(prefix => `${prefix}.*`),
      fc.constant('*'),
    )
    const few = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 }).map(words => words.join('.'))
    const fewPatterns = fc.oneof(
      few,
      few.map(prefix => `${prefix}.*`),
      fc.constant('*'),
    )
    fc.assert(
      fc.property(fc.oneof(type, few), fc.oneof(pattern, fewPatterns), (name, text) => {
        const parsed = parseTypePattern(text)!
        const matches =
          parsed.kind === 'all' ||
          (parsed.kind === 'exact' ? name === parsed.type : name.startsWith(`${parsed.prefix}.`))
        expect(patternsMatching(name).includes(text)).toBe(matches)
      }),
    )
  })

  it('names no index key twice, so that no candidate is looked at twice', () => {
    fc.assert(
      fc.property(type, name => expect(new Set(patternsMatching(name)).size).toBe(patternsMatching(name).length)),
    )
  })
})
