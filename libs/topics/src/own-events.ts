import { isOwnEventType, OWN_SOURCE, type OwnEventType } from '@posthorn/webhook'
import type { TopicRecord } from './contract.js'
import { encodeEvent } from './events.js'

/** An event that Posthorn raises for a tenant, mostly about one of its webhooks. */
export interface OwnEvent {
  /** Sent twice it is one event. */
  readonly id: string
  readonly tenant: string
  readonly type: OwnEventType
  /** Id of the webhook, or what else it is about; events about one subject keep their order. */
  readonly subject: string
  /** RFC 3339. */
  readonly time: string
  readonly data: object
}

/** For events.v1. Throws for a type that is none of ours: nobody could read it. */
export function encodeOwnEvent({ data, subject, ...event }: OwnEvent): TopicRecord {
  if (!isOwnEventType(event.type)) throw new TypeError(`${String(event.type)} is no event of our own`)
  const attributes = { source: OWN_SOURCE, contenttype: 'application/json', subject, partitionkey: subject }
  return encodeEvent({ ...event, ...attributes }, Buffer.from(JSON.stringify(data)))
}
