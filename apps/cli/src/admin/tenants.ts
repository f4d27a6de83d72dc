import { asSent, item, listed, registry } from './api.js'
import { BODY, IDEMPOTENCY, IF_VERSION, json, QUERY, text, UNSET } from './options.js'
import type { Call, Noun, OptionSpec, Verb } from './verb.js'

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  description: text('<text>', 'for people'),
  quotas: json('<json>', 'such as {"webhooks": 100}; null is no limit'),
  'unknown-event-types': text('<what>', 'accept or refuse events of types outside the catalogue'),
  body: BODY,
}

const create: Verb = {
  does: 'makes a tenant',
  args: ['id'],
  options: { ...FIELDS, 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: [`create acme --description 'Acme Inc.' --quotas '{"webhooks": 100}'`],
  run: (call, reach) =>
    item(registry(call, reach).POST('/v1/tenants', { body: asSent({ ...call.body, id: call.args.id }) })),
}

const list: Verb = {
  does: 'lists tenants',
  args: [],
  options: { status: text('<status>', 'active, deleting or deleted', QUERY) },
  lists: true,
  examples: ['list', 'list --status deleting --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['id', 'status', 'description', 'quotas', 'created_at']
    return listed(call, columns, query => api.GET('/v1/tenants', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a tenant, and how far its deletion has come',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['get acme'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/tenants/{id}', { params: idOf(call) })),
}

const update: Verb = {
  does: 'changes what the options name, and nothing else',
  args: ['id'],
  options: { ...FIELDS, unset: UNSET, 'if-version': IF_VERSION },
  lists: false,
  examples: [
    `update acme --quotas '{"webhooks": 500}'`,
    'update acme --unknown-event-types refuse',
    'update acme --unset description',
  ],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/tenants/{id}', { params: idOf(call), body: asSent(call.body) })),
}

const remove: Verb = {
  does: 'deletes a tenant with all that it has, in the background; its id is never given again',
  args: ['id'],
  options: { 'if-version': IF_VERSION },
  lists: false,
  examples: ['delete acme'],
  run: (call, reach) =>
    item(
      registry(call, reach).DELETE('/v1/tenants/{id}', { params: idOf(call) }),
      `"posthorn tenants get" tells how far it has come.`,
    ),
}

const idOf = ({ args }: Call) => ({ path: { id: args.id! } })

export const TENANTS: Noun = {
  name: 'tenants',
  does: 'whom webhooks and keys belong to (keys of the platform)',
  verbs: { create, list, get, update, delete: remove },
}
