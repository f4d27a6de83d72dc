import { eventIdentity, isJsonMediaType, type WebhookEvent } from '@posthorn/webhook'
import { readBinary, readStructured, type ReadEvent } from './cloud-event.js'
import { DAY_MS, type ReadRecord, type TopicContract, type TopicRecord } from './contract.js'

/**
 * events.v1: the public way in, and the log that replays read.
 *
 *   key    = tenant ":" partitionkey, else the event's identity; foreign producers may use any
 *   value  = CloudEvents Kafka binding 1.0
 *     structured: header content-type: application/cloudevents+json, value: the JSON envelope
 *     binary:     headers ce_specversion, ce_id, ce_source, ce_type, …, value: the data
 *   header ce_tenant (or the attribute tenant) = whose event it is; without it the deployment's default
 */
export const EVENTS: TopicContract = {
  name: 'events.v1',
  cleanup: 'delete',
  retentionMs: 7 * DAY_MS,
  partitions: 'work',
}

const CLOUDEVENTS = 'application/cloudevents'
const STRUCTURED = 'application/cloudevents+json'
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

export function eventKey(event: WebhookEvent): Buffer {
  return Buffer.from(event.partitionkey === undefined ? eventIdentity(event) : `${event.tenant}:${event.partitionkey}`)
}

/**
 * JSON data goes out structured (two headers instead of eight), all other data binary, and so does
 * JSON with white space around it, which an envelope would lose. Data whose own media type would be
 * taken for an envelope in binary mode goes structured as well.
 */
export function encodeEvent(event: WebhookEvent, data: Buffer): TopicRecord {
  const { tenant, contenttype, extensions, ...attributes } = event
  const envelope = { specversion: '1.0', ...attributes, datacontenttype: contenttype, ...extensions }
  const embeddable = isJsonMediaType(contenttype) && !hasOuterSpace(data)
  if (contenttype.toLowerCase().startsWith(CLOUDEVENTS) && !embeddable) {
    const value = Buffer.from(JSON.stringify({ ...envelope, data_base64: data.toString('base64') }))
    return { key: eventKey(event), value, headers: { 'content-type': STRUCTURED, ce_tenant: tenant } }
  }
  if (embeddable) {
    const head = JSON.stringify(envelope)
    const value =
      data.length === 0
        ? Buffer.from(head)
        : Buffer.concat([Buffer.from(`${head.slice(0, -1)},"data":`), data, Buffer.from('}')])
    return { key: eventKey(event), value, headers: { 'content-type': STRUCTURED, ce_tenant: tenant } }
  }
  const headers: Record<string, string> = { ce_specversion: '1.0', ce_tenant: tenant, 'content-type': contenttype }
  for (const [name, value] of Object.entries({ ...attributes, ...extensions }))
    if (value !== undefined) headers[`ce_${name}`] = value
  return { key: eventKey(event), value: data, headers }
}

function hasOuterSpace(data: Buffer): boolean {
  return data.length > 0 && (data[0]! <= 0x20 || data[data.length - 1]! <= 0x20)
}

/**
 * Reads a record of any producer. `defaultTenant` undefined makes an event without a tenant bad.
 * `traceparent` may come as a plain Kafka header, as tracing producers send it, or as an attribute.
 */
export function decodeEvent(record: ReadRecord, defaultTenant: string | undefined): ReadEvent {
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    const one = Array.isArray(value) ? value[0] : value
    if (one !== undefined) headers.set(name.toLowerCase(), one.toString())
  }
  const value = record.value ?? Buffer.alloc(0)
  const contentType = headers.get('content-type') ?? ''
  const traceparent = headers.get('traceparent')
  const tenant = headers.get('ce_tenant')
  if (contentType.toLowerCase().startsWith(CLOUDEVENTS)) {
    if (!contentType.toLowerCase().startsWith(STRUCTURED))
      return bad('/content-type', `is ${contentType}; only ${STRUCTURED} is read from Kafka`)
    let json: unknown
    try {
      json = JSON.parse(value.toString('utf8'))
    } catch (error) {
      return bad('', `the value is not JSON: ${(error as Error).message}`)
    }
    const inner = typeof json === 'object' && json !== null ? (json as Record<string, unknown>).tenant : undefined
    const owner = tenant ?? (typeof inner === 'string' ? inner : defaultTenant)
    const defaults = { tenant: owner, time: record.timestamp, ours: true }
    return withTrace(readStructured(value, json, defaults, 'cloudevent'), traceparent)
  }
  const attributes: Record<string, string> = Object.create(null)
  for (const [name, text] of headers) if (name.startsWith('ce_')) attributes[name.slice(3)] = text
  if (Object.keys(attributes).length === 0)
    return bad('', `the record is no CloudEvent: it has neither ce_ headers nor the content-type ${STRUCTURED}`)
  if (contentType !== '') attributes.datacontenttype = contentType
  return withTrace(
    readBinary(attributes, value, { tenant: tenant ?? defaultTenant, time: record.timestamp, ours: true }),
    traceparent,
  )
}

function withTrace(read: ReadEvent, traceparent: string | undefined): ReadEvent {
  if (read.kind === 'bad' || traceparent === undefined || read.event.extensions?.traceparent !== undefined) return read
  // Set by the producer's tracing, not by the event's author: what is malformed is ignored instead of refused.
  if (!TRACEPARENT.test(traceparent)) return read
  return { ...read, event: { ...read.event, extensions: { ...read.event.extensions, traceparent } } }
}

function bad(pointer: string, message: string): ReadEvent {
  return { kind: 'bad', problems: [{ pointer, message }] }
}
