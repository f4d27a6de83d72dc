import { isUtf8 } from 'node:buffer'
import { checkEvent, isJsonMediaType, type Problem, type WebhookEvent } from '@posthorn/webhook'
import { sliceMember } from './json-slice.js'

/** A CloudEvent read from a JSON envelope, a set of headers, or Posthorn's plain form. */
export type ReadEvent =
  | { readonly kind: 'event'; readonly event: WebhookEvent; readonly data: Buffer }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] }

/** What stands in for attributes that the sender left out; undefined leaves the fault to be reported. */
export interface EventDefaults {
  /** From whoever authenticated the sender; an event naming another tenant is refused. */
  readonly tenant: string | undefined
  readonly id?: string
  readonly source?: string
  /** ms since the epoch. */
  readonly time: number
  /** Where Posthorn's own events come from, too: they are let through. */
  readonly ours?: boolean
}

const KNOWN = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'subject',
  'datacontenttype',
  'dataschema',
  'partitionkey',
  'tenant',
  'data',
  'data_base64',
])

/**
 * Reads one event from a JSON object: a structured CloudEvent, or the plain form with the same
 * names and fewer of them. `raw` is the object's exact text and `json` what JSON.parse made of it;
 * the data is taken from `raw`.
 */
export function readStructured(
  raw: Buffer,
  json: unknown,
  defaults: EventDefaults,
  form: 'cloudevent' | 'plain',
): ReadEvent {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return bad('', 'must be a JSON object')
  const members = json as Record<string, unknown>
  const problems: Problem[] = []
  // Without a prototype: an attribute named __proto__ is a fault to report, not to lose.
  const attributes: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(members)) {
    if (name === 'data' || name === 'data_base64' || value === null) continue
    if (form === 'plain' && !KNOWN.has(name))
      problems.push({
        pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        message: 'is not a known field',
      })
    else if (typeof value === 'string') attributes[name] = value
    else if (!KNOWN.has(name) && (typeof value === 'boolean' || Number.isInteger(value)))
      attributes[name] = String(value)
    else
      problems.push({
        pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        message: KNOWN.has(name) ? 'must be a string' : 'must be a string, a boolean or a whole number',
      })
  }
  if (form === 'cloudevent' && (typeof members.specversion === 'string' || members.specversion == null))
    problems.push(...checkSpecVersion(attributes.specversion))
  let data: Buffer = Buffer.alloc(0)
  if ('data' in members && 'data_base64' in members)
    problems.push({ pointer: '/data_base64', message: 'cannot stand beside data' })
  else if ('data_base64' in members) {
    const decoded = decodeBase64(members.data_base64)
    if (decoded) problems.push(...checkJson((data = decoded), attributes.datacontenttype))
    else problems.push({ pointer: '/data_base64', message: 'must be a base64 string' })
  } else if ('data' in members) {
    const contenttype = attributes.datacontenttype
    if (contenttype !== undefined && !isJsonMediaType(contenttype) && typeof members.data === 'string')
      data = Buffer.from(members.data)
    else {
      const slice = sliceMember(raw, 'data')
      if (slice) data = Buffer.from(raw.subarray(slice.start, slice.end))
    }
  } else if (form === 'plain') problems.push({ pointer: '/data', message: 'is required' })
  return build(attributes, data, defaults, problems)
}

/** Reads one event from attributes (without their `ce_`/`ce-` prefix) and a body: the binary modes of Kafka and HTTP. */
export function readBinary(
  attributes: Readonly<Record<string, string>>,
  data: Buffer,
  defaults: EventDefaults,
): ReadEvent {
  const problems = [...checkSpecVersion(attributes.specversion), ...checkJson(data, attributes.datacontenttype)]
  return build(attributes, data, defaults, problems)
}

function build(
  attributes: Readonly<Record<string, string>>,
  data: Buffer,
  defaults: EventDefaults,
  problems: Problem[],
): ReadEvent {
  const {
    specversion: _,
    id,
    source,
    type,
    time,
    subject,
    datacontenttype,
    dataschema,
    partitionkey,
    tenant,
    ...extensions
  } = attributes
  if (tenant !== undefined && defaults.tenant !== undefined && tenant !== defaults.tenant)
    problems.push({ pointer: '/tenant', message: `is "${tenant}", but the sender publishes for "${defaults.tenant}"` })
  const owner = defaults.tenant ?? tenant
  if (owner === undefined)
    problems.push({ pointer: '/tenant', message: 'is required: this deployment has no default tenant' })
  // Receivers that decode the text and sign it again would never accept the signature of broken UTF-8.
  if (isJsonMediaType(datacontenttype ?? 'application/json') && !isUtf8(data))
    problems.push({ pointer: '/data', message: 'is not UTF-8, as JSON must be' })
  const event: WebhookEvent = {
    tenant: owner ?? '',
    id: id ?? defaults.id ?? '',
    source: source ?? defaults.source ?? '',
    type: type ?? '',
    time: time ?? new Date(defaults.time).toISOString(),
    contenttype: datacontenttype ?? 'application/json',
    ...(partitionkey === undefined ? {} : { partitionkey }),
    ...(subject === undefined ? {} : { subject }),
    ...(dataschema === undefined ? {} : { dataschema }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  }
  const reported = new Set(problems.map(problem => problem.pointer))
  for (const problem of checkEvent(event, defaults.ours)) if (!reported.has(problem.pointer)) problems.push(problem)
  return problems.length > 0 ? { kind: 'bad', problems } : { kind: 'event', event, data }
}

/** Data that stands in the body of a request must be what it says: one bad byte breaks the whole body. */
function checkJson(data: Buffer, contenttype = 'application/json'): Problem[] {
  if (!isJsonMediaType(contenttype) || data.length === 0) return []
  try {
    JSON.parse(data.toString('utf8'))
    return []
  } catch (error) {
    const { message } = error as Error
    return [{ pointer: '/data', message: `is not the JSON that its content type promises: ${message}` }]
  }
}

function checkSpecVersion(version: string | undefined): Problem[] {
  return version === '1.0'
    ? []
    : [
        {
          pointer: '/specversion',
          message: version === undefined ? 'is required' : `is "${version}", but only 1.0 is known`,
        },
      ]
}

function decodeBase64(value: unknown): Buffer | undefined {
  if (typeof value !== 'string') return undefined
  const decoded = Buffer.from(value, 'base64')
  // Buffer.from skips what is no base64: only what comes back the same was decoded whole.
  return decoded.toString('base64').replace(/=+$/, '') === value.replace(/=+$/, '') ? decoded : undefined
}

function bad(pointer: string, message: string): ReadEvent {
  return { kind: 'bad', problems: [{ pointer, message }] }
}
