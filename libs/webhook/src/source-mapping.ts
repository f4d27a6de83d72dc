import { isUtf8 } from 'node:buffer'
import { checkEvent, isJsonMediaType, type Problem, type WebhookEvent } from './event.js'
import { sourceEventId } from './ids.js'
import type { MappedAttribute, RecordPart, SourceDefinition, ValueSpec } from './source.js'
import { readTraceparent } from './traceparent.js'

/** A record of a user's own topic. */
export interface SourceRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** ms since the epoch. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>
}

export type MappedRecord =
  | { readonly kind: 'event'; readonly event: WebhookEvent; readonly data: Buffer }
  /** A tombstone: it says that something is gone, and has nothing to deliver. */
  | { readonly kind: 'tombstone' }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] }

/** A value that was found, that is not there, or that cannot be an attribute and why. */
type Found = string | undefined | { readonly fault: string }
type Read = (record: SourceRecord, value: JsonValue) => Found

const DIGITS = /^\d{1,15}$/
/** Without these there is no event, or not the one that its author means. */
const REQUIRED: readonly MappedAttribute[] = ['tenant', 'type', 'id']

/**
 * Makes a source ready once. The function turns a record into an event, whose data are the very
 * bytes of the record's value, or says by JSON Pointer which attributes are at fault.
 */
export function compileSource({
  event: mapping,
  value: kind,
}: SourceDefinition): (record: SourceRecord) => MappedRecord {
  const readers = Object.entries(mapping).map(([name, spec]) => [name as MappedAttribute, reader(spec)] as const)
  const isJson = kind === 'json'
  return record => {
    if (record.value === null) return { kind: 'tombstone' }
    const value = new JsonValue(record.value, isJson)
    if (value.fault !== undefined) return { kind: 'bad', problems: [{ pointer: '', message: value.fault }] }
    const problems: Problem[] = []
    const found: { [name in MappedAttribute]?: string } = {}
    for (const [name, read] of readers) {
      const one = read(record, value)
      if (typeof one === 'string') found[name] = one
      else if (one !== undefined) problems.push({ pointer: `/${name}`, message: one.fault })
      else if (REQUIRED.includes(name))
        problems.push({ pointer: `/${name}`, message: `is missing: ${placeOf(mapping[name]!)}` })
    }
    const event = eventOf(record, found, isJson)
    problems.push(...contentFaults(event.contenttype, record.value, isJson))
    return problems.length > 0 || !isSound(event, problems)
      ? { kind: 'bad', problems }
      : { kind: 'event', event, data: record.value }
  }
}

/** Data of a JSON media type is put into an envelope as it is: bytes that only claim to be JSON would break it. */
function contentFaults(contenttype: string, value: Buffer, isJson: boolean): Problem[] {
  if (isJson === isJsonMediaType(contenttype) || value.length === 0) return []
  const message = isJson ? 'must be a JSON media type, because the values are JSON' : new JsonValue(value, true).fault
  return message === undefined ? [] : [{ pointer: '/contenttype', message }]
}

function isSound(event: WebhookEvent, problems: Problem[]): boolean {
  for (const { pointer, message } of checkEvent(event)) problems.push({ pointer, message })
  return problems.length === 0
}

function eventOf(
  record: SourceRecord,
  { key, id, time, ...found }: { readonly [name in MappedAttribute]?: string },
  isJson: boolean,
): WebhookEvent {
  const traceparent = headerOf(record, 'traceparent')
  return {
    tenant: '',
    type: '',
    source: `kafka:${record.topic}`,
    contenttype: isJson ? 'application/json' : 'application/octet-stream',
    ...found,
    id: id ?? sourceEventId(record.topic, record.partition, record.offset, record.timestamp),
    time: time === undefined ? asTime(record.timestamp) : DIGITS.test(time) ? asTime(Number(time)) : time,
    ...(key === undefined ? {} : { partitionkey: key }),
    ...(typeof traceparent === 'string' && readTraceparent(traceparent) ? { extensions: { traceparent } } : {}),
  }
}

/** Producers may set any timestamp; one that is no date leaves a text that checkEvent refuses. */
function asTime(milliseconds: number): string {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString()
}

function reader(spec: ValueSpec): Read {
  if ('constant' in spec) return () => spec.constant
  if ('header' in spec) return record => headerOf(record, spec.header)
  if ('pointer' in spec) {
    const tokens = spec.pointer.split('/').slice(1).map(unescapePointer)
    return (_record, value) => value.at(tokens)
  }
  return partReader(spec.record)
}

function partReader(part: RecordPart): Read {
  switch (part) {
    case 'topic':
      return ({ topic }) => topic
    case 'key_base64':
      return ({ key }) => (key?.length ? key.toString('base64') : undefined)
    case 'key':
      return ({ key }) => (key?.length ? textOf(key, 'the key') : undefined)
  }
}

function headerOf({ headers }: SourceRecord, name: string): Found {
  const value = headers && Object.hasOwn(headers, name) ? headers[name] : undefined
  const one = Array.isArray(value) ? value[0] : value
  if (one === undefined) return undefined
  return typeof one === 'string' ? one : textOf(one, `the header ${name}`)
}

/** Broken bytes would all become the same replacement character: two keys one, two ids one. */
function textOf(bytes: Buffer, what: string): Found {
  return isUtf8(bytes) ? bytes.toString('utf8') : { fault: `${what} is not UTF-8 text` }
}

function placeOf(spec: ValueSpec): string {
  if ('header' in spec) return `there is no header ${spec.header}`
  return 'pointer' in spec ? `there is nothing at ${spec.pointer}` : 'the record has no key'
}

function unescapePointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** The value of one record: parsed once, and looked into by pointers. */
class JsonValue {
  readonly fault: string | undefined
  private readonly json: unknown

  constructor(
    private readonly bytes: Buffer,
    isJson: boolean,
  ) {
    if (!isJson) return
    if (!isUtf8(bytes)) this.fault = 'the value is not UTF-8, as JSON must be'
    else
      try {
        this.json = JSON.parse(bytes.toString('utf8'))
      } catch (error) {
        this.fault = `the value is not JSON: ${(error as Error).message}`
      }
  }

  /** null counts as absent. A number is its exact text: beyond 2^53 two ids must not become one. */
  at(tokens: readonly string[]): Found {
    const found = descend(this.json, tokens)
    switch (typeof found) {
      case 'string':
        return found
      case 'boolean':
        return String(found)
      case 'number':
        return Number.isSafeInteger(found) ? String(found) : String(descend(this.withExactNumbers(), tokens))
      default:
        return found === undefined || found === null ? undefined : { fault: 'must be a text, a number or a boolean' }
    }
  }

  private withExactNumbers(): unknown {
    const exact = (_name: string, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) ? (context?.source ?? value) : value
    return JSON.parse(this.bytes.toString('utf8'), exact)
  }
}

function descend(json: unknown, tokens: readonly string[]): unknown {
  let at = json
  for (const token of tokens) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, token)) return undefined
    // An array has a length of its own, which is no element.
    if (Array.isArray(at) && !/^(0|[1-9]\d*)$/.test(token)) return undefined
    at = (at as Record<string, unknown>)[token]
  }
  return at
}
