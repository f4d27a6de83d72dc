import { runInNewContext } from 'node:vm'
import type { KafkaConnection } from '@posthorn/kafka'
import { foreignTopicFault } from '@posthorn/topics'
import { topicPattern, type SourceDefinition } from '@posthorn/webhook'

/** kafkajs's admin client, as the connection lends it. */
export type Admin = Parameters<Parameters<KafkaConnection['withAdmin']>[0]>[0]

/** The topics of one source that can be read now, with how many partitions each has. */
export interface FoundTopics {
  readonly topics: ReadonlyMap<string, number>
  /** For a person: why there are none, or fewer than the source names. */
  readonly problem: string | undefined
}

/** What a broker says of a topic that is not there, or not for us; everything else means that Kafka is away. */
const REFUSALS: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'does not exist',
  TOPIC_AUTHORIZATION_FAILED: 'may not be read: this client needs Describe and Read on it',
  INVALID_TOPIC_EXCEPTION: 'is no name of a topic',
}

/** For all topics of the cluster; a sound pattern needs a microsecond for each. */
const MATCH_MS = 500

/** Asks for each source's topics; sources of one look share the listing that patterns need. */
export class TopicLook {
  private listing?: Promise<ReadonlyMap<string, number>>

  constructor(
    private readonly admin: Admin,
    private readonly prefix: string,
  ) {}

  /** Rejects when Kafka is away. */
  async find({ topic, pattern }: SourceDefinition): Promise<FoundTopics> {
    return topic === undefined ? this.matching(pattern!) : this.named(topic)
  }

  private async named(topic: string): Promise<FoundTopics> {
    const refuse = (problem: string): FoundTopics => ({ topics: new Map(), problem: `the topic ${topic} ${problem}` })
    const own = foreignTopicFault(topic, this.prefix)
    if (own !== undefined) return refuse(own)
    try {
      const { topics } = await this.admin.fetchTopicMetadata({ topics: [topic] })
      return { topics: new Map(topics.map(({ name, partitions }) => [name, partitions.length])), problem: undefined }
    } catch (error) {
      const refusal = REFUSALS[(error as { readonly type?: string }).type ?? '']
      if (refusal === undefined) throw error
      return refuse(refusal)
    }
  }

  /** Brokers list only what this client may describe. Names that start with "__" are Kafka's own. */
  private async matching(pattern: string): Promise<FoundTopics> {
    const all = await (this.listing ??= this.list())
    const readable = [...all.keys()].filter(
      name => !name.startsWith('__') && foreignTopicFault(name, this.prefix) === undefined,
    )
    const topics = matches(pattern, readable).map(name => [name, all.get(name)!] as const)
    return {
      topics: new Map(topics),
      problem: topics.length > 0 ? undefined : `no topic that may be read matches ${pattern}`,
    }
  }

  private async list(): Promise<ReadonlyMap<string, number>> {
    const { topics } = await this.admin.fetchTopicMetadata()
    return new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
  }
}

/**
 * Some patterns need for ever to say no: "(a+)+b" a minute for 32 letters, and HTTP would wait with
 * it. In a context of its own it is stopped. Throws then.
 */
function matches(pattern: string, names: readonly string[]): string[] {
  const given = { names, wanted: topicPattern(pattern) }
  try {
    return runInNewContext('names.filter(name => wanted.test(name))', given, { timeout: MATCH_MS }) as string[]
  } catch (cause) {
    throw new Error(`the pattern ${pattern} could not be compared with all topics within ${MATCH_MS} ms`, { cause })
  }
}
