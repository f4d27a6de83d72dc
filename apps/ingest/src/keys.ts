import { ApiError, KnownKeys } from '@posthorn/api'
import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import { decodeKey, KEYS, type ApiKey } from '@posthorn/topics'

/** The API keys, from their compacted topic: publishing goes on while the database is down. */
export class Keys {
  private readonly known = new KnownKeys()
  private readonly follower: TableFollower<ApiKey>

  constructor(connection: KafkaConnection, options: { fatal(error: Error): void }) {
    this.follower = new TableFollower<ApiKey>(connection, {
      topic: KEYS,
      decode: decodeKey,
      fatal: options.fatal,
      onChange: (id, key) => this.known.put(id, key),
    })
  }

  /** Resolves when the table was read to its end. */
  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  readiness(): string | undefined {
    return this.follower.isCaughtUp ? undefined : 'is reading the keys'
  }

  /** The key with this SHA-256 in hex. Throws ApiError starting. */
  find(hash: string): ApiKey | undefined {
    if (!this.follower.isCaughtUp) throw new ApiError('starting', 'The keys are still being read.')
    return this.known.find(hash)
  }
}
