import { VerificationError } from './verification-error.js'

/** Headers as Node, Express, Fastify and Lambda give them, or a `Headers` object. Names in any case. */
export type RequestHeaders =
  Readonly<Record<string, string | readonly string[] | undefined>> | { get(name: string): string | null }

export interface SignedHeaders {
  readonly id: string
  readonly timestamp: string
  readonly signature: string
}

/** The prefixes that most senders use for the same three headers. */
export const PREFIXES: readonly string[] = ['webhook', 'svix']

/** Takes the three headers from one prefix: never a mixture, which nobody has signed. */
export function readHeaders(headers: RequestHeaders, prefixes: readonly string[]): SignedHeaders {
  const found = prefixes.map(prefix => ({
    prefix,
    id: headerOf(headers, `${prefix}-id`),
    timestamp: headerOf(headers, `${prefix}-timestamp`),
    signature: headerOf(headers, `${prefix}-signature`),
  }))
  for (const { id, timestamp, signature } of found)
    if (id && timestamp && signature !== undefined) return { id, timestamp, signature }
  const nearest = found.find(({ id, timestamp, signature }) => id || timestamp || signature) ?? found[0]!
  const missing = (['id', 'timestamp', 'signature'] as const)
    .filter(part => !nearest[part])
    .map(part => `${nearest.prefix}-${part}`)
  throw new VerificationError(
    'missing_header',
    `The request has no ${missing.join(' and no ')}: if it came from the webhook's sender, let the proxy before this receiver pass these headers on.`,
  )
}

export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  for (const [key, value] of Object.entries(headers))
    if (key.toLowerCase() === name) return typeof value === 'string' ? value : value?.join(', ')
  return undefined
}
