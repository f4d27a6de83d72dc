import { asSent, listed, registry, taken } from './api.js'
import { DELIVERY_COLUMNS, OF_EVENTS } from './deliveries.js'
import { flag, list, QUERY, text } from './options.js'
import { createReplay, SELECTION } from './replays.js'
import type { Call, Noun, Verb } from './verb.js'

/** How a delivery is given up; a discarded one was never tried. */
const DEAD = ['exhausted', 'expired', 'gone']

const listAll: Verb = {
  does: 'lists deliveries that were given up, newest first',
  args: [],
  options: {
    ...OF_EVENTS,
    status: text('<status>', 'exhausted, expired or gone', QUERY),
    state: text('<state>', 'open (unless set), or discarded', QUERY),
  },
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

interface Discarded {
  readonly discarded: number
  readonly more: boolean
}

const discard: Verb = {
  does: 'gives dead letters up for good: they are neither redriven nor listed as open any more',
  args: [],
  options: {
    deliveries: list('<ids>', 'of these deliveries; nothing else is picked then'),
    webhook: text('<id>', 'of this webhook'),
    'event-type': text('<type>', 'of events of this type, or of a pattern such as agent.*'),
    status: list('<statuses>', 'exhausted, expired, gone; else all of them'),
    from: text('<time>', 'of events accepted at this time or later, such as 2027-01-31T12:00:00Z'),
    to: text('<time>', 'of events accepted before this time; else until now'),
    'dry-run': flag('counts, and discards nothing', { kind: 'body' }),
  },
  lists: false,
  examples: ['discard --webhook webhook_01jz8m0 --dry-run', 'discard --deliveries delivery_01jz8m0'],
  async run(call, reach) {
    const api = registry(call, reach)
    // Those that come meanwhile are not meant.
    const body = call.body.deliveries === undefined ? { to: new Date().toISOString(), ...call.body } : call.body
    let discarded = 0
    for (let more = true; more;) {
      const answer = (await taken(api.POST('/v1/dead-letters/discard', { body: asSent(body) }))) as Discarded
      discarded += answer.discarded
      more = answer.more && call.body.dry_run !== true
    }
    const sentence = call.body.dry_run === true ? `${discarded} would be discarded.` : `Discarded ${discarded}.`
    return { kind: 'done', value: { discarded, dry_run: call.body.dry_run === true }, sentence }
  },
}

const check: Verb = {
  does: 'holds the topic of dead letters against the database; status 1 when they differ',
  args: [],
  options: {},
  lists: false,
  examples: ['check', 'check --json'],
  async run(_call, { env }) {
    const { differences, agree, behind, forgotten, discarded, unreadable } = await (
      await import('./dead-letter-check.js')
    ).checkDeadLetters(env)
    const sentence = [
      `${agree} agree, ${differences.length} differ; the history has ${discarded} that were discarded.`,
      `Only on the topic: ${behind} that the monitor has not read yet, ${forgotten} older than the history or of deleted tenants, ${unreadable} unreadable.`,
      ...new Set(differences.map(({ kind, advice }) => `${kind}: ${advice}`)),
    ].join('\n')
    const columns = ['kind', 'delivery', 'run', 'webhook', 'tenant', 'position']
    const page = { data: differences, agree, behind, forgotten, discarded, unreadable }
    return { kind: 'list', page, columns, checked: { sentence, failed: differences.length > 0 } }
  },
}

/** Ids are taken whatever became of them; anything else picks of the dead letters alone. */
function selection({ body }: Call): Call['body'] {
  const isOpen = body.deliveries === undefined && Object.keys(body).some(name => !['rate', 'dry_run'].includes(name))
  return isOpen ? { status: DEAD, ...body } : body
}

export const DEAD_LETTERS: Noun = {
  name: 'dead-letters',
  does: 'deliveries that were given up',
  verbs: { list: listAll, redrive, discard, check },
}
