import { groupName, type ConsumerGroup, type TopicContract } from '@posthorn/topics'
import kafkajs, { type Admin, type Cluster } from 'kafkajs'
import type { KafkaConnection } from './connection.js'
import { lagOf, readPositions, type GroupPosition } from './group-positions.js'
import { lowLevel } from './low-level.js'
import { fetchRecords, OffsetGone } from './partition-reader.js'

export interface UnfinishedRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
}

/** How far back the work of a group on one topic reaches. */
export interface OldestUnfinished {
  readonly group: ConsumerGroup
  readonly topic: TopicContract
  /** The oldest record that is not finished; undefined: all are. */
  readonly record: UnfinishedRecord | undefined
  /** The oldest of each partition that has some. */
  readonly heads: readonly UnfinishedRecord[]
  /** Records, of all partitions together, after what the group has committed. */
  readonly lag: number
  readonly partitions: number
  /** How long the broker keeps the topic's records, ms; undefined: for ever. */
  readonly retentionMs: number | undefined
  /** Where the group stands on the partitions of the topic on which it is behind. */
  readonly behind: readonly GroupPosition[]
}

/** The first batch is enough, and a broker gives all of one whatever it was asked for. */
const ONE_BATCH = 1
const NO_WAIT_MS = 0

/**
 * For each of the groups' topics the oldest record that the group has not finished: that at the offset it has
 * committed, where there is one. Costs one small fetch for each partition with a lag. Rejects while Kafka is away.
 */
export async function readOldestUnfinished(
  connection: KafkaConnection,
  groups: readonly ConsumerGroup[],
): Promise<readonly OldestUnfinished[]> {
  const { retentions, positions } = await connection.withAdmin(async admin => ({
    retentions: await readRetentions(admin, namesOf(connection, groups)),
    positions: await positionsOf(admin, connection, groups),
  }))
  const { consumer, cluster } = lowLevel(connection, 'oldest-unfinished', 3)
  try {
    await consumer.connect()
    const found: OldestUnfinished[] = []
    for (const group of groups)
      for (const topic of group.topics) {
        const name = connection.topic(topic)
        const all = positions.get(group)!.filter(one => one.topic === name)
        const behind = all.filter(one => lagOf(one) > 0)
        if (behind.length > 0) await cluster.addTargetTopic(name)
        const heads = await headsOf(cluster, behind)
        found.push({
          ...{ group, topic, heads, record: oldestOf(heads), retentionMs: retentions.get(name), behind },
          lag: behind.reduce((sum, one) => sum + lagOf(one), 0),
          partitions: all.length,
        })
      }
    return found
  } finally {
    await consumer.disconnect().catch(() => undefined)
  }
}

function namesOf(connection: KafkaConnection, groups: readonly ConsumerGroup[]): string[] {
  return [...new Set(groups.flatMap(({ topics }) => topics.map(topic => connection.topic(topic))))]
}

async function positionsOf(admin: Admin, connection: KafkaConnection, groups: readonly ConsumerGroup[]) {
  const positions = new Map<ConsumerGroup, readonly GroupPosition[]>()
  for (const group of groups) {
    const names = namesOf(connection, [group])
    positions.set(group, await readPositions(admin, groupName(connection.prefix, group), names))
  }
  return positions
}

/** What the brokers do, not what they ought to: it may have been changed since the services started. */
async function readRetentions(admin: Admin, names: readonly string[]): Promise<Map<string, number | undefined>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map(name => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: ['retention.ms'],
    })),
  })
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const value = Number(configEntries.find(({ configName }) => configName === 'retention.ms')?.configValue)
      return [resourceName, value >= 0 ? value : undefined]
    }),
  )
}

async function headsOf(cluster: Cluster, behind: readonly GroupPosition[]): Promise<UnfinishedRecord[]> {
  const heads: UnfinishedRecord[] = []
  for (const position of behind) {
    const head = await firstRecord(cluster, position)
    if (head) heads.push(head)
  }
  return heads
}

function oldestOf(heads: readonly UnfinishedRecord[]): UnfinishedRecord | undefined {
  return heads.reduce<UnfinishedRecord | undefined>(
    (first, head) => (first === undefined || head.timestamp < first.timestamp ? head : first),
    undefined,
  )
}

/** Skips what is no record, such as the markers of transactions. */
async function firstRecord(cluster: Cluster, position: GroupPosition): Promise<UnfinishedRecord | undefined> {
  const { topic, partition, start, end } = position
  let offset = Math.max(position.committed ?? start, start)
  while (offset < end) {
    const fetched = await fetchRecords(cluster, { topic, partition, offset }, NO_WAIT_MS, ONE_BATCH).catch(
      (error: unknown) => {
        // Retention took it in this moment: the next look begins where the log does.
        if (error instanceof OffsetGone) return undefined
        throw error
      },
    )
    const message = fetched?.messages[0]
    if (message) return { partition, offset: Number(message.offset), timestamp: Number(message.timestamp) }
    if (!fetched) return undefined
    offset = fetched.next
  }
  return undefined
}
