import createClient, { type Client } from 'openapi-fetch'
import type { components, paths } from './openapi-types.js'

/** The schemas of the contract by name: `ApiSchemas['WebhookView']`. */
export type ApiSchemas = components['schemas']
export type ApiProblem = ApiSchemas['Problem']

export interface ApiClientOptions {
  /** Of the registry, such as http://127.0.0.1:8080; of ingest for /v1/publish. */
  readonly url: string
  /** An API key. */
  readonly key: string
  /** For keys of the platform: whom every request is about; `default` unless set. */
  readonly tenant?: string | undefined
  /** How long an answer may take, in milliseconds; 15 s unless set. */
  readonly timeoutMs?: number
}

export type ApiClient = Client<paths>

/** What a call of the client resolves with. */
interface Answered<T> {
  readonly data?: T
  readonly error?: unknown
  readonly response: Response
}

/** The data of an answer, for callers that expect no problem: one rejects, and says all of itself. */
export async function answerOf<T>(call: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${JSON.stringify(error)}`)
  return data as T
}

/** More than the registry itself waits for its database. */
const TIMEOUT_MS = 15_000

/**
 * A client of the registry, or of ingest, with the types of its OpenAPI document.
 *
 *   const api = createApiClient({ url: 'http://127.0.0.1:8080', key })
 *   const { data, error } = await api.GET('/v1/webhooks/{id}', { params: { path: { id } } })
 *   if (error) …   // the problem: code, detail, action, request_id, errors
 *   const webhook = await answerOf(api.GET(…))   // or throws
 *   const ingest = createApiClient({ url: 'http://127.0.0.1:8081', key })
 *   await ingest.POST('/v1/publish', { body: { type: 'order.paid', data: { total: 120 } } })
 *
 * A problem is a value; no answer at all (refused, timed out) rejects, as fetch does.
 * `{ params: { header: { 'Idempotency-Key': … } } }` and `headers: { 'If-Match': … }` go with one request.
 */
export function createApiClient({ url, key, tenant, timeoutMs = TIMEOUT_MS }: ApiClientOptions): ApiClient {
  return createClient<paths>({
    baseUrl: url,
    headers: {
      authorization: `Bearer ${key}`,
      ...(tenant === undefined ? {} : { 'posthorn-tenant': tenant }),
    },
    fetch: request => fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]) }),
  })
}
