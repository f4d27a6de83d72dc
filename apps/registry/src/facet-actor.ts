import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import type { Webhooks } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { WEBHOOK_STATE, type ReadDocument } from '@posthorn/topics'
import { Bell } from './bell.js'

/** While Postgres is away. */
const RETRY_MS = 5_000
/** Who does it, as the audit has it. */
export const ACTOR = 'posthorn'

export interface ActingParts {
  readonly connection: KafkaConnection
  readonly webhooks: Pick<Webhooks, 'change'>
  readonly logger: Logger
  readonly fatal: (error: Error) => void
  /** The document of a webhook is to be published. */
  readonly changed: () => void
}

interface Facet {
  readonly id: string
  readonly version: number
}

/**
 * Does to webhooks what one kind of facet on webhook-state.v1 asks for. The topic is read from its beginning at
 * each start, so `act` must know from the database whether it is done already; it is called again while it rejects.
 */
export class FacetActor<T extends Facet> {
  private readonly follower: TableFollower<T>
  private readonly waiting = new Map<string, T>()
  private readonly bell = new Bell()
  private ending = false
  private running: Promise<void> = Promise.resolve()

  constructor(
    private readonly parts: Pick<ActingParts, 'connection' | 'logger' | 'fatal'>,
    decode: (value: Buffer | null) => ReadDocument<T>,
    private readonly act: (facet: T) => Promise<void>,
  ) {
    this.follower = new TableFollower(parts.connection, {
      topic: WEBHOOK_STATE,
      decode,
      fatal: parts.fatal,
      onChange: (id, facet) => this.take(id, facet),
    })
  }

  /** Does not wait for Kafka: nothing else depends on it. */
  start(): void {
    this.follower.start().catch((error: unknown) => this.parts.fatal(error as Error))
    this.running = this.run()
  }

  async stop(): Promise<void> {
    this.ending = true
    this.bell.ring()
    await Promise.all([this.follower.stop(), this.running])
  }

  private take(id: string, facet: T | undefined): void {
    if (!facet) {
      this.waiting.delete(id)
      return
    }
    this.waiting.set(id, facet)
    this.bell.ring()
  }

  private async run(): Promise<void> {
    while (!this.ending) {
      try {
        for (const [id, facet] of this.waiting) {
          if (this.ending) return
          await this.act(facet)
          if (this.waiting.get(id) === facet) this.waiting.delete(id)
        }
      } catch (error) {
        this.parts.logger.warn({ err: error }, 'disabling webhooks waits')
      }
      await this.bell.wait(RETRY_MS)
    }
  }
}
