import { asSent, listed, registry } from './api.js'
import type { Noun, Verb } from './verb.js'

const list: Verb = {
  does: 'lists records that were not accepted, newest first (keys of the platform)',
  args: [],
  options: {},
  lists: true,
  examples: ['list', 'list --limit 1000 --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['at', 'topic', 'partition', 'offset', 'reason', 'detail']
    return listed(call, columns, query => api.GET('/v1/poison', { params: { query: asSent(query) } }))
  },
}

export const POISON: Noun = { name: 'poison', does: 'records that could not be taken', verbs: { list } }
