import { ATTEMPTS } from './attempts.js'
import type { TopicContract } from './contract.js'
import { DEAD_LETTERS } from './dead-letters.js'
import { BULK, DELAYS, DELIVERIES, DUE } from './deliveries.js'
import { EVENTS } from './events.js'
import { POISON } from './poison.js'

/** The consumer group of a service, and every topic that it commits offsets of. */
export interface ConsumerGroup {
  /** Without the deployment's prefix. */
  readonly name: string
  readonly topics: readonly TopicContract[]
}

export const ROUTER_GROUP: ConsumerGroup = { name: 'router', topics: [EVENTS] }
export const DELIVERER_GROUP: ConsumerGroup = { name: 'deliverer', topics: [DELIVERIES, DUE, BULK] }
export const RETRY_SCHEDULER_GROUP: ConsumerGroup = { name: 'retry-scheduler', topics: Object.values(DELAYS) }
export const MONITOR_GROUP: ConsumerGroup = {
  name: 'monitor',
  topics: [EVENTS, DELIVERIES, ATTEMPTS, DEAD_LETTERS, POISON],
}

/** Those that read Posthorn's own topics; sources have groups of their own: see sourceGroup. */
export const ALL_GROUPS: readonly ConsumerGroup[] = [
  ROUTER_GROUP,
  DELIVERER_GROUP,
  RETRY_SCHEDULER_GROUP,
  MONITOR_GROUP,
]

/** The full name of a group under the deployment's prefix. */
export function groupName(prefix: string, group: ConsumerGroup): string {
  return prefix + group.name
}
