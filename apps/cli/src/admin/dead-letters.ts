import { asSent, listed, registry } from './api.js'
import { DELIVERY_COLUMNS, OF_EVENTS } from './deliveries.js'
import { list, QUERY, text } from './options.js'
import { createReplay, SELECTION } from './replays.js'
import type { Call, Noun, Verb } from './verb.js'

/** How a delivery is given up; a discarded one was never tried. */
const DEAD = ['exhausted', 'expired', 'gone']

const listAll: Verb = {
  does: 'lists deliveries that were given up, newest first',
  args: [],
  options: { ...OF_EVENTS, status: text('<status>', 'exhausted, expired or gone', QUERY) },
  lists: true,
  examples: ['list', 'list --webhook webhook_01jz8m0 --from 2027-01-31T12:00:00Z'],
  run: (call, reach) => {
    const api = registry(call, reach)
    return listed(call, DELIVERY_COLUMNS, query => api.GET('/v1/dead-letters', { params: { query: asSent(query) } }))
  },
}

const redrive: Verb = {
  does: 'sends dead letters again, by a replay',
  args: [],
  options: { ...SELECTION, status: list('<statuses>', 'exhausted, expired, gone; else all of them') },
  lists: false,
  examples: [
    'redrive --webhook webhook_01jz8m0 --dry-run',
    'redrive --deliveries delivery_01jz8m0',
    'redrive --event-type agent.* --status exhausted --rate 50',
  ],
  run: (call, reach) => createReplay({ ...call, body: selection(call) }, reach),
}

/** Ids are taken whatever became of them; anything else picks of the dead letters alone. */
function selection({ body }: Call): Call['body'] {
  const isOpen = body.deliveries === undefined && Object.keys(body).some(name => !['rate', 'dry_run'].includes(name))
  return isOpen ? { status: DEAD, ...body } : body
}

export const DEAD_LETTERS: Noun = {
  name: 'dead-letters',
  does: 'deliveries that were given up',
  verbs: { list: listAll, redrive },
}
