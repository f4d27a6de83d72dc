import { isJsonMediaType, type WebhookEvent } from './event.js'
import { parseJson } from './filter-number.js'

/** The data as filters see it: JSON, no data at all, or something that no filter over data fits. */
export type EventData =
  { readonly kind: 'json'; readonly value: unknown } | { readonly kind: 'none' } | { readonly kind: 'opaque' }

const NONE: EventData = { kind: 'none' }
const OPAQUE: EventData = { kind: 'opaque' }
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** An event as filters look at it. Its data is parsed once, and only if a filter asks for it. */
export class EventFields {
  private named: Readonly<Record<string, unknown>> | undefined
  private parsed: EventData | undefined

  constructor(
    private readonly event: WebhookEvent,
    private readonly bytes: Uint8Array,
  ) {}

  /** The attributes by their CloudEvents names, extensions among them. */
  get attributes(): Readonly<Record<string, unknown>> {
    return (this.named ??= attributesOf(this.event))
  }

  get data(): EventData {
    return (this.parsed ??= parseData(this.event.contenttype, this.bytes))
  }
}

function attributesOf({ extensions, tenant: _, contenttype, ...attributes }: WebhookEvent): Record<string, unknown> {
  return { ...extensions, ...attributes, datacontenttype: contenttype }
}

function parseData(contenttype: string, bytes: Uint8Array): EventData {
  if (bytes.length === 0) return NONE
  if (!isJsonMediaType(contenttype)) return OPAQUE
  try {
    return { kind: 'json', value: parseJson(utf8.decode(bytes)) }
  } catch {
    return OPAQUE
  }
}
