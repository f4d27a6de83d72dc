import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import { decodeParked, WEBHOOK_STATE, type ReadDocument } from '@posthorn/topics'

/** A webhook, or one key of it, that is parked: how old the oldest of its records is. */
export interface ParkedWebhook {
  readonly webhook: string
  /** Ms since the epoch, and never too late. */
  readonly since: number
}

/** Places may list thousands of offsets; of those nothing is kept here. */
type Kept = ParkedWebhook & { readonly id: string; readonly version: number }

/** What the deliverers have parked, from webhook-state.v1. */
export class ParkedWebhooks {
  private readonly follower: TableFollower<Kept>

  constructor(connection: KafkaConnection, fatal: (error: Error) => void) {
    this.follower = new TableFollower<Kept>(connection, { topic: WEBHOOK_STATE, decode: decodeKept, fatal })
  }

  /** Resolves when all was read; waits while Kafka is away. */
  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  /** The oldest of each webhook; none before all was read: what is read may have ended long ago. */
  oldest(): ReadonlyMap<string, ParkedWebhook> {
    const oldest = new Map<string, ParkedWebhook>()
    if (!this.follower.isCaughtUp) return oldest
    for (const one of this.follower.values())
      if (one.since < (oldest.get(one.webhook)?.since ?? Infinity)) oldest.set(one.webhook, one)
    return oldest
  }
}

function decodeKept(value: Buffer | null): ReadDocument<Kept> {
  const read = decodeParked(value)
  if (read.kind !== 'document') return read
  const { id, version, webhook, since } = read.document
  return { kind: 'document', document: { id, version, webhook, since } }
}
