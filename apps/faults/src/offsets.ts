import { ATTEMPTS, BULK, DELAYS, DELIVERIES, DUE, EVENTS, type TopicContract } from '@posthorn/topics'
import { until } from '@posthorn/testkit'
import type { Admin, Kafka } from 'kafkajs'

/** What each service has to have finished when all is done. */
const READS: Readonly<Record<string, readonly TopicContract[]>> = {
  router: [EVENTS],
  deliverer: [DELIVERIES, DUE, BULK],
  'retry-scheduler': Object.values(DELAYS),
  monitor: [EVENTS, DELIVERIES, ATTEMPTS],
}

/** Committed offsets by topic and partition. */
export type Committed = ReadonlyMap<string, number>

export async function committedBy(admin: Admin, target: string): Promise<Committed> {
  const topics = READS[target]!.map(({ name }) => `posthorn.${name}`)
  const committed = await admin.fetchOffsets({ groupId: `posthorn.${target}`, topics })
  return new Map(
    committed.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Math.max(0, Number(offset))]),
    ),
  )
}

/** Resolves when every group stands at the ends of its topics; rejects with how far each is behind. */
export async function untilAllCommitted(kafka: Kafka, timeoutMs: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  let state: Record<string, Record<string, number>> = {}
  try {
    const isDone = async () => {
      const behind = await Promise.all(Object.keys(READS).map(async target => [target, await behindOf(admin, target)]))
      state = Object.fromEntries(behind) as typeof state
      return Object.values(state).every(topics => Object.keys(topics).length === 0)
    }
    await until(isDone, timeoutMs, () => `not all is committed; records behind: ${JSON.stringify(state)}`)
  } finally {
    await admin.disconnect()
  }
}

/** Records by topic and partition, where there are any. */
async function behindOf(admin: Admin, target: string): Promise<Record<string, number>> {
  const committed = await committedBy(admin, target)
  const behind: Record<string, number> = {}
  for (const { name } of READS[target]!)
    for (const { partition, high } of await admin.fetchTopicOffsets(`posthorn.${name}`)) {
      const left = Number(high) - (committed.get(`posthorn.${name}/${partition}`) ?? 0)
      // A commit beyond the end is as wrong as one before it.
      if (left !== 0) behind[`${name}/${partition}`] = left
    }
  return behind
}
