import { TableFollower, type KafkaConnection, type SafeProducer } from '@posthorn/kafka'
import { noteWrongKeys, type Database } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { decodeWrongKeys, KEY_USES, wrongKeysAt, type WrongKeyCount } from '@posthorn/topics'

/** Older counts are of no use to anybody. */
const KEPT_MS = 24 * 3600_000

export interface WrongKeyParts {
  readonly connection: KafkaConnection
  readonly database: Database
  readonly producer: Pick<SafeProducer, 'send'>
  readonly logger: Logger
  readonly fatal: (error: Error) => void
}

/**
 * Takes how many wrong keys every ingest and registry was sent, as they say on key-uses.v1, into the database, where
 * alerts are judged. A count is noted under its process and step: read again, it is the same.
 */
export class WrongKeyCounts {
  private readonly follower: TableFollower<WrongKeyCount>

  constructor(private readonly parts: WrongKeyParts) {
    this.follower = new TableFollower(parts.connection, {
      topic: KEY_USES,
      decode: decodeWrongKeys,
      fatal: parts.fatal,
      onChange: (_id, count) => count && this.note(count),
    })
  }

  /** Does not wait for Kafka: nothing else depends on it. */
  start(): void {
    this.follower.start().catch((error: unknown) => this.parts.fatal(error as Error))
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  private note(count: WrongKeyCount): void {
    const { database, producer, logger } = this.parts
    const isOld = Date.now() - wrongKeysAt(count) > KEPT_MS
    const work = isOld
      ? producer.send(KEY_USES, { key: Buffer.from(count.id), value: null })
      : noteWrongKeys(database, count.id, wrongKeysAt(count), count.count)
    // With the database away an alert cannot be raised either.
    work.catch((error: unknown) => logger.debug({ err: error }, 'a count of wrong keys was not noted'))
  }
}
