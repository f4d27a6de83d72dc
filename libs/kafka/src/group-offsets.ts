import type { Cluster } from 'kafkajs'
import type { Claim } from './claims.js'
import { FinishedBitmap } from './finished-bitmap.js'
import { listOffsets } from './low-level.js'
import { OffsetTracker } from './offset-tracker.js'

interface FetchedOffset {
  readonly partition: number
  readonly offset: string
  readonly metadata?: string | null
}

/**
 * Where claims start: the group's committed offset with the bitmap in its metadata, or the start of
 * the log where nothing is committed or retention has passed the commit. In the order of `claims`.
 * Rejects while Kafka is away.
 */
export async function readStarts(
  cluster: Cluster,
  groupId: string,
  claims: readonly Claim[],
): Promise<OffsetTracker[]> {
  const topics = [...new Set(claims.map(claim => claim.topicName))].map(topic => ({
    topic,
    partitions: claims.filter(claim => claim.topicName === topic).map(({ partition }) => ({ partition, offset: '-1' })),
  }))
  const coordinator = await cluster.findGroupCoordinator({ groupId })
  const { responses } = await coordinator.offsetFetch({ groupId, topics })
  const logStarts = await listOffsets(
    cluster,
    topics.map(topic => ({ ...topic, fromBeginning: true })),
  )
  return claims.map(claim => {
    const committed = findOffset(responses, claim)
    const logStart = Number(findOffset(logStarts, claim)?.offset)
    if (!committed || !Number.isSafeInteger(logStart))
      throw new Error(`the broker did not say where ${claim.topicName}/${claim.partition} starts`)
    const offset = Number(committed.offset)
    const tracker = new OffsetTracker(
      Math.max(offset, 0),
      offset < 0 ? undefined : FinishedBitmap.parse(offset, committed.metadata),
    )
    tracker.pass(logStart - 1)
    return tracker
  })
}

/** Start and end of one partition's log. */
export async function readBounds(
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<{ readonly start: number; readonly end: number }> {
  const ask = async (fromBeginning: boolean) => {
    const [answer] = await listOffsets(cluster, [{ topic, partitions: [{ partition }], fromBeginning }])
    return Number(answer!.partitions[0]!.offset)
  }
  return { start: await ask(true), end: await ask(false) }
}

function findOffset(
  topics: readonly { readonly topic: string; readonly partitions: readonly FetchedOffset[] }[],
  claim: Claim,
): FetchedOffset | undefined {
  return topics
    .find(({ topic }) => topic === claim.topicName)
    ?.partitions.find(({ partition }) => partition === claim.partition)
}
