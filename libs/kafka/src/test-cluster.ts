import { setTimeout as sleep } from 'node:timers/promises'
import { createLogger } from '@posthorn/telemetry'
import type { TopicContract } from '@posthorn/topics'
import { KafkaConnection } from './connection.js'

/** A connection of a test with a prefix of its own. */
export function testConnection(brokers: string[], partitions: number): KafkaConnection {
  return new KafkaConnection({
    brokers,
    prefix: `t-${Math.random().toString(36).slice(2, 10)}.`,
    partitions,
    replication: 1,
    security: {},
    compression: 'none',
    clientId: 'posthorn-test',
    logger: createLogger('silent', 'test'),
  })
}

/** How long a busy broker may take to make topics, or to remove them. */
const PATIENT_MS = 60_000

export const WORK: TopicContract = { name: 'work.v1', cleanup: 'delete', retentionMs: 3600_000, partitions: 'work' }
export const MORE: TopicContract = { ...WORK, name: 'more.v1' }
export const TABLE: TopicContract = { name: 'table.v1', cleanup: 'compact', partitions: 'table' }

export async function makeTopics(connection: KafkaConnection, ...topics: TopicContract[]): Promise<void> {
  const wanted = topics.map(topic => ({
    topic: connection.topic(topic),
    numPartitions: topic.partitions === 'work' ? connection.options.partitions : 1,
    replicationFactor: 1,
    configEntries: [
      { name: 'message.timestamp.type', value: 'LogAppendTime' },
      { name: 'cleanup.policy', value: topic.cleanup },
    ],
  }))
  await connection.withAdmin(async admin => {
    await admin.createTopics({ waitForLeaders: false, topics: wanted, timeout: PATIENT_MS })
    // kafkajs's own wait fails when the broker does not know a topic yet; this asks each leader.
    for (const { topic } of wanted)
      while ((await admin.fetchTopicOffsets(topic).catch(() => [])).length === 0) await sleep(50)
  })
}

export async function dropTopics(connection: KafkaConnection): Promise<void> {
  await connection.withAdmin(async admin => {
    const topics = (await admin.listTopics()).filter(name => name.startsWith(connection.prefix))
    if (topics.length > 0) await admin.deleteTopics({ topics, timeout: PATIENT_MS })
  })
}
