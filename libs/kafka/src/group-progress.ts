import { groupName, type ConsumerGroup, type TopicContract } from '@posthorn/topics'
import type { Admin } from 'kafkajs'
import { accessProblem, KafkaAccessRefused } from './access.js'
import type { KafkaConnection } from './connection.js'
import { askCoordinator } from './coordinator.js'
import { FinishedBitmap } from './finished-bitmap.js'

/** Whether the group has finished a record of the topic, and committed so. */
export type IsFinished = (partition: number, offset: number) => boolean

/** What another service's group has finished, asked again and again over one connection. */
export class GroupProgress {
  private admin: Promise<Admin> | undefined

  constructor(
    private readonly connection: KafkaConnection,
    private readonly group: ConsumerGroup,
  ) {}

  /**
   * What is finished above what is committed counts, too; what the group has forgotten is not finished.
   * Rejects while Kafka is away, and with KafkaAccessRefused when the user may not describe the group.
   */
  async finishedOf(topic: TopicContract): Promise<IsFinished> {
    this.admin ??= this.connect()
    try {
      return await this.read(await this.admin, this.connection.topic(topic))
    } catch (error) {
      await this.close()
      const problem = accessProblem(error)
      throw problem === undefined ? error : new KafkaAccessRefused(problem, { cause: error })
    }
  }

  async close(): Promise<void> {
    const { admin } = this
    this.admin = undefined
    await admin?.then(open => open.disconnect()).catch(() => undefined)
  }

  private async connect(): Promise<Admin> {
    const admin = this.connection.kafka.admin({ retry: { retries: 3 } })
    await admin.connect()
    return admin
  }

  private async read(admin: Admin, topic: string): Promise<IsFinished> {
    const groupId = groupName(this.connection.prefix, this.group)
    const [found] = await askCoordinator(() => admin.fetchOffsets({ groupId, topics: [topic] }))
    const committed = new Map(
      found?.partitions.map(({ partition, offset, metadata }) => {
        const base = Number(offset)
        return [partition, { base, above: FinishedBitmap.parse(base, metadata) }] as const
      }),
    )
    return (partition, offset) => {
      const at = committed.get(partition)
      return at !== undefined && (offset < at.base || (at.above?.has(offset) ?? false))
    }
  }
}
