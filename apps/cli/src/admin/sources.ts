import { asSent, done, item, listed, registry } from './api.js'
import { BODY, IDEMPOTENCY, IF_VERSION, json, text, UNSET } from './options.js'
import type { Call, Noun, OptionSpec, Verb } from './verb.js'

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  topic: text('<name>', 'the one topic to read; or'),
  pattern: text('<regexp>', 'that matches whole names of topics'),
  value: text('<kind>', 'json or bytes: what the values of the records are'),
  start: text('<place>', 'earliest, latest or a time: where a topic is read from at first'),
  event: json('<json>', 'where tenant, type and the rest come from (docs/sources.md)'),
  body: BODY,
}

const create: Verb = {
  does: 'takes events from topics that you have',
  args: [],
  options: { ...FIELDS, 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: [
    `create --topic orders --start earliest --event '{"tenant": "acme", "type": {"pointer": "/type"}}'`,
    'create --body @source.json',
  ],
  run: (call, reach) => item(registry(call, reach).POST('/v1/sources', { body: asSent(call.body) })),
}

const list: Verb = {
  does: 'lists sources',
  args: [],
  options: {},
  lists: true,
  examples: ['list --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['id', 'status', 'topic', 'pattern', 'value', 'start', 'created_at']
    return listed(call, columns, query => api.GET('/v1/sources', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a source, who reads it and how far it is behind',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['get source_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/sources/{id}', { params: idOf(call) })),
}

const update: Verb = {
  does: 'changes what the options name, and nothing else',
  args: ['id'],
  options: { ...FIELDS, status: text('<status>', 'active or paused'), unset: UNSET, 'if-version': IF_VERSION },
  lists: false,
  examples: ['update source_01jz8m0 --status paused'],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/sources/{id}', { params: idOf(call), body: asSent(call.body) })),
}

const remove: Verb = {
  does: 'stops reading the topics of a source for good',
  args: ['id'],
  options: { 'if-version': IF_VERSION },
  lists: false,
  examples: ['delete source_01jz8m0'],
  run: (call, reach) => {
    const { id } = call.args
    const result = registry(call, reach).DELETE('/v1/sources/{id}', { params: idOf(call) })
    return done(result, { id, deleted: true }, `Deleted ${id}.`)
  },
}

const idOf = ({ args }: Call) => ({ path: { id: args.id! } })

export const SOURCES: Noun = {
  name: 'sources',
  does: 'topics of your own that events come from (keys of the platform)',
  verbs: { create, list, get, update, delete: remove },
}
