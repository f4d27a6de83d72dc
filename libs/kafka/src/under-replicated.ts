import type { TopicContract } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'

/** How many partitions of each topic have a replica that is not in sync; topics without any are left out. */
export async function readUnderReplicated(
  connection: KafkaConnection,
  topics: readonly TopicContract[],
): Promise<ReadonlyMap<TopicContract, number>> {
  const names = new Map(topics.map(topic => [connection.topic(topic), topic]))
  const { topics: found } = await connection.withAdmin(admin => admin.fetchTopicMetadata({ topics: [...names.keys()] }))
  const counts = found.map(({ name, partitions }) => {
    const behind = partitions.filter(({ isr, replicas }) => isr.length < replicas.length)
    return [names.get(name)!, behind.length] as const
  })
  return new Map(counts.filter(([, count]) => count > 0))
}
