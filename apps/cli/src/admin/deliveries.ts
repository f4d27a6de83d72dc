import { asSent, item, listed, registry } from './api.js'
import { QUERY, text } from './options.js'
import type { Noun, Verb } from './verb.js'

const COLUMNS = ['id', 'status', 'webhook', 'event.type', 'event.id', 'attempts_made', 'last_status_code', 'updated_at']

const list: Verb = {
  does: 'lists deliveries, newest first',
  args: [],
  options: {
    webhook: text('<id>', 'of this webhook', QUERY),
    event: text('<id>', 'of the event of this id', QUERY),
    status: text('<status>', 'pending, delivered and the others of docs/retries.md', QUERY),
  },
  lists: true,
  examples: ['list --event my-first', 'list --webhook webhook_01jz8m0 --limit 1000 --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    return listed(call, COLUMNS, query => api.GET('/v1/deliveries', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a delivery with each of its attempts',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['get delivery_01jz8m0'],
  run: (call, reach) =>
    item(registry(call, reach).GET('/v1/deliveries/{id}', { params: { path: { id: call.args.id! } } })),
}

export const DELIVERIES: Noun = { name: 'deliveries', does: 'what became of events', verbs: { list, get } }
