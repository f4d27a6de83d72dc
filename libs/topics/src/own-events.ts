import { isOwnEventType, OWN_SOURCE, type OwnEventType } from '@posthorn/webhook'
import type { TopicRecord } from './contract.js'
import { encodeEvent } from './events.js'

/** An event that Posthorn raises for a tenant about one of its webhooks. */
export interface OwnEvent {
  /** Sent twice it is one event. */
  readonly id: string
  readonly tenant: string
  readonly type: OwnEventType
  /** Its id; events about one webhook keep their order. */
  readonly webhook: string
  /** RFC 3339. */
  readonly time: string
  readonly data: object
}

/** For events.v1. Throws for a type that is none of ours: nobody could read it. */
export function encodeOwnEvent({ data, webhook, ...event }: OwnEvent): TopicRecord {
  if (!isOwnEventType(event.type)) throw new TypeError(`${String(event.type)} is no event of our own`)
  const attributes = { source: OWN_SOURCE, contenttype: 'application/json', subject: webhook, partitionkey: webhook }
  return encodeEvent({ ...event, ...attributes }, Buffer.from(JSON.stringify(data)))
}
