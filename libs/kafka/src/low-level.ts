import type { Cluster, Consumer } from 'kafkajs'
import type { KafkaConnection } from './connection.js'

/** A client of its own: connect and disconnect `consumer`, talk through `cluster`. */
export interface LowLevel {
  readonly consumer: Consumer
  readonly cluster: Cluster
}

/**
 * The low-level client of kafkajs, which it hands to nobody but an assigner's factory. The consumer
 * never runs, so no group is joined. `retries` is how often each request is tried again.
 */
export function lowLevel(connection: KafkaConnection, groupId: string, retries: number): LowLevel {
  let cluster: Cluster | undefined
  const consumer = connection.kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries },
    partitionAssigners: [
      given => {
        cluster = given.cluster
        return {
          name: 'none',
          version: 0,
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
          assign: async () => [],
        }
      },
    ],
  })
  if (!cluster) throw new Error('kafkajs did not hand out its cluster')
  return { consumer, cluster }
}

type OffsetsRequest = Parameters<Cluster['fetchTopicsOffset']>[0]

/**
 * First or last offsets of partitions. When the leader has moved, kafkajs finds out by what it fetches;
 * who fetches nothing yet would ask the former one until its metadata expires (5 min). So whoever asks
 * again after a rejection asks the leader of then.
 */
export async function listOffsets(cluster: Cluster, topics: OffsetsRequest) {
  try {
    return await cluster.fetchTopicsOffset(topics)
  } catch (error) {
    await cluster.refreshMetadata().catch(() => undefined)
    throw error
  }
}
