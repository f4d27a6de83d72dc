import { ATTEMPTS } from './attempts.js'
import { topicName, type TopicContract } from './contract.js'
import { DEAD_LETTERS } from './dead-letters.js'
import { BULK, DELAYS, DELIVERIES, DUE } from './deliveries.js'
import { EVENTS } from './events.js'
import { KEY_USES } from './key-uses.js'
import { POISON } from './poison.js'
import { CATALOGUE, KEYS, SOURCES, TENANTS, WEBHOOK_STATE, WEBHOOKS } from './tables.js'

/** Every topic that a deployment has. */
export const ALL_TOPICS: readonly TopicContract[] = [
  EVENTS,
  WEBHOOKS,
  TENANTS,
  CATALOGUE,
  KEYS,
  KEY_USES,
  SOURCES,
  WEBHOOK_STATE,
  DELIVERIES,
  DUE,
  BULK,
  ...Object.values(DELAYS),
  ATTEMPTS,
  DEAD_LETTERS,
  POISON,
]

/**
 * Why a topic cannot be a source; undefined when it can. Read as a source, a topic of Posthorn
 * would make events of its own events for ever.
 */
export function foreignTopicFault(topic: string, prefix: string): string | undefined {
  if (prefix !== '' && topic.startsWith(prefix))
    return `must not start with "${prefix}": those are Posthorn's own topics`
  // Without a prefix only the names tell them apart.
  return ALL_TOPICS.some(own => topicName(prefix, own) === topic)
    ? "must not be one of Posthorn's own topics"
    : undefined
}

/** The consumer group of a source, where its position stands. */
export function sourceGroup(prefix: string, source: string): string {
  return `${prefix}ingest.source.${source}`
}
