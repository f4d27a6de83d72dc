import type { Connection } from './connection.js'

export type JsonObject = Record<string, unknown>

/** How the text of an option becomes a value. */
export type OptionKind =
  'text' | 'number' | 'decimal' | 'flag' | 'list' | 'json' | 'raw' | 'pairs' | 'headers' | 'nulls' | 'body'

/** Where the value goes: its field is the option's name with `_` for `-`. A header names itself. */
export type OptionTarget =
  | { readonly kind: 'body' }
  | { readonly kind: 'query' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'verb' }

export interface OptionSpec {
  readonly kind: OptionKind
  readonly to: OptionTarget
  /** What stands for its value in the help; empty for a flag. */
  readonly value: string
  readonly does: string
}

/** What a verb was called with, all texts read. */
export interface Call {
  /** The arguments by their names. */
  readonly args: Readonly<Record<string, string>>
  readonly body: JsonObject
  readonly query: JsonObject
  readonly headers: Readonly<Record<string, string>>
  /** Values of the options that the verb reads itself. */
  readonly own: JsonObject
  /** How many entries of a list, over all pages. */
  readonly limit: number
  readonly cursor: string | undefined
}

/** What a verb needs besides. */
export interface Reach {
  /** Asked for only by those that call an API: there may be none. */
  readonly connection: () => Connection
  readonly env: NodeJS.ProcessEnv
}

export interface Page {
  readonly data: readonly object[]
  /** Absent where all is in one answer. */
  readonly next_cursor?: string | null
}

/** What a verb came to; how it is printed is not its business. */
export type Answer =
  | {
      readonly kind: 'item'
      readonly value: object
      /** The answer as it came, where parsing it would lose digits. */
      readonly text?: string
      /** For a person, on stderr. */
      readonly note?: string
    }
  | {
      readonly kind: 'list'
      readonly page: Page
      readonly columns: readonly string[]
      /** Of a check: how it went, for a person, and whether it failed. */
      readonly checked?: { readonly sentence: string; readonly failed: boolean }
    }
  | { readonly kind: 'done'; readonly value: object; readonly sentence: string }

export interface Verb {
  readonly does: string
  /** Names of the arguments, all needed. */
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Whether it takes --limit and --cursor. */
  readonly lists: boolean
  /** What follows `posthorn <noun>`. */
  readonly examples: readonly string[]
  run(call: Call, reach: Reach): Promise<Answer>
}

/** A thing of the API and what can be done with it; a verb may have two words. */
export interface Noun {
  readonly name: string
  readonly does: string
  readonly verbs: Readonly<Record<string, Verb>>
}
