import { asSent, done, item, listed, registry } from './api.js'
import { BODY, IDEMPOTENCY, IF_VERSION, decimal, number, QUERY, text, UNSET } from './options.js'
import type { Call, OptionSpec, Verb } from './verb.js'

const SCOPE = text('<scope>', 'tenant (unless set) or platform', QUERY)

const FIELDS: Readonly<Record<string, OptionSpec>> = {
  threshold: decimal('<n>', 'an alert fires beyond it'),
  clear: decimal('<n>', 'and ends back at this value'),
  'window-seconds': number('<n>', 'what is counted is counted within so long'),
  'for-seconds': number('<n>', 'so long beyond the threshold until it fires'),
  severity: text('<severity>', 'warning or critical'),
  description: text('<text>', 'what it is for'),
  body: BODY,
}

const list: Verb = {
  does: 'lists rules',
  args: [],
  options: { scope: SCOPE },
  lists: true,
  examples: ['rules list --scope platform'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = [
      'id',
      'built_in',
      'metric',
      'threshold',
      'clear',
      'window_seconds',
      'for_seconds',
      'severity',
      'enabled',
    ]
    return listed(call, columns, query => api.GET('/v1/alert-rules', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a rule',
  args: ['id'],
  options: { scope: SCOPE },
  lists: false,
  examples: ['rules get dead_letters'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/alert-rules/{id}', { params: named(call) })),
}

const create: Verb = {
  does: 'makes a rule',
  args: [],
  options: {
    metric: text('<metric>', 'what is watched (docs/alerts.md)'),
    webhook: text('<id>', 'only about this one'),
    ...FIELDS,
    scope: text('<scope>', 'tenant (unless set) or platform'),
    'idempotency-key': IDEMPOTENCY,
  },
  lists: false,
  examples: ['rules create --metric webhook_success_rate --threshold 0.5 --severity critical'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/alert-rules', { body: asSent(call.body) })),
}

const update: Verb = {
  does: 'changes what the options name, and nothing else',
  args: ['id'],
  options: { ...FIELDS, scope: SCOPE, unset: UNSET, 'if-version': IF_VERSION },
  lists: false,
  examples: ['rules update dead_letters --scope platform --threshold 100'],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/alert-rules/{id}', { params: named(call), body: asSent(call.body) })),
}

const remove: Verb = {
  does: 'removes a rule, or undoes what was changed of a built-in one',
  args: ['id'],
  options: { scope: SCOPE, 'if-version': IF_VERSION },
  lists: false,
  examples: ['rules delete dead_letters'],
  run: (call, reach) => {
    const { id } = call.args
    const result = registry(call, reach).DELETE('/v1/alert-rules/{id}', { params: named(call) })
    return done(result, { id, deleted: true }, `Deleted ${id}.`)
  },
}

const named = ({ args, query }: Call) => ({ path: { id: args.id! }, query: asSent(query) })

export const RULE_VERBS: Readonly<Record<string, Verb>> = {
  'rules list': list,
  'rules get': get,
  'rules create': create,
  'rules update': update,
  'rules delete': remove,
}
