import { asSent, registry, taken } from './api.js'
import { BETWEEN, QUERY, text } from './options.js'
import type { Answer, Noun, Page, Verb } from './verb.js'

const get: Verb = {
  does: 'shows how attempts went over time',
  args: [],
  options: {
    webhook: text('<id>', 'to this webhook; else to all', QUERY),
    step: text('<step>', 'minute, hour (unless set) or day', QUERY),
    ...BETWEEN,
  },
  lists: false,
  examples: ['get', 'get --webhook webhook_01jz8m0 --step day --from 2027-01-01T00:00:00Z --json'],
  async run(call, reach): Promise<Answer> {
    const page = await taken(registry(call, reach).GET('/v1/stats', { params: { query: asSent(call.query) } }))
    const outcomes = ['delivered', 'retry', 'exhausted', 'expired', 'gone', 'discarded'].map(each => `outcomes.${each}`)
    const columns = ['start', 'attempts', 'success_rate', ...outcomes, 'mean_duration_ms', 'max_duration_ms']
    return { kind: 'list', columns, page: page as Page }
  },
}

export const STATS: Noun = { name: 'stats', does: 'how attempts went over time', verbs: { get } }
