import type { Admin } from 'kafkajs'
import type { KafkaConnection } from './connection.js'
import { askCoordinator } from './coordinator.js'
import { lowLevel } from './low-level.js'

/** Where a group stands on one partition. */
export interface GroupPosition {
  readonly topic: string
  readonly partition: number
  /** Undefined: never, or so long ago that the broker forgot it. */
  readonly committed: number | undefined
  readonly start: number
  readonly end: number
}

export interface PositionToCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** All partitions of these topics, by their full names. Rejects when one does not exist or Kafka is away. */
export async function readPositions(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
): Promise<readonly GroupPosition[]> {
  const committed = await askCoordinator(() => admin.fetchOffsets({ groupId, topics: [...topics] }))
  const positions: GroupPosition[] = []
  for (const topic of topics) {
    const offsets = committed.find(found => found.topic === topic)?.partitions ?? []
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const offset = Number(offsets.find(found => found.partition === partition)?.offset ?? -1)
      const position = { topic, partition, start: Number(low), end: Number(high) }
      positions.push({ ...position, committed: offset < 0 ? undefined : offset })
    }
  }
  return positions
}

/** Records between what is committed (or the start of the log) and the end. */
export function lagOf({ committed, start, end }: GroupPosition): number {
  return Math.max(0, end - Math.max(committed ?? start, start))
}

/** The group has members: positions are theirs to commit. */
export class GroupHasMembers extends Error {
  override readonly name = 'GroupHasMembers'
}

/**
 * Commits for a group that nobody is a member of. kafkajs's own way joins the group for it, once a
 * topic; a commit without a member is what the protocol has for this. Rejects with GroupHasMembers.
 */
export async function commitPositions(
  connection: KafkaConnection,
  groupId: string,
  positions: readonly PositionToCommit[],
): Promise<void> {
  const { consumer, cluster } = lowLevel(connection, groupId, 5)
  try {
    await consumer.connect()
    await askCoordinator(async () => {
      const coordinator = await cluster.findGroupCoordinator({ groupId })
      await coordinator.offsetCommit({ groupId, groupGenerationId: -1, memberId: '', topics: byTopic(positions) })
    })
  } catch (error) {
    const { type } = error as { readonly type?: string }
    if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION' || type === 'REBALANCE_IN_PROGRESS')
      throw new GroupHasMembers(`the group ${groupId} has members`, { cause: error })
    throw error
  } finally {
    await consumer.disconnect().catch(() => undefined)
  }
}

function byTopic(positions: readonly PositionToCommit[]) {
  const topics = new Map<string, { partition: number; offset: string }[]>()
  for (const { topic, partition, offset } of positions) {
    const partitions = topics.get(topic) ?? []
    partitions.push({ partition, offset: String(offset) })
    topics.set(topic, partitions)
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}
