import { asSent, item, listed, registry } from './api.js'
import { BODY, flag, IDEMPOTENCY, list, number, QUERY, text } from './options.js'
import type { Call, Noun, OptionSpec, Reach, Verb } from './verb.js'

const RATE = number('<n>', 'deliveries a second, 1 to 10000 (100)')

/** What picks deliveries, for whoever sends them again. */
export const SELECTION: Readonly<Record<string, OptionSpec>> = {
  deliveries: list('<ids>', 'these deliveries, whatever they came to; nothing else is picked then'),
  webhook: text('<id>', 'of this webhook'),
  'event-type': text('<type>', 'of events of this type, or of a pattern such as agent.*'),
  from: text('<time>', 'of events accepted at this time or later, such as 2027-01-31T12:00:00Z'),
  to: text('<time>', 'of events accepted before this time; else until now'),
  rate: RATE,
  'dry-run': flag('counts, and sends nothing', { kind: 'body' }),
  'idempotency-key': IDEMPOTENCY,
}

/** Makes a replay; how far it has come is asked for by its id. */
export function createReplay(call: Call, reach: Reach) {
  const note = '"posthorn replays get <id>" tells how far it has come.'
  return item(registry(call, reach).POST('/v1/replays', { body: asSent(call.body) }), note)
}

const create: Verb = {
  does: 'sends deliveries again, or the log to a webhook that came later',
  args: [],
  options: {
    ...SELECTION,
    source: text('<source>', 'history (deliveries there were) or log (events, to one webhook)'),
    status: list('<statuses>', 'that came to this; else all that ended without success'),
    body: BODY,
  },
  lists: false,
  examples: [
    'create --webhook webhook_01jz8m0 --status exhausted,expired --dry-run',
    'create --deliveries delivery_01jz8m0,delivery_01jz8m1',
    'create --source log --webhook webhook_01jz8m0 --from 2027-01-31T12:00:00Z --rate 500',
  ],
  run: createReplay,
}

const listAll: Verb = {
  does: 'lists replays, newest first',
  args: [],
  options: { status: text('<status>', 'queued, running, paused, done, cancelled or failed', QUERY) },
  lists: true,
  examples: ['list', 'list --status running --json'],
  run: (call, reach) => {
    const api = registry(call, reach)
    const columns = [
      'id',
      'status',
      'dry_run',
      'webhook',
      'source',
      'total',
      'matched',
      'sent',
      'skipped',
      'created_at',
    ]
    return listed(call, columns, query => api.GET('/v1/replays', { params: { query: asSent(query) } }))
  },
}

const get: Verb = {
  does: 'shows a replay, and how far it has come',
  args: ['id'],
  options: {},
  lists: false,
  examples: ['get replay_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).GET('/v1/replays/{id}', { params: idOf(call) })),
}

const update: Verb = {
  does: 'changes the rate of a replay, also while it runs',
  args: ['id'],
  options: { rate: RATE },
  lists: false,
  examples: ['update replay_01jz8m0 --rate 20'],
  run: (call, reach) =>
    item(registry(call, reach).PATCH('/v1/replays/{id}', { params: idOf(call), body: asSent(call.body) })),
}

const pause: Verb = {
  does: 'holds a replay; what was sent is delivered all the same',
  args: ['id'],
  options: { 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: ['pause replay_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/replays/{id}/pause', { params: idOf(call) })),
}

const resume: Verb = {
  does: 'lets a paused replay go on where it stood',
  args: ['id'],
  options: { 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: ['resume replay_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/replays/{id}/resume', { params: idOf(call) })),
}

const cancel: Verb = {
  does: 'ends a replay; what was sent is delivered all the same',
  args: ['id'],
  options: { 'idempotency-key': IDEMPOTENCY },
  lists: false,
  examples: ['cancel replay_01jz8m0'],
  run: (call, reach) => item(registry(call, reach).POST('/v1/replays/{id}/cancel', { params: idOf(call) })),
}

const idOf = ({ args }: Call) => ({ path: { id: args.id! } })

export const REPLAYS: Noun = {
  name: 'replays',
  does: 'deliveries that are sent again',
  verbs: { create, list: listAll, get, update, pause, resume, cancel },
}
