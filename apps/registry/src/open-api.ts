import { PUBLISH_PATH, PUBLISH_SCHEMAS, PUBLISH_SERVERS, SIGNED_PUBLISH_PATH, type OpenApiOptions } from '@posthorn/api'

/** What the registry's OpenAPI document says beside its operations. */
export const OPEN_API: OpenApiOptions = {
  title: 'Posthorn',
  description:
    'Events to publish; tenants, keys, webhooks and sources; what happened to every delivery; who changed what.',
  tags: {
    publish: 'The way in: a service of its own, ingest, answers it.',
    webhooks: 'Where events are sent, and how.',
    tenants: 'Who has webhooks, events and keys of their own. For keys of the platform.',
    keys: 'API keys.',
    audit: 'Who changed what.',
    sources: 'Topics of your own whose records become events. For keys of the platform.',
    events: 'What was published.',
    deliveries: 'What became of each event at each webhook.',
    'dead-letters': 'Deliveries that ended without success.',
    attempts: 'Every request that was made, and how it ended.',
    alerts: 'What the monitor has raised, and what has ended.',
    'alert-rules': 'When alerts fire, and when they end.',
    'alert-channels': 'Who is told of alerts, and of which.',
    'alert-silences': 'What nobody is told of for a time.',
    stats: 'How attempts went over time, of a tenant or one webhook.',
    replays: 'Deliveries that are sent again.',
    poison: 'Records that could not be decoded or accepted, and their redrive.',
    filters: 'Patterns that pick events.',
    'event-types': 'Types of events, and the schemas of their data.',
  },
  paths: {
    '/v1/publish': { servers: PUBLISH_SERVERS, ...PUBLISH_PATH },
    '/v1/publish/{key}': { servers: PUBLISH_SERVERS, ...SIGNED_PUBLISH_PATH },
  },
  schemas: PUBLISH_SCHEMAS,
  pathParameters: {
    id: { description: 'The id, as a list or a creation answers it.' },
    uid: { description: 'Your own name for the webhook.' },
    secret: { description: 'The id of the secret.' },
    type: { description: 'The name of the event type, such as agent.created.' },
    number: { description: 'The number of the version.', schema: { type: 'integer', minimum: 1 } },
  },
}
