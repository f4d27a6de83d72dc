import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../command.js'
import { COMMANDS } from '../commands.js'
import { AUDIT } from './audit.js'
import { DEAD_LETTERS } from './dead-letters.js'
import { DELIVERIES } from './deliveries.js'
import { EVENTS } from './events.js'
import { FILTERS } from './filters.js'
import { KEYS } from './keys.js'
import { parseNoun, type Parsed } from './parse.js'
import { POISON } from './poison.js'
import { REPLAYS } from './replays.js'
import { SOURCES } from './sources.js'
import { STATS } from './stats.js'
import { TENANTS } from './tenants.js'
import { TYPES } from './types.js'
import type { Call } from './verb.js'
import { WEBHOOKS } from './webhooks.js'

const NOUNS = [
  WEBHOOKS,
  EVENTS,
  DELIVERIES,
  DEAD_LETTERS,
  REPLAYS,
  STATS,
  FILTERS,
  TYPES,
  KEYS,
  TENANTS,
  SOURCES,
  AUDIT,
  POISON,
]
const VERBS = NOUNS.flatMap(noun => Object.entries(noun.verbs).map(([name, verb]) => ({ noun, name, verb })))
const readText = () => '{"read": true}'

/** As a shell takes a line of single-quoted and plain words. */
const words = (line: string) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2]!)

function callOf(noun: (typeof NOUNS)[number], line: string): Call {
  const parsed = parseNoun(noun, words(line), readText)
  if (parsed.kind !== 'call') throw new Error('help was not asked for')
  return parsed.call
}

function faultOf(noun: (typeof NOUNS)[number], line: string): UsageError {
  try {
    parseNoun(noun, words(line), readText)
  } catch (error) {
    if (error instanceof UsageError) return error
    throw error
  }
  throw new Error('nothing is wrong with it')
}

const text = (parsed: Parsed) => (parsed.kind === 'help' ? parsed.text : '')

describe('the table of verbs', () => {
  test('every noun is a command that says the same of itself', () => {
    for (const { name, does } of NOUNS) expect(COMMANDS[name]).toMatchObject({ does, helps: true })
  })

  test.each(VERBS.map(({ noun, name, verb }) => [`${noun.name} ${name}`, noun, name, verb] as const))(
    '%s has examples, each of which parses to it, and a help that shows them and its options',
    (_title, noun, name, verb) => {
      expect(verb.examples.length).toBeGreaterThan(0)
      for (const example of verb.examples) {
        const parsed = parseNoun(noun, words(example), readText)
        expect(parsed.kind === 'call' && parsed.verb).toBe(verb)
      }
      const help = text(parseNoun(noun, [...name.split(' '), '--help'], readText))
      for (const example of verb.examples) expect(help).toContain(`posthorn ${noun.name} ${example}`)
      for (const option of Object.keys(verb.options)) expect(help).toContain(`--${option}`)
      expect(text(parseNoun(noun, ['--help'], readText))).toContain(`  ${name}`)
    },
  )

  test('no option of a verb hides one of those that are everywhere', () => {
    const everywhere = ['api-url', 'publish-url', 'key', 'tenant', 'json', 'help', 'limit', 'cursor']
    for (const { verb } of VERBS)
      for (const option of Object.keys(verb.options)) expect(everywhere).not.toContain(option)
  })
})

describe('what options become', () => {
  test('fields of the body, over those of --body', () => {
    const line = `create --events a,b --body '{"events": ["c"], "url": "u", "x": 1}' --events d --headers 'A: b:c' --metadata k=v=w`
    expect(callOf(WEBHOOKS, line).body).toEqual({
      events: ['a', 'b', 'd'],
      url: 'u',
      x: 1,
      headers: { A: 'b:c' },
      metadata: { k: 'v=w' },
    })
  })

  test('queries, headers, and null for what is unset', () => {
    expect(callOf(WEBHOOKS, 'list --event-type a.b --limit 7 --cursor c')).toMatchObject({
      query: { event_type: 'a.b' },
      limit: 7,
      cursor: 'c',
    })
    expect(callOf(WEBHOOKS, 'update w --unset filter,retry-policy --if-version 3')).toMatchObject({
      args: { id: 'w' },
      body: { filter: null, retry_policy: null },
      headers: { 'if-match': '"3"' },
    })
  })

  test('JSON from a file, and data of events as the text that it is', () => {
    expect(callOf(TENANTS, 'create acme --quotas @quotas.json').body).toEqual({ quotas: { read: true } })
    expect(callOf(EVENTS, `publish --type a --data '{"n": 12345678901234567890.0}'`).body).toEqual({
      type: 'a',
      data: '{"n": 12345678901234567890.0}',
    })
  })

  test.each([
    [WEBHOOKS, '', /needs one of: create/],
    [WEBHOOKS, 'toString', /has no "toString"/],
    [WEBHOOKS, 'secrets', /has no "secrets"/],
    [WEBHOOKS, 'get', /Missing: <id>/],
    [WEBHOOKS, "get ''", /<id> must not be empty/],
    [WEBHOOKS, 'delete ..', /<id> must not be empty, "." or ".."/],
    [WEBHOOKS, 'get a b', /Too many arguments: b/],
    [WEBHOOKS, 'list --limit 0', /--limit must be 1 or more/],
    [WEBHOOKS, 'list --limit=-1', /--limit must be a whole number/],
    [WEBHOOKS, 'list --nope', /Unknown option '--nope'\.$/],
    [WEBHOOKS, 'create --filter {', /--filter is not JSON/],
    [WEBHOOKS, 'create --body [1]', /--body must be a JSON object/],
    [WEBHOOKS, 'create --headers nothing', /--headers must be "Name: value"/],
    [WEBHOOKS, 'create --metadata =v', /--metadata must be name=value/],
    [WEBHOOKS, 'create --max-concurrency 1.5', /--max-concurrency must be a whole number/],
  ])('a mistake is told with its place: %# %s', (noun, line, message) => {
    const fault = faultOf(noun, line)
    expect(fault.message).toMatch(message)
    expect(fault.usage).toMatch(/--help/)
  })
})
