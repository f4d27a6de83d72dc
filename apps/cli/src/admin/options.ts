import { readFileSync } from 'node:fs'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { UsageError } from '../command.js'
import type { JsonObject, OptionKind, OptionSpec, OptionTarget } from './verb.js'

type Targeted = (value: string, does: string, to?: OptionTarget) => OptionSpec

const option =
  (kind: OptionKind): Targeted =>
  (value, does, to = { kind: 'body' }) => ({ kind, value, does, to })

export const text = option('text')
export const number = option('number')
export const decimal = option('decimal')
/** Repeated, or with commas. */
export const list = option('list')
/** JSON, the name of a file after @, or - for stdin. */
export const json = option('json')
/** The same, checked and handed on as the text that it is: a number keeps all its digits. */
export const raw = option('raw')
/** name=value, repeated. */
export const pairs = option('pairs')
/** `Name: value`, repeated. */
export const headers = option('headers')
export const flag = (does: string, to: OptionTarget = { kind: 'verb' }): OptionSpec => ({
  kind: 'flag',
  value: '',
  does,
  to,
})

export const QUERY: OptionTarget = { kind: 'query' }
export const VERB: OptionTarget = { kind: 'verb' }

/** Of lists that go by time. */
export const BETWEEN = {
  from: text('<time>', 'at this time or later, such as 2027-01-31T12:00:00Z', QUERY),
  to: text('<time>', 'before this time', QUERY),
} as const
/** Of every verb that sends a body; the options of single fields are laid over it. */
export const BODY: OptionSpec = {
  kind: 'body',
  value: '<json>',
  does: 'the body as JSON, @file or - for stdin; other options are laid over it',
  to: { kind: 'body' },
}
/** Of every update: a merge-patch takes null for the default. */
export const UNSET: OptionSpec = {
  kind: 'nulls',
  value: '<fields>',
  does: 'fields that go back to their default',
  to: { kind: 'body' },
}
export const IDEMPOTENCY = text('<text>', 'the same key again gets the first answer, for a day', {
  kind: 'header',
  name: 'idempotency-key',
})
export const IF_VERSION = number('<n>', 'only if it still has this version', { kind: 'header', name: 'if-match' })

/** Reads the text of `@file` or `-`; a test gives one of its own. */
export type ReadText = (name: string) => string

export const readText: ReadText = name => {
  try {
    return readFileSync(name === '-' ? 0 : name, 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read ${name === '-' ? 'stdin' : name}: ${(error as NodeJS.ErrnoException).code}.`)
  }
}

/** For parseArgs. */
export function parserOptions(options: Readonly<Record<string, OptionSpec>>): ParseArgsOptionsConfig {
  const several: readonly OptionKind[] = ['list', 'pairs', 'headers', 'nulls']
  return Object.fromEntries(
    Object.entries(options).map(([name, { kind }]) => [
      name,
      { type: kind === 'flag' ? ('boolean' as const) : ('string' as const), multiple: several.includes(kind) },
    ]),
  )
}

/** One option's value. Throws UsageError that names the option. */
export function valueOf(
  name: string,
  kind: OptionKind,
  given: string | boolean | (string | boolean)[],
  read: ReadText,
) {
  const texts = [given].flat().map(String)
  const fault = (message: string) => new UsageError(`--${name} ${message}.`)
  switch (kind) {
    case 'flag':
      return true
    case 'text':
      return texts[0]!
    case 'number':
      if (!/^\d{1,15}$/.test(texts[0]!)) throw fault('must be a whole number')
      return Number(texts[0])
    case 'decimal':
      if (!/^\d{1,15}(\.\d{1,9})?$/.test(texts[0]!)) throw fault('must be a number')
      return Number(texts[0])
    case 'list':
    case 'nulls':
      return texts.flatMap(part => part.split(',')).map(part => part.trim())
    case 'pairs':
      return Object.fromEntries(texts.map(part => split(part, '=', fault('must be name=value'))))
    case 'headers':
      return Object.fromEntries(texts.map(part => split(part, ':', fault('must be "Name: value"'))))
    case 'json':
      return parseJson(sourceText(texts[0]!, read), fault)
    case 'raw': {
      const source = sourceText(texts[0]!, read)
      parseJson(source, fault)
      return source
    }
    case 'body': {
      const body = parseJson(sourceText(texts[0]!, read), fault)
      if (typeof body !== 'object' || body === null || Array.isArray(body)) throw fault('must be a JSON object')
      return body as JsonObject
    }
  }
}

/** The text itself, that of `@file`, or with `-` that of stdin. */
function sourceText(given: string, read: ReadText): string {
  if (given === '-') return read('-')
  return given.startsWith('@') ? read(given.slice(1)) : given
}

function split(part: string, at: string, fault: UsageError): [string, string] {
  const index = part.indexOf(at)
  if (index < 1) throw fault
  return [part.slice(0, index).trim(), part.slice(index + 1).trim()]
}

function parseJson(text: string, fault: (message: string) => UsageError): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw fault(`is not JSON (${(error as Error).message})`)
  }
}

/** parseArgs whose complaints are UsageErrors of this level. */
export function parseStrictly(args: readonly string[], options: ParseArgsOptionsConfig, usage: string) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    // Node adds how to give an argument that looks like an option.
    throw new UsageError(`${(error as Error).message.split('. To specify', 1)[0]}.`, usage)
  }
}
