import type { BuiltInEventType } from './event-type.js'
import { ANYTHING, COUNT, FLAG, ID, object, oneOf, TEXT, TEXTS } from './json-types.js'

const AGENT = { agent_id: 'agt_5fK2mQ', name: 'invoice-triage' } as const
const RUN = { ...AGENT, run_id: 'run_01J9ZC4T8E' } as const
const AGENT_FIELDS = { agent_id: ID, name: ID }
const RUN_FIELDS = { ...AGENT_FIELDS, run_id: ID }

/** The life of an agent, and what it does during a run. */
export const AGENT_EVENT_TYPES: readonly BuiltInEventType[] = [
  {
    type: 'agent.created',
    description: 'An agent was created and can be started.',
    schema: object({ ...AGENT_FIELDS }, { model: ID, tools: TEXTS, created_by: ID }),
    example: { ...AGENT, model: 'large-2', tools: ['search', 'mail'], created_by: 'user_418' },
  },
  {
    type: 'agent.updated',
    description: 'The settings of an agent changed; runs that have begun keep the old ones.',
    schema: object({ ...AGENT_FIELDS, changed: TEXTS }, { version: COUNT, updated_by: ID }),
    example: { ...AGENT, changed: ['tools'], version: 7, updated_by: 'user_418' },
  },
  {
    type: 'agent.deleted',
    description: 'An agent was deleted; it will not run again.',
    schema: object({ ...AGENT_FIELDS }, { deleted_by: ID, reason: TEXT }),
    example: { ...AGENT, deleted_by: 'user_418', reason: 'replaced by invoice-triage-2' },
  },
  {
    type: 'agent.started',
    description: 'A run of an agent began.',
    schema: object({ ...RUN_FIELDS }, { trigger: ID, input: ANYTHING }),
    example: { ...RUN, trigger: 'schedule', input: { mailbox: 'invoices@example.com' } },
  },
  {
    type: 'agent.stopped',
    description: 'A run of an agent ended, by itself or because somebody stopped it.',
    schema: object({ ...RUN_FIELDS, reason: ID }, { duration_ms: COUNT, steps: COUNT }),
    example: { ...RUN, reason: 'completed', duration_ms: 84_210, steps: 12 },
  },
  {
    type: 'agent.error',
    description: 'A run of an agent failed, or one of its steps did.',
    schema: object({ ...RUN_FIELDS, code: ID, message: TEXT }, { step: COUNT, retriable: FLAG }),
    example: { ...RUN, code: 'tool_timeout', message: 'mail did not answer within 30 s', step: 4, retriable: true },
  },
  {
    type: 'agent.message',
    description: 'An agent said something to a person or to another agent.',
    schema: object({ ...RUN_FIELDS, role: oneOf('assistant', 'user', 'system', 'tool'), text: TEXT }),
    example: { ...RUN, role: 'assistant', text: 'Invoice 2026-118 is 14 days overdue. Remind the customer?' },
  },
  {
    type: 'agent.action',
    description: 'An agent used one of its tools.',
    schema: object({ ...RUN_FIELDS, tool: ID }, { step: COUNT, arguments: ANYTHING }),
    example: { ...RUN, step: 5, tool: 'mail', arguments: { to: 'billing@example.com', template: 'reminder' } },
  },
  {
    type: 'agent.result',
    description: 'An agent delivered the result of a run.',
    schema: object({ ...RUN_FIELDS, result: true }, { tokens: object({}, { input: COUNT, output: COUNT }) }),
    example: { ...RUN, result: { reminded: 3, escalated: 1 }, tokens: { input: 18_204, output: 2_411 } },
  },
]
