import { asSent, done, item, listed, registry } from './api.js'
import { BODY, IDEMPOTENCY, IF_VERSION, list, number, QUERY, text, UNSET } from './options.js'
import type { Call, OptionSpec, Verb } from './verb.js'

const SCOPE = text('<scope>', 'tenant (unless set) or platform', QUERY)

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  name: text('<text>', 'what it is called'),
  to: list('<addresses>', 'of email: who is written to'),
  url: text('<url>', 'of slack: the incoming webhook'),
  rules: list('<ids>', 'alerts of these rules or metrics alone'),
  severities: list('<severities>', 'of these severities alone'),
  tenants: list('<ids>', "of the platform's: about these tenants alone"),
  webhook: text('<id>', 'about this webhook alone'),
  'group-seconds': number('<n>', 'so long it is waited for more to be told at once'),
  'repeat-seconds': number('<n>', 'what still fires is told again after so long; 0: never'),
  body: BODY,
}

const listChannels: Verb = {
  does: 'lists channels',
  args: [],
  options: { scope: SCOPE },
  lists: true,
  examples: ['channels list --scope platform'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['id', 'type', 'name', 'host', 'to', 'severities', 'enabled']
    return listed(call, columns, query => api.GET('/v1/alert-channels', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a channel',
  args: ['id'],
  options: { scope: SCOPE },
  lists: false,
  examples: ['channels get channel_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/alert-channels/{id}', { params: named(call) })),
}

const create: Verb = {
  does: 'has alerts told to a channel',
  args: [],
  options: {
    type: text('<type>', 'email or slack'),
    ...FIELDS,
    scope: text('<scope>', 'tenant (unless set) or platform'),
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: ['channels create --type email --name team --to team@example.com'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/alert-channels', { body: asSent(call.body) })),
}

const update: Verb = {
  does: 'changes what the options name, and nothing else',
  args: ['id'],
  options: { ...FIELDS, scope: SCOPE, unset: UNSET, 'if-version': IF_VERSION },
  lists: false,
  examples: ['channels update channel_01jz8m0 --severities critical'],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/alert-channels/{id}', { params: named(call), body: asSent(call.body) })),
}

const test: Verb = {
  does: 'sends a test, and says what came of it',
  args: ['id'],
  options: { scope: SCOPE },
  lists: false,
  examples: ['channels test channel_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/alert-channels/{id}/test', { params: named(call) })),
}

const remove: Verb = {
  does: 'removes a channel',
  args: ['id'],
  options: { scope: SCOPE, 'if-version': IF_VERSION },
  lists: false,
  examples: ['channels delete channel_01jz8m0'],
  run: (call, reach) => {
    const { id } = call.args
    const result = registry(call, reach).DELETE('/v1/alert-channels/{id}', { params: named(call) })
    return done(result, { id, deleted: true }, `Deleted ${id}.`)
  },
}

const named = ({ args, query }: Call) => ({ path: { id: args.id! }, query: asSent(query) })

export const CHANNEL_VERBS: Readonly<Record<string, Verb>> = {
  'channels list': listChannels,
  'channels get': get,
  'channels create': create,
  'channels update': update,
  'channels test': test,
  'channels delete': remove,
}
