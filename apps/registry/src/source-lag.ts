import { setTimeout as sleep } from 'node:timers/promises'
import type { SourceLagView } from '@posthorn/api'
import { askCoordinator, lagOf, readPositions, type KafkaConnection } from '@posthorn/kafka'
import { sourceGroup } from '@posthorn/topics'
import { topicPattern, type SourceDefinition } from '@posthorn/webhook'

/** How a source stands in Kafka. */
export interface SourceProgress {
  readonly group: string
  readonly readers: number | null
  readonly lag: readonly SourceLagView[] | null
}

/** A read of the API does not wait longer for Kafka. */
const ANSWER_MS = 3_000

type Admin = Parameters<Parameters<KafkaConnection['withAdmin']>[0]>[0]

/** Asks Kafka how far sources are read: the position of a source stands nowhere else. */
export class SourceLag {
  constructor(private readonly connection: KafkaConnection) {}

  /** Never rejects: with Kafka away the answer has nulls. */
  async of(id: string, definition: SourceDefinition): Promise<SourceProgress> {
    const group = sourceGroup(this.connection.prefix, id)
    const unknown: SourceProgress = { group, readers: null, lag: null }
    const asked = this.connection
      .withAdmin(admin =>
        askCoordinator(async () => ({
          group,
          readers: await readersOf(admin, group),
          lag: await lags(admin, group, definition),
        })),
      )
      .catch(() => unknown)
    return Promise.race([asked, sleep(ANSWER_MS, unknown, { ref: false })])
  }
}

async function readersOf(admin: Admin, group: string): Promise<number> {
  const { groups } = await admin.describeGroups([group])
  return groups[0]?.members.length ?? 0
}

/** Of the topics that the source names now and that its group has a position on. */
async function lags(admin: Admin, groupId: string, { topic, pattern }: SourceDefinition): Promise<SourceLagView[]> {
  const isNamed = (name: string) => (pattern === undefined ? name === topic : topicPattern(pattern).test(name))
  const committed = await admin.fetchOffsets({ groupId })
  const found: SourceLagView[] = []
  for (const { topic: name } of committed.filter(one => isNamed(one.topic))) {
    // A topic that was deleted keeps its positions for a while, and has no lag.
    const positions = await readPositions(admin, groupId, [name]).catch(() => [])
    if (positions.length > 0) found.push({ topic: name, lag: positions.reduce((sum, one) => sum + lagOf(one), 0) })
  }
  return found.sort((a, b) => (a.topic < b.topic ? -1 : 1))
}
