import { setTimeout as sleep } from 'node:timers/promises'
import { TableFollower, type KafkaConnection, type SafeProducer } from '@posthorn/kafka'
import {
  decodeParked,
  encodeParked,
  encodeUnparked,
  parkedId,
  parkedName,
  WEBHOOK_STATE,
  type ParkedDocument,
  type ParkedPlace,
} from '@posthorn/topics'

/** What is to be written of a place; `state` undefined: it is no more. */
export interface PlaceWrite {
  readonly webhook: string
  readonly key: string | undefined
  readonly state: Omit<ParkedPlace, 'version'> | undefined
}

export interface ParkedPlacesParts {
  readonly connection: KafkaConnection
  readonly output: Pick<SafeProducer, 'send'>
  /** Of the deliverers' group; undefined while it is not known. */
  readonly generation: () => number | undefined
  readonly fatal: (error: Error) => void
}

const GENERATION_MS = 100

/**
 * What is parked, on webhook-state.v1. Writes carry the generation of the group: what an earlier owner
 * writes late is known by it, and told to `overwritten`.
 */
export class ParkedPlaces {
  private readonly follower: TableFollower<ParkedDocument>
  /** To be set before start(), both. */
  overwritten: (place: ParkedPlace) => void = () => undefined
  removed: (webhook: string, key: string | undefined) => void = () => undefined

  constructor(private readonly parts: ParkedPlacesParts) {
    this.follower = new TableFollower(parts.connection, {
      topic: WEBHOOK_STATE,
      decode: decodeParked,
      fatal: parts.fatal,
      onChange: (id, document) => {
        const name = document ? undefined : parkedName(id)
        if (name) this.removed(name.webhook, name.key)
        else if (document && document.version < (parts.generation() ?? 0)) this.overwritten(document)
      },
      onStale: (_id, document) => this.overwritten(document),
    })
  }

  get isCaughtUp(): boolean {
    return this.follower.isCaughtUp
  }

  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  /** What stands on the topic now. */
  async all(): Promise<readonly ParkedPlace[]> {
    await this.follower.readToEnd()
    return [...this.follower.values()]
  }

  /** Resolves when it is acknowledged, or when the signal has aborted; rejects as the producer does. */
  async write({ webhook, key, state }: PlaceWrite, revoked: AbortSignal): Promise<void> {
    const named = { webhook, ...(key === undefined ? {} : { key }) }
    const generation = await this.generation(revoked)
    if (generation === undefined) return
    // A group that was forgotten counts from the beginning again.
    const version = Math.max(generation, this.follower.get(parkedId(named))?.version ?? 0)
    await this.parts.output.send(WEBHOOK_STATE, state ? encodeParked({ ...state, version }) : encodeUnparked(named))
  }

  /** The first heartbeat tells it. */
  private async generation(revoked: AbortSignal): Promise<number | undefined> {
    while (!revoked.aborted) {
      const generation = this.parts.generation()
      if (generation !== undefined) return generation
      await sleep(GENERATION_MS, undefined, { signal: revoked }).catch(() => undefined)
    }
    return undefined
  }
}
