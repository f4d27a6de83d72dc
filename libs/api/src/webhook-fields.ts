import {
  escapePointer,
  MAX_CONCURRENCY,
  MAX_RATE,
  parseTypePattern,
  RATE_UNITS,
  signatureOf,
  type Problem,
  type RateLimit,
} from '@posthorn/webhook'

const MAX_URL = 2048
const MAX_EVENTS = 100
const MAX_METADATA = 50
const MAX_METADATA_KEY = 64
const MAX_METADATA_VALUE = 1024
const MAX_HEADERS = 32
export const MAX_HEADER_VALUE = 4096
const MAX_UID = 128
const UID = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/
/** What HTTP lets into a value without a doubt: printable ASCII, no space at its ends. */
const HEADER_VALUE = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/
/** Said by the request itself, or by Posthorn. */
const OWN_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
])
/** What stands for a value that is not shown. */
export const REDACTED = '[redacted]'
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i

const fault = (message: string, pointer = ''): Problem[] => [{ pointer, message }]

/** Faults of a webhook's URL. Where it leads is checked at every request, not here: names change their addresses. */
export function urlFaults(url: unknown): Problem[] {
  if (url === undefined) return fault('is required')
  if (typeof url !== 'string') return fault('must be a string')
  if (url.length > MAX_URL) return fault(`must have at most ${MAX_URL} characters`)
  const authority = ABSOLUTE.exec(url)?.[1]
  // The URL parser forgives white space and turns "\" into "/": what is stored must be what is meant.
  if (authority === undefined || /[\s\\\p{Cc}]/u.test(url) || !URL.canParse(url))
    return fault('must be an absolute http or https URL')
  if (authority.includes('@')) return fault('must not contain a user name or password')
  return url.includes('#') ? fault('must not contain a fragment') : []
}

/** Faults of a webhook's `events`, each entry's by its index. */
export function eventsFaults(events: unknown): Problem[] {
  if (events === undefined) return fault('is required')
  if (!Array.isArray(events)) return fault('must be an array of event types and patterns')
  if (events.length === 0) return fault('must name at least one event type or pattern; "*" takes all')
  if (events.length > MAX_EVENTS) return fault(`must have at most ${MAX_EVENTS} entries`)
  return events.flatMap((pattern, index) =>
    parseTypePattern(pattern)
      ? []
      : fault('must be an event type such as agent.created, a pattern such as agent.*, or *', `/${index}`),
  )
}

/** Faults of a merge-patch of a filter: what it comes to is checked once it is merged. */
export function filterPatchFaults(filter: unknown): Problem[] {
  return isObject(filter) ? [] : fault('must be an object of fields, or null for no filter')
}

export function secretFaults(secret: unknown): Problem[] {
  return signatureOf(secret)
    ? []
    : fault('must be whsec_ + base64 of 24 to 64 bytes, whsk_ + base64 of an Ed25519 key, or 16 to 128 characters')
}

/** Faults of a map of strings. */
export function metadataFaults(metadata: unknown): Problem[] {
  if (!isObject(metadata)) return fault('must be an object of strings')
  const entries = Object.entries(metadata)
  if (entries.length > MAX_METADATA) return fault(`must have at most ${MAX_METADATA} entries`)
  return entries.flatMap(([key, value]) => {
    const pointer = `/${escapePointer(key)}`
    if (key === '' || key.length > MAX_METADATA_KEY)
      return fault(`the name must have 1 to ${MAX_METADATA_KEY} characters`, pointer)
    if (typeof value !== 'string') return fault('must be a string', pointer)
    return value.length > MAX_METADATA_VALUE ? fault(`must have at most ${MAX_METADATA_VALUE} characters`, pointer) : []
  })
}

/** Faults of the customer's own headers, by name in any case; with `removable` null takes one away. */
export function headersFaults(headers: unknown, removable = false): Problem[] {
  if (!isObject(headers)) return fault('must be an object of strings')
  const names = Object.keys(headers)
  if (names.length > MAX_HEADERS) return fault(`must have at most ${MAX_HEADERS} entries`)
  const lower = names.map(name => name.toLowerCase())
  return names.flatMap((name, index) => {
    const pointer = `/${escapePointer(name)}`
    if (!HEADER_NAME.test(name)) return fault('is not a name that a header can have', pointer)
    if (OWN_HEADERS.has(lower[index]!) || lower[index]!.startsWith('webhook-'))
      return fault('is set by Posthorn', pointer)
    if (lower.indexOf(lower[index]!) !== index) return fault('is there twice', pointer)
    return removable && headers[name] === null ? [] : headerValueFaults(headers[name], pointer)
  })
}

function headerValueFaults(value: unknown, pointer: string): Problem[] {
  if (typeof value !== 'string') return fault('must be a string', pointer)
  if (value === REDACTED) return fault('is what stands for a value that is not shown: send the value itself', pointer)
  return value.length <= MAX_HEADER_VALUE && HEADER_VALUE.test(value)
    ? []
    : fault(`must be 1 to ${MAX_HEADER_VALUE} printable ASCII characters without space at its ends`, pointer)
}

/** Faults of headers that stand for the signature in this deployment, whose names start with the prefix. */
export function signatureHeadersFaults(names: readonly string[], prefix: string): Problem[] {
  const own = ['id', 'timestamp', 'signature'].map(part => `${prefix}-${part}`)
  return names
    .filter(name => own.includes(name.toLowerCase()))
    .flatMap(name => fault('is set by Posthorn', `/${escapePointer(name)}`))
}

/** Faults of the customer's own name for a webhook. */
export function uidFaults(uid: unknown): Problem[] {
  return typeof uid === 'string' && uid.length <= MAX_UID && UID.test(uid)
    ? []
    : fault(`must be 1 to ${MAX_UID} characters of A-Z a-z 0-9 . _ ~ -, the first a letter or digit`)
}

/** A rate limit as a request has it; in a change what is absent stays as it is. */
export interface RateLimitBody {
  readonly requests?: number | null
  readonly per?: RateLimit['per'] | null
}

/** Faults of what is there of a rate limit: whether it is complete is known once it is merged. */
export function rateLimitFaults(limit: unknown): Problem[] {
  if (!isObject(limit)) return fault('must be an object such as {"requests": 10, "per": "second"}')
  return Object.entries(limit).flatMap(([name, value]) => {
    const pointer = `/${escapePointer(name)}`
    if (name !== 'requests' && name !== 'per') return fault('is not a known field', pointer)
    if (value === null) return []
    if (name === 'requests') return wholeFaults(value, MAX_RATE, pointer)
    return RATE_UNITS.some(unit => unit === value) ? [] : fault(`must be one of ${RATE_UNITS.join(', ')}`, pointer)
  })
}

/** The same of a rate limit that has to be complete. */
export function wholeRateLimitFaults(limit: unknown): Problem[] {
  const faults = rateLimitFaults(limit)
  const complete = !isObject(limit) || typeof limit.requests === 'number'
  return complete || faults.some(({ pointer }) => pointer === '/requests')
    ? faults
    : [...faults, ...fault('is required', '/requests')]
}

/** What the body names over `before`; undefined without a number of requests. `per` is a second unless named. */
export function rateLimitFrom(body: RateLimitBody, before: RateLimit | null): RateLimit | undefined {
  const { requests, per } = { ...before, ...body }
  return typeof requests === 'number' ? { requests, per: per ?? 'second' } : undefined
}

export function maxConcurrencyFaults(value: unknown): Problem[] {
  return wholeFaults(value, MAX_CONCURRENCY, '')
}

function wholeFaults(value: unknown, most: number, pointer: string): Problem[] {
  const fits = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most
  return fits ? [] : fault(`must be a whole number from 1 to ${most}`, pointer)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
