import { TENANT_PATTERN } from '@posthorn/webhook'
import { ERRORS, PROBLEM_MEDIA_TYPE } from './errors.js'

/** The name of the security scheme. */
export const KEY = 'key'
/** What every operation takes. */
export const TENANT = {
  name: 'Posthorn-Tenant',
  in: 'header',
  required: false,
  description: 'For keys of the platform: the tenant that the request is about; default unless set.',
  schema: { type: 'string', pattern: TENANT_PATTERN.source },
}
/** What every POST takes. */
export const IDEMPOTENCY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Sent again with the same key and body, the request is not run again, but answered as it was, for a day.',
  schema: { type: 'string', pattern: '^[\\x20-\\x7e]{1,255}$' },
}
const PROBLEM = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'code', 'detail', 'action', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Where the code is explained.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERRORS), description: 'Stable.' },
    detail: { type: 'string', description: 'What is wrong with this request.' },
    action: { type: 'string', description: 'What to do.' },
    request_id: { type: 'string', description: 'By which the logs and the audit know the request.' },
    trace_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string', description: 'JSON Pointer.' }, detail: { type: 'string' } },
      },
    },
  },
}

const text = (description: string) => ({ description, schema: { type: 'string' } })
const HEADERS = {
  RequestId: text('The X-Request-Id of the request, or one made here.'),
  ETag: text('The version, for If-Match.'),
  Location: text('Where what was created is read.'),
  IdempotentReplayed: text('true: the answer of an earlier request with the same Idempotency-Key.'),
  RateLimit: text('With a limit set: r requests are left, all of them again in t seconds.'),
  RateLimitPolicy: text('With a limit set: q requests may come at once.'),
  RetryAfter: text('Seconds, with 429 and 503.'),
}
const header = (name: keyof typeof HEADERS) => ({ $ref: `#/components/headers/${name}` })
/** The headers of every answer. */
export const REQUEST_ID = { 'Request-Id': header('RequestId') }
const LIMITED = { RateLimit: header('RateLimit'), 'RateLimit-Policy': header('RateLimitPolicy') }
const RETRIED = { 'Retry-After': header('RetryAfter') }

const problemAnswer = (description: string, headers: object) => ({
  description,
  headers: { ...REQUEST_ID, ...headers },
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
})

/** What the operations refer to. */
export const COMPONENTS = {
  schemas: { Problem: PROBLEM },
  headers: HEADERS,
  responses: {
    Refused: problemAnswer('The request cannot be done as it is: `code` and `action` say why and what to do.', {}),
    RateLimited: problemAnswer('The key sent more requests than it may.', RETRIED),
    Failed: problemAnswer('A failure that is not of the request: the same request may pass later.', RETRIED),
  },
}

/** The problems that every operation may answer. */
export const PROBLEM_ANSWERS = {
  '429': { $ref: '#/components/responses/RateLimited' },
  '4XX': { $ref: '#/components/responses/Refused' },
  '5XX': { $ref: '#/components/responses/Failed' },
}

/** The headers of an operation's answer that is no problem; `versioned` when what it answers has a version. */
export function headersOf(method: string, status: string, versioned: boolean): object {
  return {
    ...REQUEST_ID,
    ...LIMITED,
    ...(versioned ? { ETag: header('ETag') } : {}),
    ...(method === 'post' && status === '201' ? { Location: header('Location') } : {}),
    ...(method === 'post' ? { 'Idempotent-Replayed': header('IdempotentReplayed') } : {}),
  }
}
