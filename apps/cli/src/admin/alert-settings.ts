import { asSent, done, item, listed, registry } from './api.js'
import { IDEMPOTENCY, IF_VERSION, QUERY, text, UNSET } from './options.js'
import type { Call, OptionSpec, Verb } from './verb.js'

const SCOPE = text('<scope>', 'tenant (unless set) or platform', QUERY)

interface VerbWords {
  readonly does: string
  readonly example: string
}

/** What one kind of settings of alerts has of its own. */
export interface SettingVerbs {
  /** As it is called here, in the plural. */
  readonly noun: string
  readonly path: '/v1/alert-rules' | '/v1/alert-channels' | '/v1/alert-silences'
  readonly columns: readonly string[]
  /** Options of what is made. */
  readonly made: Readonly<Record<string, OptionSpec>>
  readonly list: VerbWords
  readonly get: VerbWords
  readonly create: VerbWords
  readonly remove: VerbWords
  /** What else can be done, by one word. */
  readonly more?: Readonly<Record<string, Verb>>
}

export function settingVerbs({
  noun,
  path,
  columns,
  made,
  more = {},
  ...words
}: SettingVerbs): Readonly<Record<string, Verb>> {
  const one = `${path}/{id}` as const
  const worded = ({ does, example }: VerbWords) => ({ does, examples: [`${noun} ${example}`] })
  const list: Verb = {
    ...worded(words.list),
    args: [],
    options: { scope: SCOPE },
    lists: true,
    run: (call, reach) => {
      const api = registry(call, reach)
      return listed(call, columns, query => api.GET(path, { params: { query: asSent(query) } }))
    },
  }
  const get: Verb = {
    ...worded(words.get),
    args: ['id'],
    options: { scope: SCOPE },
    lists: false,
    run: (call, reach) => item(registry(call, reach).GET(one, { params: named(call) })),
  }
  const create: Verb = {
    ...worded(words.create),
    args: [],
    options: { ...made, scope: text('<scope>', 'tenant (unless set) or platform'), 'idempotency-key': IDEMPOTENCY },
    lists: false,
    run: (call, reach) => item(registry(call, reach).POST(path, { body: asSent(call.body) })),
  }
  const remove: Verb = {
    ...worded(words.remove),
    args: ['id'],
    options: { scope: SCOPE, 'if-version': IF_VERSION },
    lists: false,
    run: (call, reach) => {
      const { id } = call.args
      return done(registry(call, reach).DELETE(one, { params: named(call) }), { id, deleted: true }, `Deleted ${id}.`)
    },
  }
  const all = Object.entries({ list, get, create, ...more, delete: remove })
  return Object.fromEntries(all.map(([word, verb]) => [`${noun} ${word}`, verb]))
}

/** Of those that can be changed. */
export function updateVerb(
  path: '/v1/alert-rules/{id}' | '/v1/alert-channels/{id}',
  fields: Readonly<Record<string, OptionSpec>>,
  example: string,
): Verb {
  return {
    does: 'changes what the options name, and nothing else',
    args: ['id'],
    options: { ...fields, scope: SCOPE, unset: UNSET, 'if-version': IF_VERSION },
    lists: false,
    examples: [example],
    run: (call, reach) => item(registry(call, reach).PATCH(path, { params: named(call), body: asSent(call.body) })),
  }
}

/** One of them, of whose scope it is. */
export const named = ({ args, query }: Call) => ({ path: { id: args.id! }, query: asSent(query) })
