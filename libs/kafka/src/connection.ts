import type { KafkaCompression, KafkaSecurity, Settings } from '@posthorn/process'
import type { Logger } from '@posthorn/telemetry'
import { topicName, type TopicContract } from '@posthorn/topics'
import { Kafka, type Admin, type RetryOptions } from 'kafkajs'
import { accessOptions, accessProblem, closedHint, KafkaAccessRefused, KafkaConnectionClosed } from './access.js'
import { repairKafkajs } from './kafkajs-repairs.js'
import { bridgeLogs } from './log-bridge.js'
import { retryInPlace } from './retry-in-place.js'

/** What a process has to know to reach its cluster. */
export interface KafkaOptions {
  /** host:port of the brokers to start from. */
  readonly brokers: string[]
  /** What all topic and group names start with. */
  readonly prefix: string
  /** Partitions of each work topic. */
  readonly partitions: number
  readonly replication: number
  readonly security: KafkaSecurity
  /** Of what is produced; everything is read. */
  readonly compression: KafkaCompression
  /** Name of this client in the brokers' logs: posthorn-<target>. */
  readonly clientId: string
  readonly logger: Logger
}

/** With kafkajs's defaults a broker that is away for 5 s leaves a dead consumer in a live process. */
const RETRY: RetryOptions = { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 }
const CONNECTION_TIMEOUT_MS = 5000
/**
 * What is not answered by then is asked again, on another connection: all that is produced waits for a
 * request that was lost. A broker that waits for a follower that hangs takes longer (30 s unless set),
 * and has the records twice then, which readers drop.
 */
const REQUEST_TIMEOUT_MS = 15_000

/** One cluster under one prefix; producers, consumers and followers are made from it. */
export class KafkaConnection {
  readonly kafka: Kafka
  readonly prefix: string
  /** When kafkajs last complained, ms of performance.now(). */
  readonly troubledAt: () => number
  /** For short uses: connecting follows the client's retries, whatever an admin is told. */
  private readonly brief: Kafka
  private readonly partitionCounts = new Map<string, number>()
  private readonly asked = new Map<string, Promise<number>>()
  private readonly closing = new AbortController()

  constructor(readonly options: KafkaOptions) {
    repairKafkajs()
    const logs = bridgeLogs(options.logger)
    this.prefix = options.prefix
    this.troubledAt = logs.troubledAt
    const client = (retry: RetryOptions) =>
      new Kafka({
        brokers: options.brokers,
        ...accessOptions(options.security),
        clientId: options.clientId,
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        retry,
        logLevel: logs.level,
        logCreator: logs.creator,
      })
    this.kafka = client(RETRY)
    this.brief = client({ ...RETRY, retries: 5 })
  }

  /** The full name of a topic. */
  topic(contract: TopicContract): string {
    return topicName(this.prefix, contract)
  }

  /** How many partitions the topic had when first asked; undefined before that. */
  knownPartitions(contract: TopicContract): number | undefined {
    return this.partitionCounts.get(contract.name)
  }

  /**
   * How many partitions the topic has; asked once, because a key must not change its partition while
   * a process runs. Waits while Kafka is away or the topic does not exist.
   */
  partitionsOf(contract: TopicContract): Promise<number> {
    const running = this.asked.get(contract.name)
    if (running) return running
    const name = this.topic(contract)
    const asking = retryInPlace(
      `read the partitions of ${name}`,
      this.options.logger,
      () =>
        this.withAdmin(async admin => {
          const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
          const count = topics[0]?.partitions.length ?? 0
          if (count === 0) throw new Error(`${name} has no partitions yet`)
          this.partitionCounts.set(contract.name, count)
          return count
        }),
      this.closing.signal,
    )
    // Whoever waits for it after close() is being closed too.
    asking.catch(() => undefined)
    this.asked.set(contract.name, asking)
    return asking
  }

  /** Ends what still waits for Kafka to come back. */
  close(): void {
    this.closing.abort(new Error('the connection is closed'))
  }

  /**
   * One short use of an admin client. Rejects when Kafka cannot be reached within a few attempts,
   * with KafkaAccessRefused when it does not let us in.
   */
  async withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.brief.admin()
    try {
      await admin.connect()
      return await use(admin)
    } catch (error) {
      const problem = accessProblem(error)
      if (problem !== undefined) throw new KafkaAccessRefused(problem, { cause: error })
      const hint = closedHint(error)
      throw hint === undefined ? error : new KafkaConnectionClosed(hint, { cause: error })
    } finally {
      await admin.disconnect().catch(() => undefined)
    }
  }
}

export function kafkaOptionsFrom(settings: Settings, logger: Logger, target: string): KafkaOptions {
  return {
    brokers: settings.kafkaBrokers,
    prefix: settings.kafkaPrefix,
    partitions: settings.kafkaPartitions,
    replication: settings.kafkaReplication,
    security: settings.kafkaSecurity,
    compression: settings.kafkaCompression,
    clientId: `posthorn-${target}`,
    logger,
  }
}
