import { setTimeout as sleep } from 'node:timers/promises'
import { TableFollower, type KafkaConnection, type SafeProducer } from '@posthorn/kafka'
import type { Keys } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { decodeKeyUse, KEY_USES, keyUsedAt, type KeyUse } from '@posthorn/topics'
import { Bell } from './bell.js'

/** While Postgres is away. */
const RETRY_MS = 5_000
/** Keys that one statement notes. */
const BATCH = 1000

export interface KeyUsesParts {
  readonly connection: KafkaConnection
  readonly keys: Pick<Keys, 'noteUses'>
  readonly producer: Pick<SafeProducer, 'send'>
  readonly logger: Logger
  readonly fatal: (error: Error) => void
}

/**
 * Notes in the database when keys were used for publishing, as ingest says on key-uses.v1. The topic is read from its
 * beginning at each start; only a later use than the row's changes anything.
 */
export class KeyUses {
  private readonly follower: TableFollower<KeyUse>
  private readonly waiting = new Map<string, KeyUse>()
  private readonly bell = new Bell()
  private readonly ending = new AbortController()
  private running: Promise<void> = Promise.resolve()

  constructor(private readonly parts: KeyUsesParts) {
    this.follower = new TableFollower(parts.connection, {
      topic: KEY_USES,
      decode: decodeKeyUse,
      fatal: parts.fatal,
      onChange: (id, use) => {
        if (!use) return void this.waiting.delete(id)
        this.waiting.set(id, use)
        this.bell.ring()
      },
    })
  }

  /** Does not wait for Kafka: nothing else depends on it. */
  start(): void {
    this.follower.start().catch((error: unknown) => this.parts.fatal(error as Error))
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.ending.abort()
    this.bell.ring()
    await Promise.all([this.follower.stop(), this.running])
  }

  private async run(): Promise<void> {
    const { signal } = this.ending
    while (!signal.aborted) {
      try {
        if (this.waiting.size === 0) await this.bell.wait(RETRY_MS)
        else await this.note([...this.waiting.values()].slice(0, BATCH))
      } catch (error) {
        this.parts.logger.warn({ err: error }, 'noting the last uses of keys waits')
        // Not for the bell: what comes meanwhile is no sign that the database is back.
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  private async note(uses: readonly KeyUse[]): Promise<void> {
    const gone = await this.parts.keys.noteUses(uses.map(use => ({ id: use.id, at: new Date(keyUsedAt(use)) })))
    for (const use of uses) if (this.waiting.get(use.id) === use) this.waiting.delete(use.id)
    // With the key its last use is forgotten, so that the topic does not grow by keys that are no more.
    for (const id of gone)
      this.parts.producer
        .send(KEY_USES, { key: Buffer.from(id), value: null })
        .catch((error: unknown) => this.parts.logger.debug({ err: error, key: id }, 'a key was not forgotten'))
  }
}
