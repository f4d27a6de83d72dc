import { asSent, done, item, listed, registry } from './api.js'
import { BODY, IDEMPOTENCY, IF_VERSION, list, QUERY, text } from './options.js'
import type { Call, OptionSpec, Verb } from './verb.js'

const SCOPE = text('<scope>', 'tenant (unless set) or platform', QUERY)

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  rules: list('<ids>', 'alerts of these rules or metrics alone'),
  severities: list('<severities>', 'of these severities alone'),
  tenants: list('<ids>', "of the platform's: about these tenants alone"),
  webhook: text('<id>', 'about this webhook alone'),
  'starts-at': text('<time>', 'unless set, now'),
  'ends-at': text('<time>', 'such as 2027-01-31T12:00:00Z'),
  comment: text('<text>', 'why'),
  body: BODY,
}

const listSilences: Verb = {
  does: 'lists silences',
  args: [],
  options: { scope: SCOPE },
  lists: true,
  examples: ['silences list --scope platform'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['id', 'ends_at', 'rules', 'severities', 'webhook', 'comment']
    return listed(call, columns, query => api.GET('/v1/alert-silences', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a silence',
  args: ['id'],
  options: { scope: SCOPE },
  lists: false,
  examples: ['silences get silence_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/alert-silences/{id}', { params: named(call) })),
}

const create: Verb = {
  does: 'silences alerts for a time',
  args: [],
  options: { ...FIELDS, scope: text('<scope>', 'tenant (unless set) or platform'), 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: ['silences create --rules certificate_expiring --ends-at 2027-01-31T12:00:00Z'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/alert-silences', { body: asSent(call.body) })),
}

const remove: Verb = {
  does: 'ends a silence',
  args: ['id'],
  options: { scope: SCOPE, 'if-version': IF_VERSION },
  lists: false,
  examples: ['silences delete silence_01jz8m0'],
  run: (call, reach) => {
    const { id } = call.args
    const result = registry(call, reach).DELETE('/v1/alert-silences/{id}', { params: named(call) })
    return done(result, { id, deleted: true }, `Deleted ${id}.`)
  },
}

const named = ({ args, query }: Call) => ({ path: { id: args.id! }, query: asSent(query) })

export const SILENCE_VERBS: Readonly<Record<string, Verb>> = {
  'silences list': listSilences,
  'silences get': get,
  'silences create': create,
  'silences delete': remove,
}
