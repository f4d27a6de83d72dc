import { UsageError } from '../command.js'
import type { ConnectionTexts } from './connection.js'
import { EVERYWHERE, LIST_OPTIONS, nounHelp, usageLine, verbHelp } from './help.js'
import { parserOptions, parseStrictly, valueOf, type ReadText } from './options.js'
import type { Call, JsonObject, Noun, OptionSpec, Verb } from './verb.js'

export type Parsed =
  | { readonly kind: 'help'; readonly text: string }
  | {
      readonly kind: 'call'
      readonly verb: Verb
      readonly call: Call
      readonly connection: ConnectionTexts
      readonly json: boolean
    }

const DEFAULT_LIMIT = 50
type RawValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

/** What `posthorn <noun> …` means. Throws UsageError with the usage of the level at fault. */
export function parseNoun(noun: Noun, args: readonly string[], read: ReadText): Parsed {
  const named = verbIn(noun, args)
  if (wantsHelp(args)) return { kind: 'help', text: named ? verbHelp(noun, named.name, named.verb) : nounHelp(noun) }
  if (named === undefined) throw unknownVerb(noun, args)
  const { name, verb } = named
  const usage = `usage: ${usageLine(noun, name, verb)}\n\nposthorn ${noun.name} ${name} --help says more.`
  const own = { ...verb.options, ...(verb.lists ? LIST_OPTIONS : {}) }
  const rest = args.slice(name.split(' ').length)
  const { values, positionals } = parseStrictly(rest, parserOptions({ ...EVERYWHERE, ...own }), usage)
  if (positionals.length !== verb.args.length) throw new UsageError(argumentFault(verb, positionals), usage)
  try {
    const call = callOf(verb, own, values, positionals, read)
    return { kind: 'call', verb, call, connection: values as ConnectionTexts, json: values.json === true }
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message, usage) : error
  }
}

/** What stands behind -- is not ours. */
export function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).some(arg => arg === '--help' || arg === '-h')
}

function verbIn(noun: Noun, [first, second]: readonly string[]): { name: string; verb: Verb } | undefined {
  const names = [`${first} ${second}`, first ?? '']
  const name = names.find(each => Object.hasOwn(noun.verbs, each))
  return name === undefined ? undefined : { name, verb: noun.verbs[name]! }
}

function unknownVerb(noun: Noun, args: readonly string[]): UsageError {
  const known = Object.keys(noun.verbs).join(', ')
  const said = args.length === 0 ? `posthorn ${noun.name} needs` : `posthorn ${noun.name} has no "${args[0]}":`
  return new UsageError(`${said} one of: ${known}.`, `posthorn ${noun.name} --help says more.`)
}

function argumentFault({ args }: Verb, found: readonly string[]): string {
  const missing = args.slice(found.length)
  if (missing.length > 0) return `Missing: ${missing.map(arg => `<${arg}>`).join(' ')}.`
  return `Too many arguments: ${found.slice(args.length).join(' ')}.`
}

function callOf(
  verb: Verb,
  options: Readonly<Record<string, OptionSpec>>,
  raw: RawValues,
  positionals: readonly string[],
  read: ReadText,
): Call {
  const args = Object.fromEntries(verb.args.map((name, index) => [name, positionals[index]!]))
  // In a path "." and ".." would name something else.
  const wrong = verb.args.find(name => ['', '.', '..'].includes(args[name]!))
  if (wrong !== undefined) throw new UsageError(`<${wrong}> must not be empty, "." or "..".`)
  const parts = {
    body: {} as JsonObject,
    query: {} as JsonObject,
    own: {} as JsonObject,
    headers: {} as Record<string, string>,
  }
  // The whole body first: single fields are laid over it.
  const entries = Object.entries(options).sort(([, a], [, b]) => Number(b.kind === 'body') - Number(a.kind === 'body'))
  for (const [name, spec] of entries) {
    const text = raw[name]
    if (text !== undefined) place(parts, name, spec, valueOf(name, spec.kind, text, read))
  }
  const { limit = DEFAULT_LIMIT, cursor } = parts.own as { limit?: number; cursor?: string }
  if (limit < 1) throw new UsageError('--limit must be 1 or more.')
  return { args, ...parts, limit, cursor }
}

type Parts = Pick<Call, 'body' | 'query' | 'own'> & { readonly headers: Record<string, string> }

function place(parts: Parts, name: string, { kind, to }: OptionSpec, value: unknown): void {
  const field = name.replaceAll('-', '_')
  switch (to.kind) {
    case 'body':
      if (kind === 'body') Object.assign(parts.body, value)
      else if (kind === 'nulls') for (const each of value as string[]) parts.body[each.replaceAll('-', '_')] = null
      else parts.body[field] = value
      return
    case 'query':
      parts.query[field] = value
      return
    case 'header':
      // A version is an ETag; any other value goes as it is.
      parts.headers[to.name] = kind === 'number' ? `"${String(value)}"` : String(value)
      return
    case 'verb':
      parts.own[field] = value
  }
}
