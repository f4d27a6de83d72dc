import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, type ErrorCode } from '@posthorn/api'
import { ProducerClosed, ProduceTimeout, RecordRefused, type SendOptions } from '@posthorn/kafka'
import { encodeEvent, EVENTS, type TopicContract, type TopicRecord } from '@posthorn/topics'
import type { Problem, WebhookEvent } from '@posthorn/webhook'
import type { PublishMetrics } from './publish-metrics.js'
import type { PublishTrace } from './publish-trace.js'
import {
  readPublication,
  type AcceptedEvent,
  type Mode,
  type Publication,
  type PublicationRules,
  type Sender,
} from './publication.js'

/** What publishing needs of the producer. */
export interface EventOutput {
  readonly queuedBytes: number
  send(topic: TopicContract, record: TopicRecord, options: SendOptions): Promise<unknown>
}

export interface PublishParts {
  readonly output: EventOutput
  readonly maxEventBytes: number
  /** Whether the type of an event is not in the catalogue of a tenant that takes no others. */
  isRefusedType(event: WebhookEvent): boolean
  /** Why the schema of its type refuses an event; undefined when it may pass. */
  misfits(event: WebhookEvent, data: Uint8Array): readonly Problem[] | undefined
  readonly metrics: PublishMetrics
  readonly trace: PublishTrace
}

export interface PublishRequest {
  readonly tenant: string
  readonly mode: Mode
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Of a signed request. */
  readonly sender?: Sender
}

export interface PublishedEvent {
  readonly id: string
  readonly source: string
}

/** One event answers its id and source, an array a list of them in its order. */
export type PublishAnswer = PublishedEvent | { readonly data: readonly PublishedEvent[] }

/** The answer is promised within 10 s also when Kafka is away; the rest is for the way to the client. */
const ACKNOWLEDGE_MS = 9_000
/** What may wait for Kafka: beyond it a request is refused at once instead of held in memory. */
export const MAX_QUEUED_BYTES = 32 * 1024 * 1024

/** Publishes a request of the HTTP edge. Throws ApiError. */
export async function publish(request: PublishRequest, parts: PublishParts): Promise<PublishAnswer> {
  const { tenant, mode, headers, body, sender } = request
  const read = (rules: ReadRules) => readPublication(mode, headers, body, { tenant, sender, ...rules })
  return answer(await publishRead(read, headers.traceparent, parts))
}

/** When something is read, and how large it may be. */
export type ReadRules = Pick<PublicationRules, 'now' | 'maxEventBytes'>

/** Reads what is published, hands it to Kafka, and resolves once all in-sync replicas have it. Throws ApiError. */
export async function publishRead(
  read: (rules: ReadRules) => Publication,
  traceparent: string | string[] | undefined,
  parts: PublishParts,
): Promise<Publication> {
  const publication = accepted(read, parts)
  const records = encode(publication, traceparent, parts.trace)
  admit(publication, parts)
  await acknowledge(publication, records, parts)
  return publication
}

function accepted(read: (rules: ReadRules) => Publication, parts: PublishParts): Publication {
  const { maxEventBytes, metrics } = parts
  try {
    const publication = read({ now: Date.now(), maxEventBytes })
    requireKnown(publication, parts)
    requireFit(publication, parts)
    return publication
  } catch (error) {
    metrics.refused()
    throw error
  }
}

/** All events are taken, or none. Throws ApiError event_type_unknown. */
function requireKnown(publication: Publication, { isRefusedType }: PublishParts): void {
  const message = 'is not in the catalogue, and the tenant takes no other types'
  refuseFaulty('event_type_unknown', publication, ({ event }) =>
    isRefusedType(event) ? [{ pointer: '/type', message }] : undefined,
  )
}

/** All events are taken, or none. Throws ApiError event_schema_mismatch. */
function requireFit(publication: Publication, { misfits }: PublishParts): void {
  refuseFaulty('event_schema_mismatch', publication, ({ event, data }) => misfits(event, data))
}

function refuseFaulty(
  code: ErrorCode,
  { form, events }: Publication,
  faults: (event: AcceptedEvent) => readonly Problem[] | undefined,
): void {
  const problems: Problem[] = []
  for (const [index, event] of events.entries())
    for (const { pointer, message } of faults(event) ?? [])
      problems.push({ pointer: form === 'one' ? pointer : `/${index}${pointer}`, message })
  if (problems.length === 0) return
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const detail = `${problems[0]!.pointer} ${problems[0]!.message}${rest}.`
  throw new ApiError(code, detail, problems.slice(0, MAX_ERRORS))
}

function encode(
  { events }: Publication,
  traceparent: string | string[] | undefined,
  trace: PublishTrace,
): TopicRecord[] {
  const span = trace.start(traceparent, events.length)
  try {
    return events.map(({ event, data }) => encodeEvent(withTrace(event, span.traceparent), data))
  } finally {
    span.end()
  }
}

/** Faults that are told of one request. */
const MAX_ERRORS = 100
/** Extensions are limited to 32: an event that has them all keeps its own. */
const MAX_EXTENSIONS = 32

function withTrace(event: WebhookEvent, traceparent: string | undefined): WebhookEvent {
  const { extensions } = event
  if (traceparent === undefined || extensions?.traceparent !== undefined) return event
  if (extensions !== undefined && Object.keys(extensions).length >= MAX_EXTENSIONS) return event
  return { ...event, extensions: { ...extensions, traceparent } }
}

function admit({ events }: Publication, { output, metrics }: PublishParts): void {
  if (output.queuedBytes < MAX_QUEUED_BYTES) return
  metrics.unavailable(events.length)
  throw new ApiError(
    'kafka_unavailable',
    'More events wait for Kafka than are held in memory: none of these was taken.',
  )
}

async function acknowledge(
  { events }: Publication,
  records: readonly TopicRecord[],
  { output, metrics }: PublishParts,
): Promise<void> {
  const results = await Promise.allSettled(
    records.map(record => output.send(EVENTS, record, { timeoutMs: ACKNOWLEDGE_MS })),
  )
  const failed = results.find(result => result.status === 'rejected')
  if (failed) {
    metrics.unavailable(events.length)
    throw asApiError(failed.reason)
  }
  metrics.published(events.length)
}

function asApiError(error: unknown): unknown {
  if (error instanceof ProduceTimeout)
    return new ApiError(
      'kafka_unavailable',
      `Kafka did not acknowledge within ${ACKNOWLEDGE_MS / 1000} s; what was sent may still be delivered.`,
    )
  if (error instanceof ProducerClosed)
    return new ApiError('kafka_unavailable', 'This process is stopping; what was sent may still be delivered.')
  if (error instanceof RecordRefused)
    return new ApiError('body_too_large', 'The event with its attributes is larger than a Kafka record may be.')
  return error
}

function answer({ form, events }: Publication): PublishAnswer {
  return form === 'one' ? published(events[0]!) : { data: events.map(published) }
}

export function published({ event }: AcceptedEvent): PublishedEvent {
  return { id: event.id, source: event.source }
}
