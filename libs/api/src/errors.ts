import type { Problem } from '@posthorn/webhook'

/** One entry of the catalogue: what the caller sees and what it can do. */
interface ErrorEntry {
  readonly status: number
  readonly title: string
  /** What to do next. */
  readonly action: string
}

/**
 * Every error that the HTTP APIs answer, by its stable code. A code is never reused for another
 * meaning; docs/errors.md is checked against this list.
 */
export const ERRORS = {
  body_invalid: {
    status: 400,
    title: 'The body could not be read',
    action: 'Send a JSON body with a content-type that the endpoint takes.',
  },
  request_invalid: {
    status: 400,
    title: 'The request is not valid',
    action: 'Correct the fields that errors[] names.',
  },
  event_invalid: { status: 400, title: 'The event is not valid', action: 'Correct the fields that errors[] names.' },
  batch_size: {
    status: 400,
    title: 'The batch has no event or too many',
    action: 'Send 1 to 1,000 events in one request.',
  },
  cursor_invalid: {
    status: 400,
    title: 'The cursor is not valid',
    action: 'Use next_cursor of the page before, with the same filters, or start without a cursor.',
  },
  key_missing: { status: 401, title: 'No key was sent', action: 'Send Authorization: Bearer <key>.' },
  key_invalid: {
    status: 401,
    title: 'The key is not known',
    action: 'Check the key; a deleted or rotated key is not known any more.',
  },
  key_expired: { status: 401, title: 'The key has expired', action: 'Make another key, or rotate this one.' },
  signature_missing: {
    status: 401,
    title: 'The request is not signed',
    action: 'Send webhook-id, webhook-timestamp and webhook-signature by Standard Webhooks.',
  },
  signature_stale: {
    status: 401,
    title: 'The request was not signed just now',
    action: 'Sign each request when it is sent, within 5 minutes of the time here; check the clock.',
  },
  signature_invalid: {
    status: 401,
    title: 'The signature does not fit',
    action: 'Sign the bytes of the body as they are sent, with the secret of the key that the path names.',
  },
  role_missing: {
    status: 403,
    title: 'The key may not do this',
    action: 'Use a key with the role that the detail names.',
  },
  address_not_allowed: {
    status: 403,
    title: 'The key may not be used from this address',
    action: 'Call from an address in the allowed_ips of the key, or change them.',
  },
  tenant_not_found: {
    status: 404,
    title: 'The tenant does not exist',
    action: 'Check the header Posthorn-Tenant; without it the tenant is default.',
  },
  webhook_not_found: {
    status: 404,
    title: 'The webhook does not exist',
    action: 'Check the id; a deleted webhook cannot be read.',
  },
  secret_not_found: {
    status: 404,
    title: 'The secret does not exist',
    action: 'Check the id; a secret is gone once its overlap is over.',
  },
  key_not_found: {
    status: 404,
    title: 'The key does not exist',
    action: 'Check the id; a deleted key cannot be read.',
  },
  event_not_found: {
    status: 404,
    title: 'The event is not in the history',
    action: 'Check the id. History follows delivery by some moments and is kept for POSTHORN_MONITOR_RETENTION_DAYS.',
  },
  delivery_not_found: {
    status: 404,
    title: 'The delivery is not in the history',
    action: 'Check the id. History follows delivery by some moments and is kept for POSTHORN_MONITOR_RETENTION_DAYS.',
  },
  poison_not_found: {
    status: 404,
    title: 'The record is not among the poison',
    action: 'Check the id. Poison is listed some moments after it was set aside, for POSTHORN_MONITOR_RETENTION_DAYS.',
  },
  poison_redriven: {
    status: 409,
    title: 'The record was redriven already',
    action: 'If it could not be handled again, it is listed under another id, with a higher count: redrive that one.',
  },
  poison_not_redrivable: {
    status: 409,
    title: 'The record cannot be put back as it was',
    action: 'Do what the detail says; of an event, publish it anew with the same id.',
  },
  alert_not_found: {
    status: 404,
    title: 'The alert does not exist',
    action: 'Check the id and the scope; what has ended is kept for POSTHORN_MONITOR_RETENTION_DAYS.',
  },
  alert_rule_not_found: {
    status: 404,
    title: 'The rule does not exist',
    action: 'Check the id and the scope; GET /v1/alert-rules lists those that there are.',
  },
  alert_channel_not_found: {
    status: 404,
    title: 'The channel does not exist',
    action: 'Check the id and the scope; GET /v1/alert-channels lists those that there are.',
  },
  alert_silence_not_found: {
    status: 404,
    title: 'The silence does not exist',
    action: 'Check the id and the scope; a silence is forgotten a day after its end.',
  },
  replay_not_found: {
    status: 404,
    title: 'The replay does not exist',
    action: 'Check the id; a replay is forgotten 30 days after its end.',
  },
  route_not_found: {
    status: 404,
    title: 'There is nothing at this path',
    action: 'Check the method and the path; the API is under /v1.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The path does not take this method',
    action: 'Use one of the methods in the Allow header.',
  },
  source_not_found: {
    status: 404,
    title: 'The source does not exist',
    action: 'Check the id; a deleted source cannot be read, and those of the configuration are not shown.',
  },
  event_type_not_found: {
    status: 404,
    title: 'The event type does not exist',
    action: 'Check the name and the scope; GET /v1/event-types lists those that there are.',
  },
  tenant_exists: {
    status: 409,
    title: 'The id of the tenant is taken',
    action: 'Choose another id; the id of a deleted tenant is not given again.',
  },
  tenant_protected: {
    status: 409,
    title: 'The tenant cannot be deleted',
    action: 'Delete its webhooks and keys one by one; the tenant default always exists.',
  },
  event_type_exists: {
    status: 409,
    title: 'The event type exists already',
    action: 'Change it by PATCH /v1/event-types/{type}, or add a version of its schema.',
  },
  event_type_incompatible: {
    status: 409,
    title: 'The schema refuses what the version before allowed',
    action: 'Change what errors[] names, or send allow_breaking: true.',
  },
  event_type_archived: {
    status: 409,
    title: 'The event type is archived',
    action: 'Restore it by POST /v1/event-types/{type}/restore, and try again.',
  },
  uid_taken: {
    status: 409,
    title: 'Another webhook has this uid',
    action: 'Choose another uid, or change that webhook by PUT /v1/webhooks/by-uid/{uid}.',
  },
  webhook_disabled: {
    status: 409,
    title: 'The webhook is disabled',
    action: 'Enable it by POST /v1/webhooks/{id}/enable, and try again.',
  },
  webhook_pending: {
    status: 409,
    title: 'The receiver of the webhook has not agreed yet',
    action: 'Read its ownership, do what advice says, and send POST /v1/webhooks/{id}/verify.',
  },
  ownership_off: {
    status: 409,
    title: 'This deployment asks no receiver for its consent',
    action: 'Nothing is needed; a webhook that is still pending becomes active by POST /v1/webhooks/{id}/enable.',
  },
  dead_letter_discarded: {
    status: 409,
    title: 'The dead letter was discarded',
    action: 'Leave out what errors[] names: what was discarded is not sent again. Its event can be published anew.',
  },
  replay_ended: {
    status: 409,
    title: 'The replay is over',
    action: 'Make another one by POST /v1/replays.',
  },
  quota_reached: {
    status: 409,
    title: 'The quota of the tenant is reached',
    action: 'Delete what is not used, or have the quota raised.',
  },
  idempotency_running: {
    status: 409,
    title: 'The first request with this Idempotency-Key is still running',
    action: 'Send it again in some moments.',
  },
  idempotency_answer_lost: {
    status: 409,
    title: 'The answer to the first such request is lost',
    action: 'Read what it made or changed: that is kept. Send anything else with a key of its own.',
  },
  version_conflict: {
    status: 412,
    title: 'It was changed meanwhile',
    action: 'Read it again, and send the change with the new ETag.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    action: 'Send smaller or fewer events; the limit of one event is POSTHORN_INGEST_MAX_EVENT_BYTES.',
  },
  media_type_unsupported: { status: 415, title: 'The content type is not supported', action: 'Send application/json.' },
  event_type_unknown: {
    status: 422,
    title: 'The type of the event is not in the catalogue',
    action: 'Register it by POST /v1/event-types, or set unknown_event_types of the tenant to accept.',
  },
  event_schema_mismatch: {
    status: 422,
    title: 'The event does not fit the schema of its type',
    action: 'Correct the fields that errors[] names; GET /v1/event-types/{type} shows the schema.',
  },
  idempotency_mismatch: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    action: 'Use a key of its own for each request; the same key is for sending the same request again.',
  },
  rate_limited: {
    status: 429,
    title: 'The key sends more requests than it may',
    action: 'Send it again after the seconds of Retry-After; RateLimit says how many are left.',
  },
  handshake_limited: {
    status: 429,
    title: 'The receiver was asked a moment ago',
    action: 'Send it again after the seconds of Retry-After; GET /v1/webhooks/{id} has what it answered.',
  },
  wrong_keys_limited: {
    status: 429,
    title: 'Too many wrong keys came from this address',
    action: 'Correct the key, and send it again after the seconds of Retry-After.',
  },
  internal: {
    status: 500,
    title: 'Posthorn failed',
    action: 'Try again; if it lasts, look for the request id in the log.',
  },
  secret_sealed: {
    status: 500,
    title: 'The secret cannot be opened',
    action:
      'Tell the operator: POSTHORN_SEALING_KEYS lacks its master key. If that is lost, give another secret without overlap.',
  },
  database_rights: {
    status: 500,
    title: 'The service lacks a right on the database',
    action: 'Tell the operator to run what "posthorn database --grants" prints, as the owner of the tables.',
  },
  kafka_unavailable: {
    status: 503,
    title: 'Kafka did not acknowledge',
    action: 'Send the event again with the same id: it is delivered once.',
  },
  database_unavailable: {
    status: 503,
    title: 'The database cannot be reached',
    action: 'Try again in some moments; deliveries go on meanwhile.',
  },
  signing_unavailable: {
    status: 503,
    title: 'The secret of the key does not open',
    action: 'Give ingest the POSTHORN_SEALING_KEYS that the registry has, the one that the log names among them.',
  },
  egress_unavailable: {
    status: 503,
    title: 'The egress proxy does not let requests through',
    action: 'Tell the operator to look at POSTHORN_EGRESS_PROXY_URL and the proxy; try again when it works.',
  },
  starting: { status: 503, title: 'The service is not ready yet', action: 'Try again in some moments.' },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

/** Thrown by use cases, turned into problem+json at the edge. `errors` name the fields at fault. */
export class ApiError extends Error {
  readonly status: number

  constructor(
    readonly code: ErrorCode,
    detail: string,
    readonly errors: readonly Problem[] = [],
    /** Seconds after which it may be tried again; for 429 and 503. */
    readonly retryAfterS = 1,
  ) {
    super(detail)
    this.name = 'ApiError'
    this.status = ERRORS[code].status
  }
}

/** The body of an error by RFC 9457. */
export interface ProblemJson {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  readonly action: string
  readonly request_id: string
  readonly trace_id?: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** More would help nobody, and a body of 1 MB can have 50,000. */
const MAX_ERRORS = 100

/** `traceId` is that of the trace the request belongs to, if it said so. */
export function problemJson(error: ApiError, requestId: string, traceId?: string): ProblemJson {
  const { status, title, action } = ERRORS[error.code]
  return {
    type: `urn:posthorn:error:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    action,
    request_id: requestId,
    ...(traceId === undefined ? {} : { trace_id: traceId }),
    ...(error.errors.length === 0
      ? {}
      : { errors: error.errors.slice(0, MAX_ERRORS).map(({ pointer, message }) => ({ pointer, detail: message })) }),
  }
}
