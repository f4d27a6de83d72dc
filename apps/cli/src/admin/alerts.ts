import { asSent, listed, registry } from './api.js'
import { QUERY, text } from './options.js'
import type { Noun, Verb } from './verb.js'

const list: Verb = {
  does: 'lists alerts that fire and those that did, newest first',
  args: [],
  options: {
    status: text('<status>', 'firing or resolved', QUERY),
    webhook: text('<id>', 'about this webhook', QUERY),
    scope: text('<scope>', 'tenant (unless set), platform or all', QUERY),
  },
  lists: true,
  examples: ['list --status firing', 'list --scope all --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['fired_at', 'status', 'severity', 'rule', 'tenant', 'webhook', 'attempts', 'delivered', 'id']
    return listed(call, columns, query => api.GET('/v1/alerts', { params: { query: asSent(query) } }))
  },
}

export const ALERTS: Noun = { name: 'alerts', does: 'what is to be looked at', verbs: { list } }
