import { commitPositions, type GroupPosition, type KafkaConnection, type PositionToCommit } from '@posthorn/kafka'
import type { Source } from '@posthorn/webhook'
import type { Admin } from './source-topics.js'

/**
 * Commits where a source begins on topics that it has never read, before anybody reads: from then
 * on the position stands in Kafka, and a crash before the first event cannot move it. Without a
 * commit a partition is read from its start. Returns what was committed.
 * Rejects with GroupHasMembers when others read already: by the same definition they have done this, too.
 */
export async function settleStart(
  connection: KafkaConnection,
  admin: Admin,
  groupId: string,
  source: Source,
  positions: readonly GroupPosition[],
  isFirstLook: boolean,
): Promise<readonly PositionToCommit[]> {
  const settled = [...madeAnew(positions), ...(await beginnings(admin, source, positions, isFirstLook))]
  if (settled.length > 0) await commitPositions(connection, groupId, settled)
  return settled
}

/** A topic that ends before the committed position was deleted and made anew: its records were never read. */
function madeAnew(positions: readonly GroupPosition[]): PositionToCommit[] {
  return positions
    .filter(({ committed, end }) => committed !== undefined && committed > end)
    .map(({ topic, partition, start }) => ({ topic, partition, offset: start }))
}

async function beginnings(
  admin: Admin,
  source: Source,
  positions: readonly GroupPosition[],
  isFirstLook: boolean,
): Promise<PositionToCommit[]> {
  const since = startTime(source)
  if (since === 'earliest') return []
  const read = new Set(positions.filter(({ committed }) => committed !== undefined).map(({ topic }) => topic))
  const fresh = positions.filter(({ topic }) => !read.has(topic))
  if (typeof since === 'number') return atTime(admin, fresh, since)
  // What appears while the source is being read is new as a whole.
  if (!isFirstLook || read.size > 0) return []
  return fresh.map(({ topic, partition, end }) => ({ topic, partition, offset: end }))
}

/** `latest` of the API means the moment at which it was asked for, whoever looks at the topic when. */
function startTime({ start, since }: Source): 'earliest' | 'latest' | number {
  if (start === 'earliest') return start
  return start === 'latest' ? (since ?? start) : Date.parse(start)
}

async function atTime(admin: Admin, fresh: readonly GroupPosition[], time: number): Promise<PositionToCommit[]> {
  const found: PositionToCommit[] = []
  for (const topic of new Set(fresh.map(position => position.topic)))
    for (const { partition, offset } of await admin.fetchTopicOffsetsByTimestamp(topic, time))
      found.push({ topic, partition, offset: Number(offset) })
  return found
}
