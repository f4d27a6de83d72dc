import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsumedRecord, PartitionClaim, RecordBatch } from '@posthorn/kafka'
import { HistoryRefused, type HistoryEntry, type HistoryWritten, type PositionedEntry } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { POISON, poisonRecord, type PoisonReason, type TopicContract, type TopicRecord } from '@posthorn/topics'
import type { MonitorMetrics } from './monitor-metrics.js'
import { oldestOf, OpenBatch, type Taken } from './open-batch.js'
import type { Reading } from './read-entry.js'

export interface HistoryParts {
  read(record: ConsumedRecord): Reading
  /** See HistoryWriter.write. */
  write(entries: readonly PositionedEntry[], now: number): Promise<HistoryWritten>
  /** Resolves when the record is acknowledged. */
  send(topic: TopicContract, record: TopicRecord): Promise<unknown>
  /** The full name of a topic. */
  topicName(topic: TopicContract): string
  metrics(lagSeconds: () => number): MonitorMetrics
  readonly logger: Logger
  fatal(error: Error): void
}

interface Line extends Taken {
  readonly entry: HistoryEntry
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000
const LOG_EVERY_MS = 30_000

/**
 * Takes what the consumer hands over, gathers it and brings it into Postgres, one batch after
 * another. An offset is done when its transaction is committed. Postgres away: the batch waits
 * here and all claims are paused, so that what is held is bounded by what was fetched already.
 */
export class HistoryRecorder {
  private readonly open = new OpenBatch()
  private readonly metrics: MonitorMetrics
  private readonly stopping = new AbortController()
  /** Claims that met a record of a newer version: nothing of theirs may pass it. */
  private readonly held = new Map<PartitionClaim, string>()
  private readonly paused = new Set<PartitionClaim>()
  private inHand: readonly Taken[] = []
  private away = false
  private running = false

  constructor(private readonly parts: HistoryParts) {
    this.metrics = parts.metrics(() => this.lagSeconds())
  }

  take(batch: RecordBatch): void {
    this.open.add(batch)
    if (this.away) this.pause(batch.claim)
    if (this.running) return
    this.running = true
    this.run().catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.parts.fatal(error instanceof Error ? error : new Error(String(error)))
    })
  }

  /** Batches close at once from now on: the process is about to stop. */
  hurry(): void {
    this.open.hurry()
  }

  /** Leaves what is not written to the next owner. */
  stop(): void {
    this.stopping.abort(new Error('the monitor was stopped'))
  }

  readiness(): string | undefined {
    for (const [claim, reason] of this.held) if (!claim.revoked.aborted) return reason
    return undefined
  }

  lagSeconds(now = Date.now()): number {
    const oldest = Math.min(oldestOf(this.inHand) ?? now, this.open.oldest ?? now)
    return Math.max(0, now - oldest) / 1000
  }

  private async run(): Promise<void> {
    try {
      while (!this.open.isEmpty && !this.stopping.signal.aborted) {
        this.inHand = await this.open.close()
        await this.record(this.inHand)
        this.inHand = []
      }
    } finally {
      this.running = false
    }
  }

  private async record(batch: readonly Taken[]): Promise<void> {
    const lines = await this.read(batch)
    await this.store(lines)
    for (const { claim, record } of lines) claim.done(record.offset)
  }

  /** What the records mean. Those that mean nothing are acknowledged by the poison topic before they pass. */
  private async read(batch: readonly Taken[]): Promise<Line[]> {
    const lines: Line[] = []
    const aside: Promise<void>[] = []
    for (const { claim, record } of batch) {
      if (this.held.has(claim)) continue
      const reading = this.parts.read(record)
      switch (reading.kind) {
        case 'entry':
          lines.push({ claim, record, entry: reading.entry })
          break
        case 'undecodable':
          aside.push(this.setAside(record, 'undecodable', reading.detail))
          lines.push({ claim, record, entry: { kind: 'nothing' } })
          break
        case 'newer':
          this.hold(claim, record, reading.version)
          break
      }
    }
    await Promise.all(aside)
    return lines
  }

  /** Halves a batch that Postgres refuses until the one record at fault is alone; that one goes to poison. */
  private async store(lines: readonly Line[]): Promise<void> {
    if (lines.length === 0) return
    try {
      return await this.write(lines)
    } catch (error) {
      if (!(error instanceof HistoryRefused)) throw error
      if (lines.length > 1) {
        const middle = lines.length >> 1
        await this.store(lines.slice(0, middle))
        return this.store(lines.slice(middle))
      }
      const { claim, record } = lines[0]!
      await this.setAside(record, 'handler_failed', `history cannot store it: ${error.message}`)
      return this.write([{ claim, record, entry: { kind: 'nothing' } }])
    }
  }

  /** Tries until Postgres has taken the lines or refused them; rejects when stopped. */
  private async write(lines: readonly Line[]): Promise<void> {
    const entries = lines.map(({ record, entry }) => ({
      topic: this.parts.topicName(record.topic),
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestamp,
      entry,
    }))
    let loggedAt = -Infinity
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      this.stopping.signal.throwIfAborted()
      const startedAt = performance.now()
      try {
        const written = await this.parts.write(entries, Date.now())
        this.metrics.written(written, (performance.now() - startedAt) / 1000)
        return this.goOn()
      } catch (error) {
        if (error instanceof HistoryRefused) {
          this.goOn()
          throw error
        }
        if (performance.now() - loggedAt > LOG_EVERY_MS) {
          loggedAt = performance.now()
          this.parts.logger.warn({ err: error }, 'history waits for Postgres: it is tried until it works')
        }
        this.standStill(lines)
        await sleep(wait, undefined, { signal: this.stopping.signal })
      }
    }
  }

  private standStill(lines: readonly Line[]): void {
    this.away = true
    for (const { claim } of lines) this.pause(claim)
  }

  private pause(claim: PartitionClaim): void {
    if (this.paused.has(claim)) return
    this.paused.add(claim)
    claim.pause()
  }

  private goOn(): void {
    if (!this.away) return
    this.away = false
    this.parts.logger.info('history is written again')
    for (const claim of this.paused) if (!this.held.has(claim)) claim.resume()
    this.paused.clear()
  }

  /** The record and all behind it stay for a version that can read them. */
  private hold(claim: PartitionClaim, record: ConsumedRecord, version: number): void {
    const place = `${record.topic.name}/${record.partition}/${record.offset}`
    const reason = `the record at ${place} was written by a newer version (frame ${version}): update this process`
    this.parts.logger.error({ alert: 'newer_frame' }, reason)
    for (const known of this.held.keys()) if (known.revoked.aborted) this.held.delete(known)
    this.held.set(claim, reason)
    claim.pause()
  }

  /** Poison of poison would go round for ever: such a record is only told of. */
  private async setAside(record: ConsumedRecord, reason: PoisonReason, detail: string): Promise<void> {
    const { topic, partition, offset } = record
    this.parts.logger.error(
      { alert: reason, topic: topic.name, partition, offset, detail },
      'history sets a record aside',
    )
    this.metrics.setAside()
    if (topic.name !== POISON.name)
      await this.parts.send(POISON, poisonRecord(record, topic.name, { reason, detail, reader: 'monitor' }))
  }
}
