import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { ProducerClosed, type ConsumedRecord, type PartitionClaim, type RecordBatch } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { poison, type Output, type Routed } from './route.js'
import type { RouterMetrics } from './router-metrics.js'

export interface RoutingLoopOptions {
  route(record: ConsumedRecord): Promise<Routed>
  /** While it is true webhooks may be missing, and nothing is routed: an event that they want would be lost to them. */
  isBehind(): boolean
  readonly output: Output
  readonly metrics: RouterMetrics
  readonly logger: Logger
  fatal(error: Error): void
}

const MAX_TRIES = 3
/** Sockets get their turn this often (ms) while a full window is routed. */
const TURN_MS = 5
const LOOK_AGAIN_MS = 20

/**
 * Routes what the consumer hands over, one record after another, so that events of a partition
 * reach a webhook in their order. Waiting for the output holds this loop; the consumer's own
 * window then stops fetching, which bounds what waits here.
 */
export class RoutingLoop {
  /** With the turn in which each came. */
  private readonly waiting: { readonly batch: RecordBatch; readonly turn: number }[] = []
  private running = false
  private turn = 0
  private turnStarted = 0

  constructor(private readonly options: RoutingLoopOptions) {}

  enqueue(batch: RecordBatch): void {
    this.waiting.push({ batch, turn: this.turn })
    if (this.running) return
    this.running = true
    this.run().catch((error: unknown) => {
      this.options.fatal(error instanceof Error ? error : new Error(String(error)))
    })
  }

  private async run(): Promise<void> {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      // Those of one fetch come in one turn, and what is routed in one goes out in one request.
      if (next.turn === this.turn || this.options.isBehind()) await this.giveWay(next.batch.claim)
      await this.routeAll(next.batch)
    }
    this.running = false
  }

  private async routeAll({ claim, records }: RecordBatch): Promise<void> {
    for (const record of records) {
      if (claim.revoked.aborted) return
      await this.handle(claim, record)
      if (performance.now() - this.turnStarted > TURN_MS) await this.giveWay(claim)
    }
  }

  /** A webhook that was answered for before its event was published stands in a socket by now: it is read first. */
  private async giveWay({ revoked }: PartitionClaim): Promise<void> {
    await nextTurn()
    this.turn++
    while (this.options.isBehind() && !revoked.aborted) await sleep(LOOK_AGAIN_MS)
    this.turnStarted = performance.now()
  }

  private async handle(claim: PartitionClaim, record: ConsumedRecord): Promise<void> {
    try {
      const routed = await this.attempt(record)
      void this.settle(claim, record, routed)
    } catch (error) {
      this.leave(record, error)
    }
  }

  /** Tries a record that makes the code throw three times, then sets it aside: it must not stop the rest. */
  private async attempt(record: ConsumedRecord): Promise<Routed> {
    for (let tries = 1; ; tries++)
      try {
        return await this.options.route(record)
      } catch (error) {
        if (error instanceof ProducerClosed) throw error
        if (tries === MAX_TRIES) return this.setAside(record, error)
      }
  }

  private setAside(record: ConsumedRecord, error: unknown): Promise<Routed> {
    const { partition, offset } = record
    this.options.logger.error(
      { alert: 'handler_failed', partition, offset, err: error },
      'routing failed on this event: it is set aside in the poison topic',
    )
    const detail = `routing failed: ${error instanceof Error ? error.message : String(error)}`
    return poison(record, { kind: 'poison', reason: 'handler_failed', detail }, this.options.output)
  }

  /** The offset is done only when all that the event caused is acknowledged. */
  private async settle(claim: PartitionClaim, record: ConsumedRecord, routed: Routed): Promise<void> {
    try {
      const kept = await this.acknowledged(record, routed)
      claim.done(record.offset)
      this.options.metrics.settled(kept, record.timestamp)
    } catch (error) {
      this.leave(record, error)
    }
  }

  /** A delivery that the broker can never take (too large with its head) makes the event poison. */
  private async acknowledged(record: ConsumedRecord, routed: Routed): Promise<Routed> {
    try {
      await routed.acknowledged
      return routed
    } catch (error) {
      if (error instanceof ProducerClosed || routed.result === 'poison') throw error
      const aside = await this.setAside(record, error)
      await aside.acknowledged
      return aside
    }
  }

  /** Stopping leaves the offset for the next owner; anything else here would stop it for ever. */
  private leave(record: ConsumedRecord, error: unknown): void {
    if (error instanceof ProducerClosed) return
    const place = `${record.topic.name}/${record.partition}/${record.offset}`
    this.options.fatal(new Error(`the event at ${place} can neither be routed nor set aside`, { cause: error }))
  }
}
