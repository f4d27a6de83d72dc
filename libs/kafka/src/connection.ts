import type { Settings } from '@posthorn/process'
import type { Logger } from '@posthorn/telemetry'
import { topicName, type TopicContract } from '@posthorn/topics'
import { Kafka } from 'kafkajs'

/** What a process has to know to reach its cluster. */
export interface KafkaOptions {
  /** host:port of the brokers to start from. */
  readonly brokers: string[]
  /** What all topic and group names start with. */
  readonly prefix: string
  /** Partitions of each work topic. */
  readonly partitions: number
  readonly replication: number
  /** Name of this client in the brokers' logs: posthorn-<target>. */
  readonly clientId: string
  readonly logger: Logger
}

/** One cluster under one prefix; producers, consumers and followers are made from it. */
export class KafkaConnection {
  readonly kafka: Kafka
  readonly prefix: string

  constructor(readonly options: KafkaOptions) {
    this.prefix = options.prefix
    this.kafka = new Kafka({ brokers: options.brokers, clientId: options.clientId })
  }

  /** The full name of a topic. */
  topic(contract: TopicContract): string {
    return topicName(this.prefix, contract)
  }
}

export function kafkaOptionsFrom(settings: Settings, logger: Logger, target: string): KafkaOptions {
  return {
    brokers: settings.kafkaBrokers,
    prefix: settings.kafkaPrefix,
    partitions: settings.kafkaPartitions,
    replication: settings.kafkaReplication,
    clientId: `posthorn-${target}`,
    logger,
  }
}
