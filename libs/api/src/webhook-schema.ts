import { FORMATS, MAX_CONCURRENCY, MAX_RATE, METHODS, ORDERINGS, RATE_UNITS } from '@posthorn/webhook'
import type { FieldSchema } from './documented.js'

export const MAX_DESCRIPTION = 1024

export const STRINGS = { type: 'object', additionalProperties: { type: 'string' } } as const
/** Fields of a webhook, as the OpenAPI document has them. */
export const WEBHOOK_SCHEMA = {
  url: { type: 'string', format: 'uri', maxLength: 2048, description: 'Absolute http or https URL.' },
  events: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: 100,
    description: 'Event types, and patterns such as agent.* or *.',
  },
  filter: {
    type: 'object',
    additionalProperties: true,
    description: 'Only events that fit are delivered: a pattern over attributes and data, see docs/filters.md.',
  },
  method: { enum: [...METHODS], default: 'POST' },
  ordering: {
    enum: [...ORDERINGS],
    default: 'none',
    description:
      'What is sent in order, one after another: nothing, events of one partitionkey, or all (docs/ordering.md).',
  },
  headers: { ...STRINGS, description: 'Sent with every request. Values are kept sealed and shown redacted.' },
  metadata: { ...STRINGS, description: 'Your own labels, by name.' },
  uid: { type: 'string', maxLength: 128, description: 'Your own name for it, once among your webhooks.' },
  description: { type: 'string', maxLength: MAX_DESCRIPTION },
  format: { enum: [...FORMATS], default: 'standard', description: 'What a request carries, see docs/formats.md.' },
  time: { type: 'string', format: 'date-time' },
  rateLimit: {
    type: 'object',
    description: 'Requests per second unless named otherwise; no limit unless set.',
    additionalProperties: false,
    properties: {
      requests: { type: 'integer', minimum: 1, maximum: MAX_RATE },
      per: { enum: [...RATE_UNITS] },
    },
  },
  maxConcurrency: {
    type: 'integer',
    minimum: 1,
    maximum: MAX_CONCURRENCY,
    description: 'Requests at once; unless set, what the deployment allows.',
  },
  sendTraceparent: {
    type: 'boolean',
    default: false,
    description: 'Whether requests carry the header traceparent, by which the receiver goes on with the trace.',
  },
} as const satisfies Record<string, FieldSchema>
export const OPTIONAL = { required: false } as const
export const NULLABLE = { required: false, nullable: true } as const
