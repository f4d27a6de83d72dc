import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  ProducerClosed,
  RecordRefused,
  type ConsumedRecord,
  type PartitionClaim,
  type RecordBatch,
} from '@posthorn/kafka'
import {
  encodeEvent,
  EVENTS,
  POISON,
  poisonRecord,
  type PoisonCause,
  type TopicContract,
  type TopicRecord,
} from '@posthorn/topics'
import type { MappedRecord, Problem, SourceRecord } from '@posthorn/webhook'
import type { SourceResult } from './source-metrics.js'

/** What the loop needs of the producer. */
export interface SourceOutput {
  send(topic: TopicContract, record: TopicRecord): Promise<unknown>
  /** Resolves when less is queued than the bound. */
  room(): Promise<void>
}

export interface SourceLoopOptions {
  readonly source: string
  map(record: SourceRecord): MappedRecord
  hasTenant(tenant: string): boolean
  readonly output: SourceOutput
  readonly maxEventBytes: number
  /** Called when a record is finished. */
  settled(result: SourceResult): void
  fatal(error: Error): void
}

/** HTTP requests of the same process get their turn this often (ms) while a full window is worked off. */
const TURN_MS = 5

/** What is to be produced for one record; undefined for a tombstone, which has nothing to deliver. */
type Outgoing =
  { readonly result: SourceResult; readonly topic: TopicContract; readonly record: TopicRecord } | undefined

/**
 * Turns records of one source into events, one after another, so that events of a partition keep
 * their order. A record's offset is done only when its event (or its poison) is acknowledged.
 * Waiting for the output holds this loop; the consumer's window then stops fetching.
 */
export class SourceLoop {
  private readonly waiting: RecordBatch[] = []
  private running = false

  constructor(private readonly options: SourceLoopOptions) {}

  enqueue(batch: RecordBatch): void {
    this.waiting.push(batch)
    if (this.running) return
    this.running = true
    this.run().catch((error: unknown) => this.options.fatal(asError(error)))
  }

  private async run(): Promise<void> {
    let turnStarted = performance.now()
    for (let batch = this.waiting.shift(); batch; batch = this.waiting.shift())
      for (const record of batch.records) {
        if (batch.claim.revoked.aborted) break
        await this.options.output.room()
        void this.settle(batch.claim, record)
        if (performance.now() - turnStarted > TURN_MS) {
          await nextTurn()
          turnStarted = performance.now()
        }
      }
    this.running = false
  }

  private async settle(claim: PartitionClaim, record: ConsumedRecord): Promise<void> {
    try {
      const result = await this.produce(record, this.outgoing(record))
      claim.done(record.offset)
      this.options.settled(result)
    } catch (error) {
      // Stopping leaves the record for the next owner; anything else here would stop its offset for ever.
      if (error instanceof ProducerClosed) return
      const place = `${record.topic.name}/${record.partition}/${record.offset}`
      this.options.fatal(new Error(`the record at ${place} can neither be accepted nor set aside`, { cause: error }))
    }
  }

  private async produce(record: ConsumedRecord, outgoing: Outgoing): Promise<SourceResult> {
    if (!outgoing) return 'skipped'
    try {
      await this.options.output.send(outgoing.topic, outgoing.record)
      return outgoing.result
    } catch (error) {
      if (!(error instanceof RecordRefused) || outgoing.result === 'poisoned') throw error
      return this.produce(record, this.aside(record, { reason: 'too_large', detail: error.message }))
    }
  }

  private outgoing(record: ConsumedRecord): Outgoing {
    try {
      return this.accept(record)
    } catch (error) {
      return this.aside(record, { reason: 'handler_failed', detail: `reading it failed: ${asError(error).message}` })
    }
  }

  private accept(record: ConsumedRecord): Outgoing {
    const { map, hasTenant, maxEventBytes } = this.options
    const size = record.value?.length ?? 0
    if (size > maxEventBytes)
      return this.aside(record, {
        reason: 'too_large',
        detail: `the value has ${size} bytes; at most ${maxEventBytes} are accepted (POSTHORN_INGEST_MAX_EVENT_BYTES)`,
      })
    const mapped = map({ ...record, topic: record.topic.name })
    switch (mapped.kind) {
      case 'tombstone':
        return undefined
      case 'bad':
        return this.aside(record, refusal(mapped.problems))
      case 'event':
        if (!hasTenant(mapped.event.tenant))
          return this.aside(record, refusal([{ pointer: '/tenant', message: `there is no "${mapped.event.tenant}"` }]))
        return { result: 'accepted', topic: EVENTS, record: encodeEvent(mapped.event, mapped.data) }
    }
  }

  private aside(record: ConsumedRecord, cause: PoisonCause): Outgoing {
    const poison = poisonRecord(record, record.topic.name, { ...cause, source: this.options.source })
    return { result: 'poisoned', topic: POISON, record: poison }
  }
}

/** A fault of the whole value means that nothing could be read from it. */
function refusal(problems: readonly Problem[]): PoisonCause {
  return {
    reason: problems.some(({ pointer }) => pointer === '') ? 'undecodable' : 'invalid_event',
    detail: problems.map(({ pointer, message }) => `${pointer} ${message}`.trim()).join('; '),
    pointers: problems.map(({ pointer }) => pointer),
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
