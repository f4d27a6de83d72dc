import { ApiError } from '@posthorn/api'
import { readBinary, type ReadEvent } from '@posthorn/topics'
import { escapePointer } from '@posthorn/webhook'
import {
  accept,
  DEFAULT_SOURCE,
  idempotencyKey,
  MAX_EVENTS,
  newId,
  type Publication,
  type PublicationRules,
} from './publication.js'

/** posthorn.publish.v1.Event; what is not set is absent. */
export interface EventMessage {
  readonly id?: string
  readonly source?: string
  readonly type?: string
  readonly time?: string
  readonly partitionkey?: string
  readonly subject?: string
  readonly dataschema?: string
  readonly datacontenttype?: string
  readonly extensions?: Readonly<Record<string, string>>
  readonly data?: Buffer
}

export interface MessageOrigin {
  /** The metadata idempotency-key: it takes the place of chance in the ids that are made. */
  readonly key: string | undefined
  /** Where the events stand in the request, for the pointers of faults. */
  readonly pointer: string
  /** Place of the first of them. */
  readonly first: number
}

const ATTRIBUTES = ['id', 'source', 'type', 'time', 'partitionkey', 'subject', 'dataschema', 'datacontenttype'] as const
const TAKEN = new Set<string>([...ATTRIBUTES, 'specversion', 'tenant', 'data', 'data_base64'])

/** Reads and checks events of gRPC as the HTTP edge does. Throws ApiError batch_size, request_invalid, event_invalid or body_too_large. */
export function readMessages(
  messages: readonly EventMessage[],
  rules: PublicationRules,
  { key, pointer, first }: MessageOrigin,
): Publication {
  if (messages.length < 1 || messages.length > MAX_EVENTS)
    throw new ApiError('batch_size', `There are ${messages.length} events; 1 to ${MAX_EVENTS} are taken.`)
  const keyOf = idempotencyKey(key)
  const reads = messages.map((message, index) => readMessage(message, rules, keyOf(first + index)))
  return { form: 'many', events: accept(reads, rules, index => `${pointer}/${first + index}`) }
}

function readMessage(message: EventMessage, { tenant, now }: PublicationRules, key: string | undefined): ReadEvent {
  const { extensions = {}, data = Buffer.alloc(0) } = message
  const taken = Object.keys(extensions).filter(name => TAKEN.has(name))
  if (taken.length > 0)
    return {
      kind: 'bad',
      problems: taken.map(name => ({
        pointer: `/extensions/${escapePointer(name)}`,
        message: 'is a field of the event, not an extension',
      })),
    }
  const attributes: Record<string, string> = { ...extensions, specversion: '1.0' }
  for (const name of ATTRIBUTES) {
    const value = message[name]
    if (value !== undefined && value !== '') attributes[name] = value
  }
  return readBinary(attributes, data, { tenant, time: now, source: DEFAULT_SOURCE, id: newId(key) })
}
