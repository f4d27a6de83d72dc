import { CommandFault } from '../command.js'
import type { Connection } from './connection.js'
import { ApiFailure, unreachable } from './failure.js'

/** What ingest promises to answer within is 10 s. */
const TIMEOUT_MS = 15_000

interface Published {
  readonly id: string
  readonly source: string
}
type PublishAnswer = Published | { readonly data: readonly Published[] }

/** Posts to ingest; `body` is sent byte for byte. Throws ApiFailure, or CommandFault when nobody answers. */
export async function publish(
  { publish: url, key, tenant }: Connection,
  body: string,
  contentType: string,
  headers: Readonly<Record<string, string>>,
): Promise<PublishAnswer> {
  const response = await fetch(`${url}/v1/publish`, {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': contentType,
      ...(tenant === undefined ? {} : { 'posthorn-tenant': tenant }),
      ...headers,
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw unreachable(url, '--publish-url (POSTHORN_PUBLISH_URL)', error)
  })
  const text = await response.text()
  const answer = parsed(text)
  if (!response.ok) throw ApiFailure.of(response, answer ?? text)
  if (answer === undefined)
    throw new CommandFault('The answer is no JSON: is --publish-url (POSTHORN_PUBLISH_URL) ingest?')
  return answer as PublishAnswer
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
