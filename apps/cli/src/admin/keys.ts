import { UsageError } from '../command.js'
import { asSent, done, item, listed, registry } from './api.js'
import { BODY, flag, IDEMPOTENCY, IF_VERSION, list, QUERY, text, UNSET } from './options.js'
import type { Call, Noun, Verb } from './verb.js'

const SCOPE = text('<scope>', "tenant or platform; else the tenant's", QUERY)
const SECRET = text('<secret>', 'of kind signing: that of the sender, whsec_… or whpk_…; else one is made')
const SHOWN_ONCE = 'The key is shown this once: keep it now.'

const create: Verb = {
  does: 'makes a key; with --database the first one of the platform, without a key',
  args: [],
  options: {
    name: text('<text>', 'what it is for'),
    roles: list('<roles>', 'admin, publish and read, with commas'),
    scope: text('<scope>', "tenant or platform; else the tenant's"),
    kind: text('<kind>', 'bearer, which is sent, or signing: what is published is signed with it'),
    secret: SECRET,
    'allowed-ips': list('<cidrs>', 'ranges of addresses that it may be used from'),
    'expires-at': text('<time>', 'such as 2030-01-31T00:00:00Z'),
    body: BODY,
    database: flag('straight to POSTHORN_DATABASE_URL, for when no key is at hand'),
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: [
    'create --name shop --roles publish',
    'create --name dashboard --roles read --allowed-ips 203.0.113.0/24 --expires-at 2030-01-31T00:00:00Z',
    'create --name payments --roles publish --kind signing',
    'create --name operations --roles admin --scope platform',
    'create --database --name first',
  ],
  async run(call, reach) {
    if (call.own.database !== true)
      return item(registry(call, reach).POST('/v1/keys', { body: asSent(call.body) }), SHOWN_ONCE)
    const value = await (await import('./first-key.js')).makeFirstKey(nameOfFirst(call), reach.env)
    return { kind: 'item', value, note: `${SHOWN_ONCE} The services take it once the registry has run.` }
  },
}

/** It may do everything, for everybody: whatever is less is made with it. */
function nameOfFirst({ body }: Call): string {
  const { name, scope, roles, ...rest } = body
  const fits = scope === undefined || scope === 'platform'
  const admin = roles === undefined || (Array.isArray(roles) && roles.join() === 'admin')
  if (!fits || !admin || Object.keys(rest).length > 0)
    throw new UsageError('--database makes a key of the platform with the role admin: give it a --name alone.')
  if (typeof name !== 'string' || name.trim() === '' || name.length > 128)
    throw new UsageError('--name must be 1 to 128 characters.')
  return name
}

const listAll: Verb = {
  does: 'lists keys, without what would let anybody use them',
  args: [],
  options: { scope: SCOPE },
  lists: true,
  examples: ['list', 'list --scope platform --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['id', 'kind', 'name', 'prefix', 'roles', 'allowed_ips', 'expires_at', 'last_used_at']
    return listed(call, columns, query => api.GET('/v1/keys', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a key, without what would let anybody use it',
  args: ['id'],
  options: { scope: SCOPE },
  lists: false,
  examples: ['get key_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/keys/{id}', { params: idOf(call) })),
}

const update: Verb = {
  does: 'changes what the options name, and nothing else',
  args: ['id'],
  options: {
    name: text('<text>', 'what it is for'),
    'allowed-ips': list('<cidrs>', 'ranges of addresses that it may be used from'),
    'expires-at': text('<time>', 'such as 2030-01-31T00:00:00Z'),
    body: BODY,
    unset: UNSET,
    scope: SCOPE,
    'if-version': IF_VERSION,
  },
  lists: false,
  examples: ['update key_01jz8m0 --allowed-ips 203.0.113.0/24,2001:db8::/32', 'update key_01jz8m0 --unset allowed_ips'],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/keys/{id}', { params: idOf(call), body: asSent(call.body) })),
}

const rotate: Verb = {
  does: 'gives a key another secret; the old one ends at once',
  args: ['id'],
  options: { scope: SCOPE, secret: SECRET, 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: ['rotate key_01jz8m0'],
  run: (call, reach) => {
    const body = call.body.secret === undefined ? {} : { body: asSent(call.body) }
    return item(registry(call, reach).POST('/v1/keys/{id}/rotate', { params: idOf(call), ...body }), SHOWN_ONCE)
  },
}

const revoke: Verb = {
  does: 'ends a key at once',
  args: ['id'],
  options: { scope: SCOPE },
  lists: false,
  examples: ['revoke key_01jz8m0', 'revoke key_01jz8m0 --scope platform'],
  run: (call, reach) => {
    const { id } = call.args
    const result = registry(call, reach).DELETE('/v1/keys/{id}', { params: idOf(call) })
    return done(result, { id, revoked: true }, `Revoked ${id}.`)
  },
}

const idOf = ({ args, query }: Call) => ({ path: { id: args.id! }, query: query as object })

export const KEYS: Noun = {
  name: 'keys',
  does: 'who may call the APIs',
  verbs: { create, list: listAll, get, update, rotate, revoke },
}
