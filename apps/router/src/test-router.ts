import { randomBytes } from 'node:crypto'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Settings } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers } from '@posthorn/testkit'
import type { TopicContract } from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY, type Webhook } from '@posthorn/webhook'
import type { Consumer } from 'kafkajs'
import { routerService } from './service.js'

export const WAIT_MS = 30_000

/** What becomes of the values that the router puts on a topic. */
export type Reading = readonly [TopicContract, (value: Buffer | null) => void]

/** A router under a prefix of its own on the Kafka of the tests, what it is given, and a reader of what it makes. */
export class TestRouter {
  readonly connection: KafkaConnection
  readonly producer: SafeProducer
  readonly health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  readonly settings: Settings
  private readonly logger = createLogger('silent', 'test')
  private reader: Consumer | undefined
  private running: RunningService | undefined

  constructor(partitions: number) {
    this.settings = readSettings({
      POSTHORN_KAFKA_BROKERS: testBrokers().join(),
      POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
      POSTHORN_KAFKA_PARTITIONS: String(partitions),
      POSTHORN_LOG_LEVEL: 'silent',
    })
    this.connection = new KafkaConnection(kafkaOptionsFrom(this.settings, this.logger, 'router-test'))
    this.producer = new SafeProducer(this.connection)
  }

  /** The topics are there then, and the router not yet. */
  async open(): Promise<void> {
    await createTopics(this.connection, await planTopics(this.connection))
    await this.producer.connect()
  }

  async start(...readings: readonly Reading[]): Promise<void> {
    const { connection } = this
    const readers = new Map(readings.map(([topic, read]) => [connection.topic(topic), read]))
    this.reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
    await this.reader.connect()
    await this.reader.subscribe({ topics: [...readers.keys()], fromBeginning: true })
    await this.reader.run({ eachMessage: async ({ topic, message }) => readers.get(topic)!(message.value) })
    await this.startService()
  }

  async startService(): Promise<void> {
    const { settings, logger, health } = this
    const fatal = (error: Error) => {
      throw error
    }
    this.running = await routerService.start({ settings, logger, health, fatal })
  }

  async stopService(): Promise<void> {
    await this.running?.stop()
    this.running = undefined
  }

  async stop(): Promise<void> {
    await this.stopService()
    await Promise.all([this.reader?.disconnect(), this.producer.close()])
  }
}

/** An active webhook of every event, and what else is said. */
export function webhookOf(id: string, tenant: string, more: Partial<Webhook> = {}): Webhook {
  return {
    ...{ id, tenant, version: 1, status: 'active', url: 'http://127.0.0.1:1/', method: 'POST', events: ['*'] },
    ...{ format: 'standard', sealedSecrets: [], retryPolicy: DEFAULT_RETRY_POLICY, ...more },
  }
}
