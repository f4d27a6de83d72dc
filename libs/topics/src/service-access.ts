import { ATTEMPTS } from './attempts.js'
import { topicName, type TopicContract } from './contract.js'
import { DEAD_LETTERS } from './dead-letters.js'
import { BULK, DELAYS, DELIVERIES, DUE } from './deliveries.js'
import { EVENTS } from './events.js'
import { KEY_USES } from './key-uses.js'
import {
  ALL_GROUPS,
  DELIVERER_GROUP,
  groupName,
  MONITOR_GROUP,
  RETRY_SCHEDULER_GROUP,
  ROUTER_GROUP,
  type ConsumerGroup,
} from './own-groups.js'
import { sourceGroup } from './own-topics.js'
import { POISON } from './poison.js'
import { CATALOGUE, KEYS, SOURCES, TENANTS, WEBHOOK_STATE, WEBHOOKS } from './tables.js'

/** What a service does on Kafka; it looks at every topic when it starts. */
export interface ServiceAccess {
  readonly reads: readonly TopicContract[]
  readonly writes: readonly TopicContract[]
  /** Joins them and commits. */
  readonly joins: readonly ConsumerGroup[] | 'sources'
  /** Asks how far others are. */
  readonly watches: readonly ConsumerGroup[] | 'sources'
}

const TABLES = [WEBHOOKS, TENANTS, CATALOGUE, KEYS, SOURCES]
const TIERS = Object.values(DELAYS)
/** Where poison is put back: see redriveTopic. */
const REDRIVEN = [EVENTS, DELIVERIES, DUE, BULK, DELAYS['0s'], ATTEMPTS, DEAD_LETTERS]

/** By the name of the service. docs/kafka.md says the same, and a test runs every service with just this. */
export const SERVICE_ACCESS: Readonly<Record<string, ServiceAccess>> = {
  ingest: {
    reads: [TENANTS, CATALOGUE, KEYS, SOURCES],
    writes: [EVENTS, KEY_USES, POISON],
    joins: 'sources',
    watches: [],
  },
  registry: {
    reads: [...TABLES, KEY_USES, WEBHOOK_STATE],
    writes: [...TABLES, KEY_USES, ...REDRIVEN],
    joins: [],
    watches: 'sources',
  },
  router: {
    reads: [EVENTS, WEBHOOKS, TENANTS, CATALOGUE],
    writes: [DELIVERIES, BULK, POISON],
    joins: [ROUTER_GROUP],
    watches: [],
  },
  deliverer: {
    reads: [DELIVERIES, DUE, BULK, WEBHOOKS, WEBHOOK_STATE, ATTEMPTS],
    writes: [...TIERS, ATTEMPTS, DEAD_LETTERS, WEBHOOK_STATE, POISON],
    joins: [DELIVERER_GROUP],
    watches: [],
  },
  'retry-scheduler': {
    reads: TIERS,
    writes: [...TIERS, DUE, POISON],
    joins: [RETRY_SCHEDULER_GROUP],
    watches: [],
  },
  // It is ahead of the deliverers by so much at most.
  replayer: { reads: [EVENTS], writes: [BULK], joins: [], watches: [DELIVERER_GROUP] },
  monitor: {
    // The oldest record that waits in each topic of a group tells how old it is.
    reads: [EVENTS, DELIVERIES, DUE, BULK, ...TIERS, ATTEMPTS, DEAD_LETTERS, POISON, WEBHOOK_STATE],
    writes: [EVENTS, WEBHOOK_STATE, POISON],
    joins: [MONITOR_GROUP],
    watches: ALL_GROUPS,
  },
}

export interface AclRule {
  readonly resource: 'topic' | 'group'
  readonly pattern: 'literal' | 'prefixed'
  /** One or more; `*` alone: all that there are. */
  readonly names: readonly string[]
  readonly operations: readonly ('Read' | 'Write' | 'Describe' | 'DescribeConfigs')[]
}

/** The ACLs that a service needs under the deployment's prefix; those on users' own topics come to them. */
export function aclsOf({ reads, writes, joins, watches }: ServiceAccess, prefix: string): AclRule[] {
  const topics = (of: readonly TopicContract[]) => of.map(topic => topicName(prefix, topic))
  const looks = prefix === '' ? (['literal', '*'] as const) : (['prefixed', prefix] as const)
  const rules: AclRule[] = [
    { resource: 'topic', pattern: looks[0], names: [looks[1]], operations: ['Describe', 'DescribeConfigs'] },
    { resource: 'topic', pattern: 'literal', names: topics(reads), operations: ['Read'] },
    { resource: 'topic', pattern: 'literal', names: topics(writes), operations: ['Write'] },
    { ...groups(joins, prefix), operations: ['Read'] },
    { ...groups(watches, prefix), operations: ['Describe'] },
  ]
  return rules.filter(({ names }) => names.length > 0)
}

function groups(of: ServiceAccess['joins'], prefix: string): Pick<AclRule, 'resource' | 'pattern' | 'names'> {
  return of === 'sources'
    ? { resource: 'group', pattern: 'prefixed', names: [sourceGroup(prefix, '')] }
    : { resource: 'group', pattern: 'literal', names: of.map(group => groupName(prefix, group)) }
}
