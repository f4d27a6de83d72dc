import { MEDIA_TYPE, RESERVED_PREFIX, TENANT_PATTERN } from '@posthorn/webhook'
import { IDEMPOTENCY, KEY, REQUEST_ID, TENANT } from './openapi-parts.js'

/*
 * POST /v1/publish as the OpenAPI document has it. Written by hand: no class could say that one path takes
 * an event, an array, and CloudEvents in three modes. A spec of ingest publishes each of its examples.
 */

/** Without control characters. */
const TEXT = { type: 'string', minLength: 1, pattern: '^[^\\u0000-\\u001f\\u007f]*$' } as const
const TYPE = { type: 'string', maxLength: 128, pattern: '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$' } as const
const ATTRIBUTES = {
  type: { ...TYPE, description: `Dot-separated words; "${RESERVED_PREFIX}" is reserved.` },
  time: { type: 'string', format: 'date-time', description: 'The time of acceptance unless set.' },
  partitionkey: { ...TEXT, maxLength: 256, description: 'The ordering key.' },
  subject: { ...TEXT, maxLength: 1024 },
  dataschema: { ...TEXT, maxLength: 1024 },
  datacontenttype: {
    type: 'string',
    maxLength: 256,
    pattern: MEDIA_TYPE.source,
    description: 'Media type of the data: application/json unless set.',
  },
  tenant: { type: 'string', pattern: TENANT_PATTERN.source, description: 'None but that of the request.' },
} as const
const DATA = {
  data: { description: 'Any JSON value, passed on byte for byte.' },
  data_base64: { type: 'string', description: 'In place of data where that is no JSON.' },
} as const
const id = (description: string) => ({ ...TEXT, maxLength: 256, description })
const source = (description: string) => ({ ...TEXT, maxLength: 1024, description })

/** What the operation refers to. */
export const PUBLISH_SCHEMAS = {
  PublishEvent: {
    type: 'object',
    description: 'The plain form, with data or data_base64.',
    required: ['type'],
    additionalProperties: false,
    properties: {
      id: id('Sent again with the same source it is the same event; made here unless set.'),
      source: source('/v1/publish unless set.'),
      ...ATTRIBUTES,
      ...DATA,
    },
  },
  CloudEvent: {
    type: 'object',
    description: 'CloudEvents 1.0 in their JSON format. Further members are extensions, up to 32.',
    required: ['specversion', 'id', 'source', 'type'],
    properties: {
      specversion: { type: 'string', enum: ['1.0'] },
      id: id('Sent again with the same source it is the same event.'),
      source: source('Where the event comes from.'),
      ...ATTRIBUTES,
      ...DATA,
    },
    propertyNames: { pattern: '^([a-z0-9]{1,20}|data_base64)$' },
    additionalProperties: { description: 'A string, a boolean or a whole number.' },
  },
  PublishedEvent: {
    type: 'object',
    required: ['id', 'source'],
    properties: { id: { type: 'string' }, source: { type: 'string' } },
  },
} as const

const ref = (name: keyof typeof PUBLISH_SCHEMAS) => ({ $ref: `#/components/schemas/${name}` })
const many = (items: object) => ({ type: 'array', minItems: 1, maxItems: 1000, items })
const example = (value: unknown) => ({ examples: { example: { value } } })

const EVENT = { type: 'agent.created', data: { agent: 'a1' } }
const CLOUD_EVENT = { specversion: '1.0', id: '1', source: '/agents', ...EVENT }

/** Of the binary mode, in the order in which a reader wants them. */
const HEADERS = {
  specversion: { type: 'string', enum: ['1.0'] },
  id: { ...TEXT, maxLength: 256 },
  source: { ...TEXT, maxLength: 1024 },
  type: TYPE,
  time: { type: 'string', format: 'date-time' },
  partitionkey: { ...TEXT, maxLength: 256 },
  subject: { ...TEXT, maxLength: 1024 },
} as const
const BINARY = Object.entries(HEADERS).map(([name, schema]) => ({
  name: `ce-${name}`,
  in: 'header',
  required: false,
  description: 'CloudEvents, binary mode: with any such header the body is the data, of any media type.',
  schema,
}))

const answer = (name: 'Refused' | 'Failed') => ({ $ref: `#/components/responses/${name}` })

/** The item of the path. Whoever serves it elsewhere than under "/" adds `servers`. */
export const PUBLISH_PATH = {
  post: {
    operationId: 'publish',
    summary: 'Publish events',
    description:
      'Answered once the in-sync replicas of Kafka have all of them. One event or an array, plain or as CloudEvents, ' +
      'structured, batched or binary (`ce-` headers, the data as the body). All are accepted, or none.',
    tags: ['publish'],
    security: [{ [KEY]: [] }],
    parameters: [
      TENANT,
      {
        ...IDEMPOTENCY,
        description: 'The ids that are made for plain events without one are derived from it and their places.',
      },
      ...BINARY,
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: {
            anyOf: [ref('PublishEvent'), ref('CloudEvent'), many({ anyOf: [ref('PublishEvent'), ref('CloudEvent')] })],
          },
          examples: { one: { value: EVENT }, many: { value: [EVENT, { ...EVENT, id: 'my-second' }] } },
        },
        'application/cloudevents+json': { schema: ref('CloudEvent'), ...example(CLOUD_EVENT) },
        'application/cloudevents-batch+json': { schema: many(ref('CloudEvent')), ...example([CLOUD_EVENT]) },
        'application/octet-stream': {
          schema: {
            type: 'string',
            format: 'binary',
            description: 'Binary mode: this, or any other type. Without a body the event has no data.',
          },
        },
      },
    },
    responses: {
      '202': {
        description: 'Accepted: the identity of the event, or of each event of an array in its order.',
        headers: REQUEST_ID,
        content: {
          'application/json': {
            schema: {
              anyOf: [
                ref('PublishedEvent'),
                {
                  type: 'object',
                  required: ['data'],
                  properties: { data: { type: 'array', items: ref('PublishedEvent') } },
                },
              ],
            },
          },
        },
      },
      '4XX': answer('Refused'),
      '5XX': answer('Failed'),
    },
  },
} as const

const signedHeader = (name: string, description: string, schema: object = { type: 'string' }) => ({
  name: `webhook-${name}`,
  in: 'header',
  required: true,
  description,
  schema,
})
const { 'application/octet-stream': _binary, ...SIGNED_CONTENT } = PUBLISH_PATH.post.requestBody.content

/** The same without a key: a Standard Webhooks signature stands in its place. */
export const SIGNED_PUBLISH_PATH = {
  post: {
    ...PUBLISH_PATH.post,
    operationId: 'publish_signed',
    summary: 'Publish events, signed',
    description:
      'For a producer that signs, and for any sender of Standard Webhooks: the path names a key of kind `signing`. ' +
      'The body is one event or an array, plain (its time may be called `timestamp`) or as CloudEvents in JSON.',
    security: [],
    parameters: [
      { name: 'key', in: 'path', required: true, description: 'The id of the key.', schema: { type: 'string' } },
      signedHeader('id', 'The id of a lone event that has none; svix-id is taken, too.'),
      signedHeader('timestamp', 'Seconds since the epoch, within 5 minutes of now.', {
        type: 'string',
        pattern: '^\\d{1,12}$',
      }),
      signedHeader('signature', 'v1,… (HMAC-SHA256) or v1a,… (Ed25519) over id.timestamp.body, parted by spaces.'),
    ],
    requestBody: { required: true, content: SIGNED_CONTENT },
  },
} as const

/** Where the registry's document says that the path is served: a service and a port of its own. */
export const PUBLISH_SERVERS = [
  {
    url: '{ingest}',
    description: 'Ingest, which takes events; the rest is answered by the registry.',
    variables: {
      ingest: { default: 'http://127.0.0.1:8081', description: 'Where ingest listens (POSTHORN_INGEST_PORT).' },
    },
  },
] as const
