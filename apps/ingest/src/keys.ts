import { ApiError, KnownKeys } from '@posthorn/api'
import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import { decodeKey, KEYS, type ApiKey } from '@posthorn/topics'

/** The API keys, from their compacted topic: publishing goes on while the database is down. */
export class Keys {
  private readonly known = new KnownKeys()
  private readonly follower: TableFollower<ApiKey>
  private caughtUp = false

  constructor(connection: KafkaConnection, options: { fatal(error: Error): void }) {
    this.follower = new TableFollower<ApiKey>(connection, {
      topic: KEYS,
      decode: decodeKey,
      fatal: options.fatal,
      onChange: (id, key, { stale }) => {
        if (!stale) this.known.put(id, key)
      },
    })
  }

  /** Resolves when the table was read to its end. */
  async start(): Promise<void> {
    await this.follower.start()
    this.caughtUp = true
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  readiness(): string | undefined {
    return this.caughtUp ? undefined : 'is reading the keys'
  }

  /** The key with this SHA-256 in hex. Throws ApiError starting. */
  find(hash: string): ApiKey | undefined {
    if (!this.caughtUp) throw new ApiError('starting', 'The keys are still being read.')
    return this.known.find(hash)
  }
}
