import { ATTEMPTS } from './attempts.js'
import type { TopicContract } from './contract.js'
import { DEAD_LETTERS } from './dead-letters.js'
import { BULK, DELAYS, DELIVERIES, DUE } from './deliveries.js'
import { EVENTS } from './events.js'
import { POISON } from './poison.js'
import { CATALOGUE, KEYS, SOURCES, TENANTS, WEBHOOK_STATE, WEBHOOKS } from './tables.js'

export * from './attempts.js'
export * from './cloud-event.js'
export * from './contract.js'
export * from './dead-letters.js'
export * from './deliveries.js'
export * from './events.js'
export * from './frame.js'
export * from './json-slice.js'
export * from './partition.js'
export * from './poison.js'
export * from './tables.js'

/** Every topic that a deployment has. */
export const ALL_TOPICS: readonly TopicContract[] = [
  EVENTS,
  WEBHOOKS,
  TENANTS,
  CATALOGUE,
  KEYS,
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
