import { checkEvent, escapePointer, type Problem, type WebhookEvent } from './event.js'

/** Where an attribute of an event comes from. */
export type ValueSpec =
  | { readonly constant: string }
  /** The first header of this exact name. */
  | { readonly header: string }
  /** RFC 6901, into the record's JSON value. */
  | { readonly pointer: string }
  | { readonly record: RecordPart }

/** `key` is the record's key as text, `key_base64` whatever its bytes are. */
export type RecordPart = 'key' | 'key_base64' | 'topic'

/** The attributes that a source may give an event; what is absent has the default that docs/sources.md names. */
export const MAPPED = ['tenant', 'type', 'id', 'source', 'subject', 'key', 'time', 'contenttype'] as const
export type MappedAttribute = (typeof MAPPED)[number]
export type EventMapping = { readonly tenant: ValueSpec; readonly type: ValueSpec } & {
  readonly [name in MappedAttribute]?: ValueSpec
}

/** What a source says about its topics and their records; exactly one of `topic` and `pattern` is there. */
export interface SourceDefinition {
  readonly topic?: string
  /** A regular expression that must match a topic's whole name. */
  readonly pattern?: string
  /** What the records' values are: JSON text, which pointers can look into, or any bytes. */
  readonly value: 'json' | 'bytes'
  /** `earliest`, `latest`, or an RFC 3339 time: where a topic is read from that was never read before. */
  readonly start: string
  readonly event: EventMapping
}

/** A source as ingest knows it. */
export interface Source extends SourceDefinition {
  readonly id: string
  /** Grows with every change; readers ignore what is older than they have. */
  readonly version: number
  readonly status: 'active' | 'paused' | 'deleted'
  /** What `latest` means, ms since the epoch; undefined: the end of the log when it is first looked at. */
  readonly since?: number
}

export type ParsedSource =
  | { readonly kind: 'source'; readonly definition: SourceDefinition }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] }

const FIELDS = new Set(['topic', 'pattern', 'value', 'start', 'event'])
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/
const MAX_PATTERN = 256
const MAX_HEADER = 256
const MAX_POINTER = 512
const POINTER = /^(\/([^~]|~[01])*)*$/
const RECORD_PARTS: readonly string[] = ['key', 'key_base64', 'topic']

/** Reads a source as the API and the configuration have it, and names every fault at once. */
export function parseSource(json: unknown): ParsedSource {
  if (!isObject(json)) return { kind: 'bad', problems: [{ pointer: '', message: 'must be an object' }] }
  const { topic, pattern, value = 'json', start = 'latest', event } = json
  const problems = [
    ...unknownFields(json, name => FIELDS.has(name), ''),
    ...topicFaults(topic, pattern),
    ...(value === 'json' || value === 'bytes' ? [] : [{ pointer: '/value', message: 'must be "json" or "bytes"' }]),
    ...startFaults(start),
  ]
  const mapping = readMapping(event, problems)
  if (value === 'bytes')
    for (const [name, spec] of Object.entries(mapping))
      if ('pointer' in spec)
        problems.push({ pointer: `/event/${name}/pointer`, message: 'needs JSON values, but value is "bytes"' })
  if (problems.length > 0) return { kind: 'bad', problems }
  return {
    kind: 'source',
    definition: {
      ...(typeof topic === 'string' ? { topic } : { pattern: pattern as string }),
      value: value as 'json' | 'bytes',
      start: start as string,
      event: mapping as EventMapping,
    },
  }
}

/** The pattern of a source as it is applied to names of topics. Throws when it is none. */
export function topicPattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`)
}

function topicFaults(topic: unknown, pattern: unknown): Problem[] {
  const fault = (pointer: string, message: string): Problem[] => [{ pointer, message }]
  if (topic === undefined && pattern === undefined) return fault('/topic', 'is required, or pattern in its place')
  if (topic !== undefined && pattern !== undefined) return fault('/pattern', 'cannot stand beside topic')
  if (topic !== undefined)
    return typeof topic === 'string' && TOPIC.test(topic) && topic !== '.' && topic !== '..'
      ? []
      : fault('/topic', 'must be the name of a topic: 1 to 249 characters of A-Z a-z 0-9 . _ -')
  if (typeof pattern !== 'string' || pattern === '' || pattern.length > MAX_PATTERN)
    return fault('/pattern', `must be a regular expression of 1 to ${MAX_PATTERN} characters`)
  try {
    // Alone as well: "a)|(b" would only be one inside the group that is put around it.
    new RegExp(pattern)
    topicPattern(pattern)
    return []
  } catch (error) {
    return fault('/pattern', `is not a regular expression: ${(error as Error).message}`)
  }
}

function startFaults(start: unknown): Problem[] {
  if (start === 'earliest' || start === 'latest') return []
  if (typeof start === 'string' && attributeFaults('time', start).length === 0) return []
  return [{ pointer: '/start', message: 'must be "earliest", "latest", or a time such as 2026-01-31T12:00:00Z' }]
}

function readMapping(event: unknown, problems: Problem[]): Record<string, ValueSpec> {
  const mapping: Record<string, ValueSpec> = {}
  if (!isObject(event)) {
    problems.push({ pointer: '/event', message: event === undefined ? 'is required' : 'must be an object' })
    return mapping
  }
  problems.push(...unknownFields(event, name => (MAPPED as readonly string[]).includes(name), '/event'))
  for (const name of MAPPED) {
    const pointer = `/event/${name}`
    const spec = event[name]
    if (spec === undefined) {
      if (name === 'tenant' || name === 'type') problems.push({ pointer, message: 'is required' })
      continue
    }
    const read = readSpec(spec)
    if (typeof read === 'string') problems.push({ pointer, message: read })
    else if ('constant' in read)
      for (const { message } of attributeFaults(name, read.constant)) problems.push({ pointer, message })
    if (typeof read !== 'string') mapping[name] = read
  }
  return mapping
}

const SPEC = 'must be a text, {"header": name}, {"pointer": "/a/b"} or {"record": "key" | "key_base64" | "topic"}'

/** A bare text is a constant. The fault's message when it is none of the forms. */
function readSpec(spec: unknown): ValueSpec | string {
  if (typeof spec === 'string') return { constant: spec }
  if (!isObject(spec)) return SPEC
  const [[form, value] = [], ...more] = Object.entries(spec)
  if (typeof value !== 'string' || more.length > 0) return SPEC
  switch (form) {
    case 'constant':
      return { constant: value }
    case 'header':
      return value !== '' && value.length <= MAX_HEADER ? { header: value } : 'must name a header'
    case 'pointer':
      return value.length <= MAX_POINTER && POINTER.test(value)
        ? { pointer: value }
        : 'must be a JSON Pointer such as /order/id'
    case 'record':
      return RECORD_PARTS.includes(value) ? { record: value as RecordPart } : SPEC
    default:
      return SPEC
  }
}

const SOUND: WebhookEvent = {
  tenant: 't',
  id: '1',
  source: 's',
  type: 't',
  time: '2026-01-01T00:00:00Z',
  contenttype: 'application/json',
}

/** What is wrong with a value of one attribute, whatever the others are. */
function attributeFaults(name: MappedAttribute, value: string): Problem[] {
  return checkEvent({ ...SOUND, [name === 'key' ? 'partitionkey' : name]: value })
}

function unknownFields(object: object, isKnown: (name: string) => boolean, at: string): Problem[] {
  return Object.keys(object)
    .filter(name => !isKnown(name))
    .map(name => ({ pointer: `${at}/${escapePointer(name)}`, message: 'is not a known field' }))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
