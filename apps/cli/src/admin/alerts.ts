import { CHANNEL_VERBS } from './alert-channels.js'
import { RULE_VERBS } from './alert-rules.js'
import { SILENCE_VERBS } from './alert-silences.js'
import { asSent, item, listed, registry } from './api.js'
import { QUERY, text } from './options.js'
import type { Noun, Verb } from './verb.js'

const list: Verb = {
  does: 'lists alerts that fire and those that did, newest first',
  args: [],
  options: {
    status: text('<status>', 'firing or resolved', QUERY),
    rule: text('<id>', 'by this rule, or by every rule about this metric', QUERY),
    webhook: text('<id>', 'about this webhook', QUERY),
    scope: text('<scope>', 'tenant (unless set), platform or all', QUERY),
  },
  lists: true,
  examples: ['list --status firing', 'list --scope all --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['fired_at', 'status', 'severity', 'rule', 'tenant', 'webhook', 'subject', 'value', 'id']
    return listed(call, columns, query => api.GET('/v1/alerts', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows an alert, and who was told of it',
  args: ['id'],
  options: { scope: text('<scope>', 'tenant (unless set), platform or all', QUERY) },
  lists: false,
  examples: ['get alert_17 --scope all'],
  run: (call, reach) =>
    item(
      registry(call, reach).GET('/v1/alerts/{id}', {
        params: { path: { id: call.args.id! }, query: asSent(call.query) },
      }),
    ),
}

export const ALERTS: Noun = {
  name: 'alerts',
  does: 'what is to be looked at, by which rules, and who is told',
  verbs: { list, get, ...RULE_VERBS, ...CHANNEL_VERBS, ...SILENCE_VERBS },
}
