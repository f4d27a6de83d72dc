import { CONNECTION_OPTIONS } from './connection.js'
import { flag, number, text, VERB } from './options.js'
import type { Noun, OptionSpec, Verb } from './verb.js'

export const LIST_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  limit: number('<n>', 'entries at most, over as many pages as it takes (50)', VERB),
  cursor: text('<text>', 'go on from the next_cursor of a list before', VERB),
}
export const EVERYWHERE: Readonly<Record<string, OptionSpec>> = {
  ...CONNECTION_OPTIONS,
  json: flag('one JSON document on stdout'),
  help: flag('this help'),
}

/** `posthorn webhooks get <id> [options]` */
export function usageLine(noun: Noun, name: string, verb: Verb): string {
  return ['posthorn', noun.name, name, ...verb.args.map(arg => `<${arg}>`), '[options]'].join(' ')
}

export function nounHelp(noun: Noun): string {
  const rows = Object.entries(noun.verbs).map(
    ([name, verb]) => [[name, ...verb.args.map(arg => `<${arg}>`)].join(' '), verb.does] as const,
  )
  const examples = Object.values(noun.verbs).map(verb => verb.examples[0]!)
  return [
    `posthorn ${noun.name}: ${noun.does}`,
    '',
    ...aligned(rows),
    '',
    'examples:',
    ...examples.map(example => `  posthorn ${noun.name} ${example}`),
    '',
    `Each has options: posthorn ${noun.name} ${Object.keys(noun.verbs)[0]} --help`,
  ].join('\n')
}

export function verbHelp(noun: Noun, name: string, verb: Verb): string {
  const own = { ...verb.options, ...(verb.lists ? LIST_OPTIONS : {}) }
  return [
    `usage: ${usageLine(noun, name, verb)}`,
    '',
    sentence(verb.does),
    ...(Object.keys(own).length === 0 ? [] : ['', 'options:', ...optionRows(own)]),
    '',
    'everywhere:',
    ...optionRows(EVERYWHERE),
    '',
    'examples:',
    ...verb.examples.map(example => `  posthorn ${noun.name} ${example}`),
  ].join('\n')
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function optionRows(options: Readonly<Record<string, OptionSpec>>): string[] {
  return aligned(Object.entries(options).map(([name, { value, does }]) => [`--${name} ${value}`.trim(), does] as const))
}

/** Two columns; what is too wide for the first one pushes its second aside. */
function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
