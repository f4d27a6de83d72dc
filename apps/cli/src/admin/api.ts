import { createApiClient, type ApiClient } from '@posthorn/api/client'
import { CommandFault } from '../command.js'
import { ApiFailure, unreachable } from './failure.js'
import type { Answer, Call, JsonObject, Page, Reach } from './verb.js'

/** What the client resolves with. */
type Result = Promise<{ readonly data?: unknown; readonly error?: unknown; readonly response: Response }>

/** The largest page of the API. */
const PAGE = 250

/** The registry's client; the headers that the options ask for go with every request. */
export function registry({ headers }: Pick<Call, 'headers'>, { connection }: Pick<Reach, 'connection'>): ApiClient {
  const { api: url, key, tenant } = connection()
  const client = createApiClient({ url, key, tenant })
  client.use({
    onRequest: ({ request }) => {
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value)
    },
    onError: ({ error }) => unreachable(url, '--api-url (POSTHORN_API_URL)', error),
  })
  return client
}

/** What the options came to, for whatever the contract wants there: the registry checks it, and says what is wrong by field. */
export function asSent(value: JsonObject): never {
  return value as never
}

/** Resolves with the answer's data. Throws ApiFailure with the problem. */
export async function taken(result: Result): Promise<unknown> {
  const { data, error, response } = await result.catch((cause: unknown) => {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new CommandFault('The answer is no JSON: is --api-url (POSTHORN_API_URL) the registry?', { cause })
  })
  if (!response.ok) throw ApiFailure.of(response, error)
  return data
}

/** One thing, with a note for whoever reads it. */
export async function item(result: Result, note?: string): Promise<Answer> {
  const value = (await taken(result)) as object
  return note === undefined ? { kind: 'item', value } : { kind: 'item', value, note }
}

/** What has no answer of its own but that it is done. */
export async function done(result: Result, value: object, sentence: string): Promise<Answer> {
  await taken(result)
  return { kind: 'done', value, sentence }
}

/** A list over as many pages as its limit takes; `ask` gets one page. */
export async function listed(
  { limit, cursor, query }: Call,
  columns: readonly string[],
  ask: (query: JsonObject) => Result,
): Promise<Answer> {
  const data: object[] = []
  let next: string | null = cursor ?? null
  do {
    const place: JsonObject = next === null ? {} : { cursor: next }
    const page = (await taken(ask({ ...query, ...place, limit: Math.min(PAGE, limit - data.length) }))) as
      Page | undefined
    if (!Array.isArray(page?.data))
      throw new CommandFault('The answer is no list: is --api-url (POSTHORN_API_URL) the registry?')
    data.push(...page.data)
    next = page.next_cursor ?? null
  } while (next !== null && data.length < limit)
  return { kind: 'list', columns, page: { data, next_cursor: next } }
}
