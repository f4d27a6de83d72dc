import { Server, type CustomTransportStrategy } from '@nestjs/microservices'
import type { TopicContract } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'
import type { GroupConsumer } from './group-consumer.js'
import type { GroupConsumerOptions } from './record.js'

const NOT_YET = 'not built yet'

/** On a controller's method `(batch: RecordBatch) => void`. */
export function KafkaBatchHandler(_topic: TopicContract): MethodDecorator {
  return () => {
    throw new Error(NOT_YET)
  }
}

export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  /** There after listen(). */
  readonly consumer: GroupConsumer

  constructor(
    readonly connection: KafkaConnection,
    readonly groupOptions: Omit<GroupConsumerOptions, 'topics' | 'onBatch'>,
  ) {
    super()
  }

  listen(callback: (...parameters: unknown[]) => void): void {
    callback(new Error(NOT_YET))
  }

  close(): void {}

  on(): void {
    throw new Error(NOT_YET)
  }

  unwrap<T>(): T {
    throw new Error(NOT_YET)
  }
}
