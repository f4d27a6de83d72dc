import {
  EventPattern,
  RpcException,
  Server,
  type CustomTransportStrategy,
  type MessageHandler,
} from '@nestjs/microservices'
import type { ConsumerGroup, TopicContract } from '@posthorn/topics'
import { isObservable, lastValueFrom } from 'rxjs'
import type { KafkaConnection } from './connection.js'
import { GroupConsumer } from './group-consumer.js'
import type { GroupConsumerOptions, RecordBatch } from './record.js'

/** Keeps these handlers to this transport in an app that has others, such as gRPC. */
const TRANSPORT = Symbol('posthorn.kafka')

/** On a controller's method `(batch: RecordBatch) => void`: it gets the topic's batches and only enqueues them. */
export function KafkaBatchHandler(topic: TopicContract): MethodDecorator {
  return (target, name, descriptor) => {
    const handle = descriptor.value as (this: unknown, batch: RecordBatch) => unknown
    const wrapped = function (this: unknown, batch: RecordBatch): unknown {
      try {
        return handle.call(this, batch)
      } catch (error) {
        // Nest passes on the error inside; any other it replaces by "Internal server error".
        throw new RpcException(error as object)
      }
    }
    descriptor.value = wrapped as typeof descriptor.value
    EventPattern<string>(topic.name, TRANSPORT, { topic })(target, name, descriptor)
  }
}

/**
 * Nest's way in from Kafka: finds the handlers and runs one GroupConsumer for their topics. Nest's
 * own transport is not used: it takes one message at a time, re-encodes payloads, and a message it
 * cannot handle stops its partition for ever. A handler that throws is fatal.
 */
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = TRANSPORT
  /** A handler's failure comes back to us; Nest need not report it, too. */
  override readonly propagatesEventHandlerErrors = true
  private running?: GroupConsumer

  constructor(
    private readonly connection: KafkaConnection,
    private readonly options: Omit<GroupConsumerOptions, 'group' | 'topics' | 'onBatch'> & {
      readonly group: ConsumerGroup
    },
  ) {
    super()
  }

  /** There after listen(). */
  get consumer(): GroupConsumer {
    if (!this.running) throw new Error('the microservice does not listen yet')
    return this.running
  }

  listen(callback: (error?: unknown) => void): void {
    const { group, ...options } = this.options
    const topics = [...this.messageHandlers.values()].map(topicOf)
    requireSame(group, topics)
    this.running = new GroupConsumer(this.connection, {
      ...options,
      group: group.name,
      topics,
      onBatch: batch => this.handOver(batch),
    })
    this.running.start().then(() => callback(), callback)
  }

  async close(): Promise<void> {
    await this.running?.stop()
  }

  on(): void {
    throw new Error('the strategy has no events: use consumer.readiness()')
  }

  unwrap<T>(): T {
    return this.consumer as T
  }

  private async handOver(batch: RecordBatch): Promise<void> {
    const handler = this.messageHandlers.get(batch.claim.topic.name)!
    const result: unknown = await handler(batch)
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined })
  }
}

/** What a group reads is known to others, who look after it. */
function requireSame(group: ConsumerGroup, handled: readonly TopicContract[]): void {
  const [said, done] = [group.topics, handled].map(topics =>
    topics
      .map(({ name }) => name)
      .sort()
      .join(', '),
  )
  if (said !== done) throw new Error(`the group ${group.name} is said to read ${said}; there are handlers for ${done}`)
}

function topicOf(handler: MessageHandler): TopicContract {
  const topic = (handler.extras as { readonly topic?: TopicContract } | undefined)?.topic
  if (!topic) throw new Error('a handler of this transport has no topic: use @KafkaBatchHandler')
  return topic
}
