import type { Broker } from 'kafkajs'
import type { KafkaConnection } from './connection.js'
import { lowLevel } from './low-level.js'
import { retryInPlace } from './retry-in-place.js'

/** kafkajs has the request but does not declare it. */
interface Coordinator extends Broker {
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>
}

/**
 * Takes a member out of its group that kafkajs gave up while it could not say so itself. Otherwise
 * its successor, a new member to the group, waits until the old one's session is over (10 s). By a
 * client of its own: the successor's join holds its connection to the coordinator until then.
 * Tries until Kafka answers; never rejects.
 */
export async function leaveAs(
  connection: KafkaConnection,
  groupId: string,
  memberId: string,
  stop: AbortSignal | undefined,
): Promise<void> {
  const { logger } = connection.options
  const leave = () => leaveOnce(connection, groupId, memberId)
  await retryInPlace(`leave the group ${groupId} as a former member`, logger, leave, stop).catch(() => undefined)
}

async function leaveOnce(connection: KafkaConnection, groupId: string, memberId: string): Promise<void> {
  const { consumer, cluster } = lowLevel(connection, groupId, 1)
  try {
    await consumer.connect()
    const coordinator = (await cluster.findGroupCoordinator({ groupId })) as Coordinator
    await coordinator.leaveGroup({ groupId, memberId })
  } catch (error) {
    if ((error as { type?: unknown }).type !== 'UNKNOWN_MEMBER_ID') throw error
  } finally {
    await consumer.disconnect().catch(() => undefined)
  }
}
