import { asSent, listed, registry } from './api.js'
import { BETWEEN, QUERY, text } from './options.js'
import type { Noun, Verb } from './verb.js'

const list: Verb = {
  does: 'lists records that were not accepted, newest first (keys of the platform)',
  args: [],
  options: {
    topic: text('<name>', 'that stood on this topic, without prefix', QUERY),
    reason: text('<reason>', 'set aside for this reason', QUERY),
    ...BETWEEN,
  },
  lists: true,
  examples: ['list', 'list --topic events.v1 --limit 1000 --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['at', 'topic', 'partition', 'offset', 'reason', 'detail']
    return listed(call, columns, query => api.GET('/v1/poison', { params: { query: asSent(query) } }))
  },
}

export const POISON: Noun = { name: 'poison', does: 'records that could not be taken', verbs: { list } }
