import { asSent, item, listed, registry } from './api.js'
import { BETWEEN, QUERY, text } from './options.js'
import type { Noun, Verb } from './verb.js'

export const DELIVERY_COLUMNS = [
  'id',
  'status',
  'webhook',
  'event.type',
  'event.id',
  'attempts_made',
  'last_status_code',
  'updated_at',
]
const WEBHOOK = text('<id>', 'of this webhook', QUERY)
const EVENT_TYPE = text('<type>', 'of events of this type', QUERY)
/** Of lists of deliveries. */
export const OF_EVENTS = {
  webhook: WEBHOOK,
  event: text('<id>', 'of the event of this id', QUERY),
  'event-type': EVENT_TYPE,
  ...BETWEEN,
}

const list: Verb = {
  does: 'lists deliveries, newest first',
  args: [],
  options: {
    ...OF_EVENTS,
    run: text('<id>', 'that this replay was the last to send; 0 for live traffic', QUERY),
    status: text('<status>', 'pending, retry, delivered, exhausted, expired, gone or discarded', QUERY),
  },
  lists: true,
  examples: ['list --event my-first', 'list --webhook webhook_01jz8m0 --status retry --limit 1000 --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    return listed(call, DELIVERY_COLUMNS, query => api.GET('/v1/deliveries', { params: { query: asSent(query) } }))
  },
}

const attempts: Verb = {
  does: 'lists attempts, newest first',
  args: [],
  options: {
    webhook: WEBHOOK,
    delivery: text('<id>', 'of this delivery', QUERY),
    'event-type': EVENT_TYPE,
    run: text('<id>', 'of this replay; 0 for live traffic', QUERY),
    outcome: text('<outcome>', 'retry, delivered, exhausted, expired, gone or discarded', QUERY),
    ...BETWEEN,
  },
  lists: true,
  examples: ['attempts --webhook webhook_01jz8m0 --outcome retry'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['started_at', 'outcome', 'delivery', 'attempt', 'status_code', 'duration_ms', 'error']
    return listed(call, columns, query => api.GET('/v1/attempts', { params: { query: asSent(query) } }))
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

export const explain: Verb = {
  does: 'says why a delivery stands where it stands, when it goes on, and what to do',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['explain delivery_01jz8m0'],
  run: (call, reach) =>
    item(registry(call, reach).GET('/v1/deliveries/{id}/explanation', { params: { path: { id: call.args.id! } } })),
}

export const DELIVERIES: Noun = {
  name: 'deliveries',
  does: 'what became of events',
  verbs: { list, get, explain, attempts },
}
