import { ATTEMPTS, decodeAttempt } from '@posthorn/topics'
import type { Kafka } from 'kafkajs'
import type { Recorded } from './ledger.js'
import { readLog } from './topic-log.js'

/**
 * All of attempts.v1 up to its present end, with the time at which the log took each. A producer
 * sends again what Kafka took without saying so: of such copies the first. Throws for a record that is none.
 */
export async function readAttempts(kafka: Kafka): Promise<readonly Recorded[]> {
  const found = new Map<string, Recorded>()
  for (const { value, appendedAt } of await readLog(kafka, ATTEMPTS)) {
    const read = decodeAttempt(value)
    if (read.kind !== 'attempt') throw new Error(`${ATTEMPTS.name} has a record that is no attempt: ${read.detail}`)
    const { attempt } = read
    const { delivery, run, started_at, finished_at } = attempt
    const identity = [delivery, run, attempt.attempt, started_at, finished_at].join(' ')
    if (!found.has(identity)) found.set(identity, { attempt, appendedAt })
  }
  return [...found.values()]
}
