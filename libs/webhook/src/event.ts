import { isEventType, RESERVED_PREFIX } from './event-type.js'
import { isOwnEventType, isProbe, OWN_SOURCE } from './own-event.js'

/**
 * The attributes of a CloudEvent as Posthorn carries them. The data travels beside them as the
 * exact bytes the producer sent: it is never parsed and re-encoded on the way.
 */
export interface WebhookEvent {
  readonly tenant: string
  readonly id: string
  readonly source: string
  readonly type: string
  /** RFC 3339. */
  readonly time: string
  /** Media type of the data. */
  readonly contenttype: string
  /** CloudEvents partitioning extension: events of one key keep their order where a webhook asks for it. */
  readonly partitionkey?: string
  readonly subject?: string
  readonly dataschema?: string
  /** Extension attributes not named above, `traceparent` and `tracestate` among them. */
  readonly extensions?: Readonly<Record<string, string>>
}

/** One fault of an input: where (RFC 6901 JSON Pointer) and what. */
export interface Problem {
  readonly pointer: string
  readonly message: string
}

export const TENANT_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const EXTENSION_NAME = /^[a-z0-9]{1,20}$/
const RFC3339 =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/
export const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+([ \t]*;[^\u0000-\u0008\u000a-\u001f\u007f]*)?$/
const CONTROL = /[\u0000-\u001f\u007f]/

const LIMITS = { id: 256, source: 1024, subject: 1024, partitionkey: 256, dataschema: 1024, contenttype: 256 } as const
const MAX_EXTENSIONS = 32
const MAX_EXTENSION_LENGTH = 1024

/**
 * Every fault of an event's attributes, in the words of the sender; empty when it may be accepted. With
 * `ours` the events that Posthorn raises itself may be among them.
 */
export function checkEvent(event: WebhookEvent, ours = false): Problem[] {
  const problems: Problem[] = []
  const fault = (name: string, message: string) => problems.push({ pointer: `/${name}`, message })
  const text = (name: keyof typeof LIMITS, value: string | undefined, required: boolean) => {
    if (value === undefined && !required) return
    if (typeof value !== 'string' || value === '') fault(name, 'must be a non-empty string')
    else if (value.length > LIMITS[name]) fault(name, `must have at most ${LIMITS[name]} characters`)
    else if (CONTROL.test(value)) fault(name, 'must not contain control characters')
  }
  text('id', event.id, true)
  text('source', event.source, true)
  text('subject', event.subject, false)
  text('partitionkey', event.partitionkey, false)
  text('dataschema', event.dataschema, false)
  const probe = ours && isProbe(event)
  if (!probe && !TENANT_PATTERN.test(event.tenant)) fault('tenant', 'must be 1 to 64 characters of A-Z a-z 0-9 _ -')
  if (!isEventType(event.type)) fault('type', 'must be dot-separated words of A-Z a-z 0-9 _ -, 128 characters at most')
  else if (!probe && event.type.startsWith(RESERVED_PREFIX) && !(ours && isOwnEvent(event)))
    fault('type', `types starting with "${RESERVED_PREFIX}" are reserved`)
  if (!isTimestamp(event.time)) fault('time', 'must be an RFC 3339 timestamp such as 2026-01-31T12:00:00Z')
  if (event.contenttype.length > LIMITS.contenttype || !MEDIA_TYPE.test(event.contenttype))
    fault('datacontenttype', 'must be a media type such as application/json')
  const extensions = Object.entries(event.extensions ?? {})
  if (extensions.length > MAX_EXTENSIONS)
    problems.push({ pointer: '', message: `at most ${MAX_EXTENSIONS} extension attributes are allowed` })
  for (const [name, value] of extensions) {
    if (!isExtensionName(name))
      fault(escapePointer(name), 'is not a known field, nor an extension attribute name (1 to 20 of a-z 0-9)')
    else if (value.length > MAX_EXTENSION_LENGTH) fault(name, `must have at most ${MAX_EXTENSION_LENGTH} characters`)
    else if (CONTROL.test(value)) fault(name, 'must not contain control characters')
  }
  return problems
}

function isOwnEvent({ type, source }: WebhookEvent): boolean {
  return source === OWN_SOURCE && isOwnEventType(type)
}

/** The day must exist: Date.parse takes 30 February for 2 March, and Postgres refuses it, as it does the year 0. */
function isTimestamp(time: unknown): boolean {
  if (typeof time !== 'string' || !RFC3339.test(time)) return false
  const [year, month, day] = time.slice(0, 10).split('-').map(Number) as [number, number, number]
  return year > 0 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** Whether an event may have an extension attribute of this name. */
export function isExtensionName(name: string): boolean {
  return EXTENSION_NAME.test(name) && name !== 'data'
}

/** Escapes one reference token of a JSON Pointer (RFC 6901). */
export function escapePointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Whether data of this media type is JSON: application/json, text/json and every +json. */
export function isJsonMediaType(contenttype: string): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(contenttype)
}
