import { ATTEMPTS, decodeAttempt } from '@posthorn/topics'
import type { Kafka } from 'kafkajs'
import type { Recorded } from './ledger.js'
import { readLog } from './topic-log.js'

/** All of attempts.v1 up to its present end, with the time at which the log took each. Throws for a record that is none. */
export async function readAttempts(kafka: Kafka): Promise<readonly Recorded[]> {
  const records = await readLog(kafka, ATTEMPTS)
  return records.map(({ value, appendedAt }) => {
    const read = decodeAttempt(value)
    if (read.kind !== 'attempt') throw new Error(`${ATTEMPTS.name} has a record that is no attempt: ${read.detail}`)
    return { attempt: read.attempt, appendedAt }
  })
}
