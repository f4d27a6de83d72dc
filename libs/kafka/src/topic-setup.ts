import { setTimeout as sleep } from 'node:timers/promises'
import { ALL_TOPICS, MAX_RECORD_BYTES, type TopicContract } from '@posthorn/topics'
import kafkajs, { type Admin, type ConfigEntries } from 'kafkajs'
import { KafkaAccessRefused } from './access.js'
import type { KafkaConnection } from './connection.js'
import { retryInPlace } from './retry-in-place.js'

export interface TopicDifference {
  readonly topic: TopicContract
  readonly kind: 'partitions' | 'config'
  /** For a person: what is, and what is wanted. */
  readonly sentence: string
}

export interface TopicPlan {
  readonly missing: readonly TopicContract[]
  readonly differences: readonly TopicDifference[]
}

/** The topics are not as the services need them. Run: posthorn topics --apply. */
export class TopicsUnfit extends Error {
  override readonly name = 'TopicsUnfit'

  constructor(readonly problems: readonly string[]) {
    super(`The topics do not fit:\n${problems.map(problem => `  ${problem}`).join('\n')}\nrun: posthorn topics --apply`)
  }
}

const APPEAR_MS = 30_000

/** Missing topics and differences; both empty when all is as it has to be. Rejects while Kafka is away. */
export function planTopics(connection: KafkaConnection): Promise<TopicPlan> {
  return connection.withAdmin(async admin => {
    const names = new Set(await admin.listTopics())
    const present = ALL_TOPICS.filter(topic => names.has(connection.topic(topic)))
    const missing = ALL_TOPICS.filter(topic => !present.includes(topic))
    if (present.length === 0) return { missing, differences: [] }
    const { topics } = await admin.fetchTopicMetadata({ topics: present.map(topic => connection.topic(topic)) })
    const configs = await readConfigs(admin, connection, present)
    const differences = present.flatMap(topic => {
      const name = connection.topic(topic)
      const partitions = topics.find(found => found.name === name)?.partitions.length ?? 0
      return [
        ...partitionDifference(connection, topic, partitions),
        ...configDifferences(connection, topic, configs.get(name) ?? []),
      ]
    })
    return { missing, differences }
  })
}

/**
 * Creates what is missing and corrects configs; resolves when every topic has its leaders. Partitions
 * are added only with `addPartitions`, because that moves keys to other partitions. Safe to repeat.
 */
export async function createTopics(
  connection: KafkaConnection,
  plan: TopicPlan,
  options: { readonly addPartitions?: boolean } = {},
): Promise<void> {
  await connection.withAdmin(async admin => {
    await createMissing(admin, connection, plan.missing)
    await correctConfigs(admin, connection, topicsWith(plan, 'config'))
    if (options.addPartitions) await addPartitions(admin, connection, topicsWith(plan, 'partitions'))
  })
  await takeEffect(connection, options.addPartitions === true)
}

/** The controller answers before the brokers know: whoever asks next must see what was done. */
async function takeEffect(connection: KafkaConnection, withPartitions: boolean): Promise<void> {
  const giveUpAt = performance.now() + APPEAR_MS
  for (;;) {
    const { missing, differences } = await planTopics(connection)
    const left = differences.filter(({ kind }) => kind === 'config' || withPartitions)
    if (missing.length === 0 && left.length === 0) return
    // What cannot be brought about, such as fewer partitions, is for the next plan to say.
    if (performance.now() > giveUpAt) return
    await sleep(100)
  }
}

/** Throws TopicsUnfit with every difference, or KafkaAccessRefused; waits while Kafka is away. */
export async function requireTopics(connection: KafkaConnection): Promise<void> {
  const plan = await retryInPlace('read the topics', connection.options.logger, () =>
    planTopics(connection).catch((error: unknown) => {
      // At start somebody watches: a process that waits for ever because of a typing error helps nobody.
      if (error instanceof KafkaAccessRefused) return error
      throw error
    }),
  )
  if (plan instanceof KafkaAccessRefused) throw plan
  const problems = [
    ...plan.missing.map(topic => `${connection.topic(topic)} does not exist, or the user may not describe it.`),
    ...plan.differences.map(({ sentence }) => sentence),
  ]
  if (problems.length > 0) throw new TopicsUnfit(problems)
}

function wantedPartitions({ options }: KafkaConnection, topic: TopicContract): number {
  return topic.partitions === 'work' ? options.partitions : 1
}

/** Everything we depend on is said, so that no broker default can change it. `min.insync.replicas` is of the deployment. */
export function topicConfig(topic: TopicContract): Record<string, string> {
  return {
    'cleanup.policy': topic.cleanup,
    ...(topic.retentionMs === undefined ? {} : { 'retention.ms': String(topic.retentionMs) }),
    'max.message.bytes': String(MAX_RECORD_BYTES),
    'message.timestamp.type': 'LogAppendTime',
  }
}

function wantedConfig({ options }: KafkaConnection, topic: TopicContract): Record<string, string> {
  return { ...topicConfig(topic), 'min.insync.replicas': options.replication >= 3 ? '2' : '1' }
}

function partitionDifference(connection: KafkaConnection, topic: TopicContract, found: number): TopicDifference[] {
  const wanted = wantedPartitions(connection, topic)
  if (found === wanted) return []
  const advice = found > wanted ? 'partitions cannot be removed: set POSTHORN_KAFKA_PARTITIONS to it' : 'add some'
  const sentence = `${connection.topic(topic)} has ${found} partitions, ${wanted} are wanted; ${advice}.`
  return [{ topic, kind: 'partitions', sentence }]
}

function configDifferences(
  connection: KafkaConnection,
  topic: TopicContract,
  found: readonly ConfigEntries[],
): TopicDifference[] {
  return Object.entries(wantedConfig(connection, topic)).flatMap(([name, wanted]) => {
    const value = found.find(entry => entry.configName === name)?.configValue
    if (value === wanted) return []
    const sentence = `${connection.topic(topic)} has ${name}=${value}, ${wanted} is wanted.`
    return [{ topic, kind: 'config' as const, sentence }]
  })
}

async function readConfigs(
  admin: Admin,
  connection: KafkaConnection,
  topics: readonly TopicContract[],
): Promise<Map<string, readonly ConfigEntries[]>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(topic => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name: connection.topic(topic) })),
  })
  return new Map(resources.map(resource => [resource.resourceName, resource.configEntries]))
}

async function createMissing(
  admin: Admin,
  connection: KafkaConnection,
  missing: readonly TopicContract[],
): Promise<void> {
  if (missing.length === 0) return
  try {
    await admin.createTopics({
      topics: missing.map(topic => ({
        topic: connection.topic(topic),
        numPartitions: wantedPartitions(connection, topic),
        replicationFactor: connection.options.replication,
        configEntries: Object.entries(wantedConfig(connection, topic)).map(([name, value]) => ({ name, value })),
      })),
    })
  } catch (error) {
    // With three brokers one may not know the new topic yet although it was made: what counts is whether it appears.
    if (!(await appear(admin, connection, missing))) throw error
    return
  }
  if (!(await appear(admin, connection, missing)))
    throw new Error(`the new topics have no leaders after ${APPEAR_MS / 1000} s`)
}

async function appear(admin: Admin, connection: KafkaConnection, topics: readonly TopicContract[]): Promise<boolean> {
  const names = topics.map(topic => connection.topic(topic))
  const giveUpAt = performance.now() + APPEAR_MS
  while (performance.now() < giveUpAt) {
    const found = await admin.fetchTopicMetadata({ topics: names }).catch(() => undefined)
    const ready = found?.topics.filter(
      ({ partitions }) => partitions.length > 0 && partitions.every(p => p.leader >= 0),
    )
    if (ready?.length === names.length && (await areServed(admin, names))) return true
    await sleep(100)
  }
  return false
}

/**
 * Whether every leader knows that it leads: a first send before that is refused for some of its
 * partitions, and kafkajs then sends the others twice.
 */
async function areServed(admin: Admin, names: readonly string[]): Promise<boolean> {
  const offsets = await Promise.allSettled(names.map(name => admin.fetchTopicOffsets(name)))
  return offsets.every(({ status }) => status === 'fulfilled')
}

/** alterConfigs replaces all overrides of a topic, so what an operator set besides goes with ours. */
async function correctConfigs(
  admin: Admin,
  connection: KafkaConnection,
  topics: readonly TopicContract[],
): Promise<void> {
  if (topics.length === 0) return
  const configs = await readConfigs(admin, connection, topics)
  await admin.alterConfigs({
    validateOnly: false,
    resources: topics.map(topic => {
      const name = connection.topic(topic)
      const overrides = (configs.get(name) ?? []).filter(
        entry => entry.configSource === kafkajs.ConfigSource.TOPIC_CONFIG,
      )
      const complete = {
        ...Object.fromEntries(overrides.map(entry => [entry.configName, entry.configValue])),
        ...wantedConfig(connection, topic),
      }
      const configEntries = Object.entries(complete).map(([key, value]) => ({ name: key, value }))
      return { type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }
    }),
  })
}

async function addPartitions(
  admin: Admin,
  connection: KafkaConnection,
  topics: readonly TopicContract[],
): Promise<void> {
  if (topics.length === 0) return
  const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(topic => connection.topic(topic)) })
  const tooFew = topics.filter(topic => {
    const partitions = found.find(({ name }) => name === connection.topic(topic))?.partitions.length ?? 0
    return partitions < wantedPartitions(connection, topic)
  })
  if (tooFew.length === 0) return
  await admin.createPartitions({
    topicPartitions: tooFew.map(topic => ({
      topic: connection.topic(topic),
      count: wantedPartitions(connection, topic),
    })),
  })
}

function topicsWith(plan: TopicPlan, kind: TopicDifference['kind']): TopicContract[] {
  return [...new Set(plan.differences.filter(difference => difference.kind === kind).map(({ topic }) => topic))]
}
