import { UsageError } from '../command.js'
import { asSent, item, listed, registry } from './api.js'
import { BODY, flag, IDEMPOTENCY, IF_VERSION, json, QUERY, text, UNSET } from './options.js'
import type { Call, Noun, OptionSpec, Verb } from './verb.js'

const DESCRIBING: Readonly<Record<string, OptionSpec>> = {
  description: text('<text>', 'for people'),
  example: json('<json>', 'data that fits the schema'),
  mode: text('<mode>', 'off, warn or enforce: what is done with events that do not fit'),
  body: BODY,
}
const SCHEMA = json('<json>', 'JSON Schema of the data, as JSON, @file or - for stdin')
const OWN_SCOPE = text('<scope>', "tenant or platform; else the tenant's", QUERY)
const ANY_SCOPE = text('<scope>', 'tenant, platform or built_in; else the one that counts', QUERY)

const create: Verb = {
  does: 'makes an event type of your own',
  args: ['type'],
  options: {
    schema: SCHEMA,
    ...DESCRIBING,
    scope: text('<scope>', "tenant or platform; else the tenant's"),
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: ['create invoice.paid --schema @invoice-paid.json --mode enforce'],
  run: (call, reach) =>
    item(registry(call, reach).POST('/v1/event-types', { body: asSent({ ...call.body, type: call.args.type }) })),
}

const list: Verb = {
  does: 'lists event types, the built-in ones too',
  args: [],
  options: {
    scope: text('<scope>', 'tenant, platform or built_in', QUERY),
    status: text('<status>', 'active, deprecated or archived', QUERY),
  },
  lists: true,
  examples: ['list', 'list --scope tenant --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['type', 'scope', 'status', 'mode', 'schema_version', 'description']
    return listed(call, columns, query => api.GET('/v1/event-types', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows an event type with its schema and example',
  args: ['type'],
  options: { scope: ANY_SCOPE },
  lists: false,
  examples: ['get agent.created', 'get invoice.paid --json'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/event-types/{type}', { params: typeOf(call) })),
}

const update: Verb = {
  does: 'changes what the options name, and nothing else',
  args: ['type'],
  options: { ...DESCRIBING, scope: OWN_SCOPE, unset: UNSET, 'if-version': IF_VERSION },
  lists: false,
  examples: ['update invoice.paid --mode warn'],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/event-types/{type}', { params: typeOf(call), body: asSent(call.body) })),
}

/** The verbs that move it from one status to another. */
function mover(name: 'deprecate' | 'archive' | 'restore', does: string): Verb {
  return {
    does,
    args: ['type'],
    options: { scope: OWN_SCOPE, 'if-version': IF_VERSION },
    lists: false,
    examples: [`${name} invoice.paid`],
    run: (call, reach) => item(registry(call, reach).POST(`/v1/event-types/{type}/${name}`, { params: typeOf(call) })),
  }
}

const check: Verb = {
  does: 'tells what a new schema would break, or whether data fits; changes nothing',
  args: ['type'],
  options: {
    schema: SCHEMA,
    data: json('<json>', 'data of an event, as JSON, @file or - for stdin'),
    scope: ANY_SCOPE,
  },
  lists: false,
  examples: [`check agent.created --data '{"agent": "a1"}'`, 'check invoice.paid --schema @invoice-paid-2.json'],
  run: (call, reach) =>
    item(registry(call, reach).POST('/v1/event-types/{type}/check', { params: typeOf(call), body: asSent(call.body) })),
}

const addVersion: Verb = {
  does: 'gives an event type a new version of its schema',
  args: ['type'],
  options: {
    schema: SCHEMA,
    example: DESCRIBING.example!,
    'allow-breaking': flag('take one that breaks the version before', { kind: 'body' }),
    scope: OWN_SCOPE,
    'if-version': IF_VERSION,
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: ['versions add invoice.paid --schema @invoice-paid-2.json'],
  run: (call, reach) => {
    const body = asSent(call.body)
    return item(registry(call, reach).POST('/v1/event-types/{type}/versions', { params: typeOf(call), body }))
  },
}

const listVersions: Verb = {
  does: 'lists the versions of a schema, and which of them broke the one before',
  args: ['type'],
  options: { scope: ANY_SCOPE },
  lists: true,
  examples: ['versions list invoice.paid'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const { path } = typeOf(call)
    return listed(call, ['number', 'created_at', 'breaking'], query =>
      api.GET('/v1/event-types/{type}/versions', { params: { path, query: asSent(query) } }),
    )
  },
}

const getVersion: Verb = {
  does: 'shows one version of a schema',
  args: ['type', 'number'],
  options: { scope: ANY_SCOPE },
  lists: false,
  examples: ['versions get invoice.paid 2'],
  run: (call, reach) => {
    const { path, query } = typeOf(call)
    if (!/^\d{1,9}$/.test(call.args.number!)) throw new UsageError('<number> must be the number of a version.')
    const params = { path: { ...path, number: Number(call.args.number) }, query }
    return item(registry(call, reach).GET('/v1/event-types/{type}/versions/{number}', { params }))
  },
}

const typeOf = ({ args, query }: Call) => ({ path: { type: args.type! }, query: query as object })

export const TYPES: Noun = {
  name: 'types',
  does: 'event types and their schemas',
  verbs: {
    list,
    get,
    create,
    update,
    deprecate: mover('deprecate', 'marks an event type as one that new webhooks should not use'),
    archive: mover('archive', 'takes an event type out of the catalogue'),
    restore: mover('restore', 'makes an event type active again'),
    check,
    'versions add': addVersion,
    'versions list': listVersions,
    'versions get': getVersion,
  },
}
