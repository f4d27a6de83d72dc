import { randomUUID } from 'node:crypto'
import { ATTEMPTS, decodeAttempt } from '@posthorn/topics'
import { until } from '@posthorn/testkit'
import type { Kafka } from 'kafkajs'
import type { Recorded } from './ledger.js'

const TOPIC = `posthorn.${ATTEMPTS.name}`
const WITHIN_MS = 60_000

/** All of attempts.v1 up to its present end, with the time at which the log took each. Throws for a record that is none. */
export async function readAttempts(kafka: Kafka): Promise<readonly Recorded[]> {
  const ends = await endsOf(kafka)
  const groupId = `faults-${randomUUID()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false })
  const records: Recorded[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
    let bad: string | undefined
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { value, timestamp } of batch.messages) {
          const read = decodeAttempt(value)
          if (read.kind === 'attempt') records.push({ attempt: read.attempt, appendedAt: Number(timestamp) })
          else bad = read.detail
        }
        if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? 0)) ends.delete(batch.partition)
      },
    })
    const isRead = () => bad !== undefined || ends.size === 0
    await until(isRead, WITHIN_MS, () => `${ends.size} partitions of ${TOPIC} are not read to their ends`)
    if (bad !== undefined) throw new Error(`${TOPIC} has a record that is no attempt: ${bad}`)
    return records
  } finally {
    await consumer.disconnect()
  }
}

async function endsOf(kafka: Kafka): Promise<Map<number, number>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(TOPIC)
    return new Map(
      offsets.map(({ partition, high }) => [partition, Number(high)] as const).filter(([, end]) => end > 0),
    )
  } finally {
    await admin.disconnect()
  }
}
