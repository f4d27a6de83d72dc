import { randomBytes } from 'node:crypto'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, SafeProducer } from '@posthorn/kafka'
import { Health, readSettings, type RunningService, type Settings } from '@posthorn/process'
import { Sealer } from '@posthorn/sealing'
import type { Logger } from '@posthorn/telemetry'
import { startReceiver, testBrokers, type Receiver, type ReceiverHandler } from '@posthorn/testkit'
import { DELIVERIES, encodeDelivery, encodeWebhook, partitionFor, WEBHOOKS, type TopicContract } from '@posthorn/topics'
import { DEFAULT_RETRY_POLICY, secretContext, secretFrom, type Delivery, type Webhook } from '@posthorn/webhook'
import { delivererService } from './service.js'

export interface TestDelivererOptions {
  readonly partitions: number
  readonly logger: Logger
  readonly env?: Readonly<Record<string, string>>
  /** Of each webhook, unless it is given others. */
  readonly webhook?: Partial<Webhook>
}

/** A deliverer on a real broker with topics of its own; webhooks and deliveries come from the test instead of registry and router. */
export class TestDeliverer {
  readonly secret = secretFrom(randomBytes(32))
  readonly settings: Settings
  readonly connection: KafkaConnection
  readonly sealer: Sealer
  readonly producer: SafeProducer
  private readonly receivers: Receiver[] = []
  private running: RunningService | undefined
  private count = 0

  constructor(private readonly options: TestDelivererOptions) {
    this.settings = readSettings({
      POSTHORN_KAFKA_BROKERS: testBrokers().join(),
      POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
      POSTHORN_KAFKA_PARTITIONS: String(options.partitions),
      POSTHORN_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      POSTHORN_EGRESS_ALLOW: '127.0.0.0/8',
      ...options.env,
    })
    this.connection = new KafkaConnection(kafkaOptionsFrom(this.settings, options.logger, 'deliverer-test'))
    this.sealer = new Sealer(this.settings.sealingKeys)
    this.producer = new SafeProducer(this.connection)
  }

  /** Makes the topics. */
  async prepare(): Promise<void> {
    await createTopics(this.connection, await planTopics(this.connection))
    await this.producer.connect()
  }

  async start(more: Partial<Settings> = {}): Promise<void> {
    this.running = await this.another(more)
  }

  /** Of the same group; whoever starts it stops it. */
  another(more: Partial<Settings> = {}): Promise<RunningService> {
    return delivererService.start({
      settings: { ...this.settings, ...more },
      logger: this.options.logger,
      health: new Health({ scrape: () => undefined, shutdown: async () => undefined }),
      fatal: error => {
        throw error
      },
    })
  }

  async stop(): Promise<void> {
    await this.running?.stop()
    this.running = undefined
  }

  async receiver(handler?: ReceiverHandler): Promise<Receiver> {
    const started = await startReceiver(handler)
    this.receivers.push(started)
    return started
  }

  async closeReceivers(): Promise<void> {
    await Promise.all(this.receivers.splice(0).map(one => one.close()))
  }

  async close(): Promise<void> {
    await this.stop()
    await this.producer.close()
  }

  /** One that nobody knows of yet, whose deliveries go to the partition. */
  webhook(url: string, more: Partial<Webhook> = {}, partition = 0): Webhook {
    let id: string
    do id = `webhook_${++this.count}`
    while (partitionFor(id, this.options.partitions) !== partition)
    const webhook: Webhook = {
      id,
      tenant: 'acme',
      version: 1,
      status: 'active',
      url,
      method: 'POST',
      events: ['*'],
      format: 'standard',
      sealedSecrets: [],
      retryPolicy: DEFAULT_RETRY_POLICY,
      ...this.options.webhook,
      ...more,
    }
    return more.sealedSecrets
      ? webhook
      : { ...webhook, sealedSecrets: [this.sealer.seal(this.secret, secretContext(webhook))] }
  }

  async register(url: string, more: Partial<Webhook> = {}, partition = 0): Promise<Webhook> {
    return this.publish(this.webhook(url, more, partition))
  }

  async publish(webhook: Webhook): Promise<Webhook> {
    await this.producer.send(WEBHOOKS, encodeWebhook(webhook))
    return webhook
  }

  deliveryTo(webhook: Webhook, more: Partial<Delivery> = {}): Delivery {
    const n = ++this.count
    return {
      id: `delivery_${n}`,
      webhook: webhook.id,
      webhookVersion: webhook.version,
      tenant: 'acme',
      run: '0',
      attempt: 1,
      due: 0,
      acceptedAt: Date.now(),
      origin: { partition: 0, offset: n },
      spills: 0,
      event: {
        tenant: 'acme',
        id: `event_${n}`,
        source: '/tests',
        type: 'agent.created',
        time: '2026-01-31T12:00:00Z',
        contenttype: 'application/json',
      },
      ...more,
    }
  }

  give(delivery: Delivery, data: Buffer, topic: TopicContract = DELIVERIES) {
    return this.producer.send(topic, encodeDelivery(delivery, data))
  }
}
