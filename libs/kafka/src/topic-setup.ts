import type { TopicContract } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'

export interface TopicDifference {
  readonly topic: TopicContract
  readonly kind: 'partitions' | 'config' | 'replication'
  /** For a person: what is, and what is wanted. */
  readonly sentence: string
}

export interface TopicPlan {
  readonly missing: readonly TopicContract[]
  readonly differences: readonly TopicDifference[]
}

/** The topics are not as the services need them; `problems` are sentences. Run: posthorn topics --apply. */
export class TopicsUnfit extends Error {
  override readonly name = 'TopicsUnfit'

  constructor(readonly problems: readonly string[]) {
    super(`The topics do not fit:\n${problems.map(problem => `  ${problem}`).join('\n')}\nrun: posthorn topics --apply`)
  }
}

const NOT_YET = 'not built yet'

export async function planTopics(_connection: KafkaConnection): Promise<TopicPlan> {
  throw new Error(NOT_YET)
}

/** Creates what is missing and sets configs. Partitions are added only with `addPartitions`: it moves webhooks. */
export async function createTopics(
  _connection: KafkaConnection,
  _plan: TopicPlan,
  _options: { readonly addPartitions?: boolean } = {},
): Promise<void> {
  throw new Error(NOT_YET)
}

export async function requireTopics(_connection: KafkaConnection): Promise<void> {
  throw new Error(NOT_YET)
}
