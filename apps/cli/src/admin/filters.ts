import { asSent, item, registry } from './api.js'
import { BODY, json } from './options.js'
import type { Noun, Verb } from './verb.js'

const test: Verb = {
  does: 'tells whether a pattern takes an event, and if not, why',
  args: [],
  options: {
    pattern: json('<json>', 'as the filter of a webhook has it, as JSON, @file or - for stdin'),
    event: json('<json>', 'any JSON object; the pattern applies to its root'),
    body: BODY,
  },
  lists: false,
  examples: [
    `test --pattern '{"data": {"total": [{"numeric": [">", 100]}]}}' --event '{"data": {"total": 120}}'`,
    'test --pattern @filter.json --event @event.json --json',
  ],
  run: (call, reach) => item(registry(call, reach).POST('/v1/filters/test', { body: asSent(call.body) })),
}

export const FILTERS: Noun = { name: 'filters', does: 'patterns that pick events', verbs: { test } }
