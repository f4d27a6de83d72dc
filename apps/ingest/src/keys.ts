import { ApiError, KnownKeys } from '@posthorn/api'
import { SafeProducer, TableFollower, type KafkaConnection } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { decodeKey, KEYS, type ApiKey, type KeyDocument, type SigningKey } from '@posthorn/topics'
import { KeyUses } from './key-uses.js'

/** The API keys, from their compacted topic: publishing goes on while the database is down. */
export class Keys {
  private readonly known = new KnownKeys()
  private readonly follower: TableFollower<KeyDocument>
  private readonly producer: SafeProducer
  private readonly uses: KeyUses

  constructor(connection: KafkaConnection, options: { fatal(error: Error): void; readonly logger: Logger }) {
    // Of its own, so that publishing never waits behind it.
    this.producer = new SafeProducer(connection, { unhurried: true })
    this.uses = new KeyUses(this.producer, options.logger)
    this.follower = new TableFollower<KeyDocument>(connection, {
      topic: KEYS,
      decode: decodeKey,
      fatal: options.fatal,
      onChange: (id, key) => this.known.put(id, key),
    })
  }

  /** Resolves when the table was read to its end. */
  async start(): Promise<void> {
    await Promise.all([this.producer.connect(), this.follower.start()])
  }

  async stop(): Promise<void> {
    await Promise.all([this.follower.stop(), this.producer.close()])
  }

  readiness(): string | undefined {
    return this.follower.isCaughtUp ? undefined : 'is reading the keys'
  }

  /** The key with this SHA-256 in hex, whose use is told. Throws ApiError starting. */
  find(hash: string): ApiKey | undefined {
    return this.noted(this.known.find(hash))
  }

  /** The key that signs with this id, whose use is told. Throws ApiError starting. */
  findSigning(id: string): SigningKey | undefined {
    return this.noted(this.known.findSigning(id))
  }

  private noted<T extends KeyDocument>(key: T | undefined): T | undefined {
    if (!this.follower.isCaughtUp) throw new ApiError('starting', 'The keys are still being read.')
    if (key) this.uses.note(key.id)
    else if (!this.follower.isWhole) throw new ApiError('starting', 'The registry has not published the keys yet.')
    return key
  }
}
