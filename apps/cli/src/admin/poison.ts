import { asSent, item, listed, registry } from './api.js'
import { BETWEEN, IDEMPOTENCY, QUERY, text } from './options.js'
import type { Call, Noun, Verb } from './verb.js'

const list: Verb = {
  does: 'lists records that were not accepted, newest first',
  args: [],
  options: {
    scope: text('<scope>', 'tenant, platform or all; else all that the key may see', QUERY),
    topic: text('<name>', 'that stood on this topic, without prefix', QUERY),
    reason: text('<reason>', 'set aside for this reason', QUERY),
    status: text('<status>', 'open or redriven', QUERY),
    ...BETWEEN,
  },
  lists: true,
  examples: ['list', 'list --status open --topic events.v1 --limit 1000 --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = ['at', 'topic', 'partition', 'offset', 'reason', 'count', 'status', 'detail', 'id']
    return listed(call, columns, query => api.GET('/v1/poison', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a record that was not accepted, with its value in base64',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['get poison_MTc2Mz', 'get poison_MTc2Mz --json'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/poison/{id}', { params: idOf(call) })),
}

const redrive: Verb = {
  does: 'puts a record back, as it was, for whoever could not handle it',
  args: ['id'],
  options: { 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: ['redrive poison_MTc2Mz'],
  run: (call, reach) => {
    const note = 'If it cannot be handled now either, it is listed under another id, with a higher count.'
    return item(registry(call, reach).POST('/v1/poison/{id}/redrive', { params: idOf(call) }), note)
  },
}

const idOf = ({ args }: Call) => ({ path: { id: args.id! } })

export const POISON: Noun = { name: 'poison', does: 'records that could not be taken', verbs: { list, get, redrive } }
