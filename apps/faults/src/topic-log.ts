import { randomUUID } from 'node:crypto'
import { until } from '@posthorn/testkit'
import type { TopicContract } from '@posthorn/topics'
import type { Kafka } from 'kafkajs'

export interface LogRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** ms since the epoch. */
  readonly appendedAt: number
}

/** A long run leaves some hundred MB. */
const WITHIN_MS = 240_000

/** All of a topic up to its present end; in order within each partition. */
export async function readLog(kafka: Kafka, { name }: TopicContract): Promise<readonly LogRecord[]> {
  const topic = `posthorn.${name}`
  const ends = await endsOf(kafka, topic)
  const groupId = `faults-${randomUUID()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false })
  const records: LogRecord[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { key, value, timestamp } of batch.messages)
          records.push({ key, value, appendedAt: Number(timestamp) })
        if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? 0)) ends.delete(batch.partition)
      },
    })
    const isRead = () => ends.size === 0
    await until(isRead, WITHIN_MS, () => `${ends.size} partitions of ${topic} are not read to their ends`)
    return records
  } finally {
    await consumer.disconnect()
  }
}

async function endsOf(kafka: Kafka, topic: string): Promise<Map<number, number>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return new Map(
      offsets.map(({ partition, high }) => [partition, Number(high)] as const).filter(([, end]) => end > 0),
    )
  } finally {
    await admin.disconnect()
  }
}
