import { createHash, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, parseJson } from '@posthorn/api'
import { readBinary, readStructured, sliceElements, type EventDefaults, type ReadEvent } from '@posthorn/topics'
import { eventId, type Problem, type WebhookEvent } from '@posthorn/webhook'

/** What a request publishes, read and checked as a whole: nothing of it is produced if anything is wrong. */
export interface Publication {
  readonly form: 'one' | 'many'
  readonly events: readonly AcceptedEvent[]
}

export interface AcceptedEvent {
  readonly event: WebhookEvent
  /** The exact bytes that were sent. */
  readonly data: Buffer
}

export interface PublicationRules {
  /** Of the header Posthorn-Tenant; an event that names another is refused. */
  readonly tenant: string
  /** ms since the epoch. */
  readonly now: number
  readonly maxEventBytes: number
  /** Who signed the request, if it was signed. */
  readonly sender?: Sender | undefined
}

/** Stands in for what an event of a signed request does not say. */
export interface Sender {
  readonly source: string
  /** Its webhook-id: sent again it is the same event. */
  readonly messageId: string
}

/** How the events stand in the request: CloudEvents over HTTP 1.0, or Posthorn's plain form. */
export type Mode = 'plain' | 'structured' | 'batch' | 'binary'

export const MAX_EVENTS = 1000
const MAX_ERRORS = 100
export const DEFAULT_SOURCE = '/v1/publish'
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** The mode of a request, by its headers alone. Throws ApiError media_type_unsupported. */
export function modeOf(headers: IncomingHttpHeaders, mediaType: string): Mode {
  if (mediaType === 'application/cloudevents+json') return 'structured'
  if (mediaType === 'application/cloudevents-batch+json') return 'batch'
  if (!mediaType.startsWith('application/cloudevents') && Object.keys(headers).some(name => name.startsWith('ce-')))
    return 'binary'
  if (mediaType === 'application/json') return 'plain'
  throw new ApiError(
    'media_type_unsupported',
    `${mediaType === '' ? 'The request has no content-type' : `The content-type "${mediaType}" is not taken here`}: ` +
      'send application/json, application/cloudevents+json, application/cloudevents-batch+json, or any type with ce- headers.',
  )
}

/**
 * Reads and checks everything that a request publishes.
 * Throws ApiError request_invalid, body_invalid, batch_size, event_invalid or body_too_large; faults of an array are named with its index.
 */
export function readPublication(
  mode: Mode,
  headers: IncomingHttpHeaders,
  body: Buffer,
  rules: PublicationRules,
): Publication {
  const { sender } = rules
  const keyOf = sender ? (index: number) => `${index}:${sender.messageId}` : idempotencyKey(headers['idempotency-key'])
  const idOf = (index: number) => () => newId(keyOf(index))
  if (mode === 'binary') {
    const read = readBinary(binaryAttributes(headers), body, { tenant: rules.tenant, time: rules.now })
    return { form: 'one', events: accept([read], rules, () => '') }
  }
  const raw = body.subarray(0, 3).equals(BOM) ? body.subarray(3) : body
  const json = parseJson(raw)
  if (mode !== 'structured' && Array.isArray(json)) {
    const events = readElements(raw, json, mode, idOf, rules)
    return { form: 'many', events: accept(events, rules, index => `/${index}`) }
  }
  if (mode === 'batch') throw new ApiError('event_invalid', 'The body of a batch must be a JSON array of CloudEvents.')
  const id = sender ? () => sender.messageId : idOf(0)
  return { form: 'one', events: accept([readOne(raw, json, mode, id, rules)], rules, () => '') }
}

function readElements(
  raw: Buffer,
  json: readonly unknown[],
  mode: Mode,
  idOf: (index: number) => () => string,
  rules: PublicationRules,
): ReadEvent[] {
  if (json.length < 1 || json.length > MAX_EVENTS)
    throw new ApiError('batch_size', `The array has ${json.length} events; 1 to ${MAX_EVENTS} are taken.`)
  const slices = sliceElements(raw)
  return json.map((element, index) => {
    const { start, end } = slices[index]!
    return readOne(raw.subarray(start, end), element, mode, idOf(index), rules)
  })
}

/** A CloudEvent brings its own id and source, as its specification demands; the plain form need not. */
function readOne(
  raw: Buffer,
  json: unknown,
  mode: Mode,
  madeId: () => string,
  { tenant, now, sender }: PublicationRules,
): ReadEvent {
  const members = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  if (mode !== 'plain' || 'specversion' in members)
    return readStructured(raw, json, { tenant, time: now }, 'cloudevent')
  const defaults: EventDefaults = { tenant, time: now, source: sender?.source ?? DEFAULT_SOURCE }
  const hasId = members.id !== undefined && members.id !== null
  const form = sender ? withTime(json, members) : json
  return readStructured(raw, form, hasId ? defaults : { ...defaults, id: madeId() }, 'plain')
}

/** Standard Webhooks calls the time of an event its timestamp. */
function withTime(json: unknown, { timestamp, ...rest }: Record<string, unknown>): unknown {
  return timestamp === undefined || 'time' in rest ? json : { ...rest, time: timestamp }
}

/** The same key makes the same id, hence the same event: sent again, it is not delivered again. */
export function newId(idempotencyKey: string | undefined): string {
  return eventId(
    idempotencyKey === undefined
      ? randomBytes(16)
      : createHash('sha256').update(idempotencyKey).digest().subarray(0, 16),
  )
}

/**
 * What takes the place of chance in the ids that are made: the key, and the place in the array, the request or the
 * stream. A lone event stands at 0, so that it is the same however it is sent. Throws ApiError request_invalid.
 */
export function idempotencyKey(key: unknown): (index: number) => string | undefined {
  if (key === undefined) return () => undefined
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key))
    throw new ApiError('request_invalid', 'The Idempotency-Key must be 1 to 255 printable ASCII characters.')
  return index => `${index}:${key}`
}

/** The events, all of them good. Throws ApiError event_invalid or body_too_large, with `pointerTo` before each pointer. */
export function accept(
  reads: readonly ReadEvent[],
  rules: PublicationRules,
  pointerTo: (index: number) => string,
): AcceptedEvent[] {
  const problems: Problem[] = []
  const events: AcceptedEvent[] = []
  for (const [index, read] of reads.entries())
    if (read.kind === 'event') events.push(read)
    else
      for (const { pointer, message } of read.problems) problems.push({ pointer: pointerTo(index) + pointer, message })
  if (problems.length > 0) throw refused(problems)
  for (const [index, { data }] of events.entries())
    if (data.length > rules.maxEventBytes) throw tooLarge(`${pointerTo(index)}/data`, data.length, rules.maxEventBytes)
  return events
}

function refused(problems: readonly Problem[]): ApiError {
  const [first] = problems
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new ApiError(
    'event_invalid',
    `${first!.pointer || 'The event'} ${first!.message}${rest}.`,
    problems.slice(0, MAX_ERRORS),
  )
}

function tooLarge(pointer: string, bytes: number, most: number): ApiError {
  const message = `has ${bytes} bytes; at most ${most} are taken`
  return new ApiError('body_too_large', `${pointer} ${message}.`, [{ pointer, message }])
}

/** The attributes of CloudEvents' binary mode: its headers, and the content type of the data. */
function binaryAttributes(headers: IncomingHttpHeaders): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith('ce-') && value !== undefined) attributes[name.slice(3)] = headerValue(String(value))
  if (headers['content-type'] !== undefined) attributes.datacontenttype = headers['content-type']
  return attributes
}

/** CloudEvents HTTP binding 3.1.3.2: a value may be quoted, and is percent-encoded where it is not plain ASCII. */
function headerValue(value: string): string {
  const quoted = /^"(.*)"$/.exec(value)
  const text = quoted ? quoted[1]!.replace(/\\(.)/g, '$1') : value
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
