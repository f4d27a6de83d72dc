import type { KafkaConnection } from './connection.js'
import type { GroupConsumerOptions } from './record.js'

const NOT_YET = 'not built yet'

export class GroupConsumer {
  constructor(
    readonly connection: KafkaConnection,
    readonly options: GroupConsumerOptions,
  ) {}

  async start(): Promise<void> {
    throw new Error(NOT_YET)
  }

  async stop(): Promise<void> {
    throw new Error(NOT_YET)
  }

  async drain(): Promise<void> {
    throw new Error(NOT_YET)
  }

  readiness(): string | undefined {
    return NOT_YET
  }

  liveness(): string | undefined {
    return NOT_YET
  }

  /** False when the last successful heartbeat is older than the session: another member may own our partitions. */
  healthyMembership(): boolean {
    return false
  }
}
