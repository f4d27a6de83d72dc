import { asSent, listed, registry } from './api.js'
import { BETWEEN, QUERY, text } from './options.js'
import type { Noun, Verb } from './verb.js'

const list: Verb = {
  does: 'lists changes, newest first; with --json, what was there before and after',
  args: [],
  options: {
    scope: text('<scope>', 'tenant (unless set), platform or all', QUERY),
    subject: text('<id>', 'of this webhook, key, …', QUERY),
    action: text('<action>', 'such as webhook.updated', QUERY),
    'by-key': text('<id>', 'made with this key', QUERY),
    ...BETWEEN,
  },
  lists: true,
  examples: ['list --subject webhook_01jz8m0', 'list --scope all --action key.created --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    // --key is the key to call with, here as everywhere.
    const { by_key: key, ...rest } = call.query
    const query = key === undefined ? rest : { ...rest, key }
    const columns = ['at', 'action', 'subject', 'tenant', 'key', 'address', 'request_id']
    return listed({ ...call, query }, columns, asked => api.GET('/v1/audit', { params: { query: asSent(asked) } }))
  },
}

export const AUDIT: Noun = { name: 'audit', does: 'who changed what', verbs: { list } }
