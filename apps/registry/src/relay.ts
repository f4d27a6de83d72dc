import { setTimeout as sleep } from 'node:timers/promises'
import type { SafeProducer } from '@posthorn/kafka'
import {
  OUTBOX_KINDS,
  RelayLock,
  SWEPT_KINDS,
  type Outbox,
  type OutboxKind,
  type Publication,
  type RowVersion,
} from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'
import { DAY_MS, encodeMark, type TableMark } from '@posthorn/topics'
import { Bell } from './bell.js'
import { DOCUMENTS, recordOf } from './documents.js'
import type { RelayMetrics } from './relay-metrics.js'
import type { TableTails } from './table-tails.js'

/** Outbox rows served at once. */
const BATCH = 500
/** Changes wake the relay; this finds what a lost notification would have left. */
const POLL_MS = 1000
/** How long a relay without the lock, or without Postgres, waits before it tries again. */
const RETRY_MS = 1000
const SWEEP_EVERY_MS = 3600_000
/** Readers that were away for longer than this have to read their tables anew anyway. */
const TOMBSTONE_AFTER_MS = 30 * DAY_MS

export interface RelayParts {
  readonly outbox: Outbox
  readonly databaseUrl: string
  readonly producer: Pick<SafeProducer, 'send'>
  readonly tails: Pick<TableTails, 'of' | 'whenStale'>
  readonly logger: Logger
  readonly metrics: RelayMetrics
  /** How often it looks without being woken, ms. */
  readonly pollMs?: number
}

/**
 * Publishes the documents that the outbox names. One relay at a time, by an advisory lock, so that
 * documents reach the topic in the order of their versions. A relay that lost its lock without
 * noticing may still write an older document after a newer one, and compaction would keep that
 * one for ever: so the relay also follows its topics, and publishes again, with a higher version,
 * wherever the last record is not the row's current document. Before it publishes to a topic for the
 * first time it marks it as incomplete, and as whole after all topics have what the tables have: no
 * router works with a part of them.
 */
export class Relay {
  private readonly bell = new Bell()
  private readonly ending = new AbortController()
  private running: Promise<void> = Promise.resolve()

  constructor(private readonly parts: RelayParts) {}

  start(): void {
    this.parts.tails.whenStale(() => this.wake())
    this.running = this.run()
  }

  /** Something was changed: publish it now. */
  wake(): void {
    this.bell.ring()
  }

  /** No new batch is begun; the one at work ends by itself or by the producer's closing. */
  end(): void {
    this.ending.abort()
    this.bell.ring()
  }

  async stopped(): Promise<void> {
    await this.running
  }

  private async run(): Promise<void> {
    let said = ''
    while (!this.ending.signal.aborted) {
      try {
        const lock = await RelayLock.acquire(this.parts.databaseUrl, () => this.wake())
        if (lock) await this.leadWith(lock)
        said = ''
      } catch (error) {
        const reason = String(error)
        if (reason !== said && !this.ending.signal.aborted)
          this.parts.logger.warn({ err: error }, 'the outbox waits: what was changed is published later')
        said = reason
      }
      await sleep(RETRY_MS, undefined, { signal: this.ending.signal }).catch(() => undefined)
    }
  }

  private async leadWith(lock: RelayLock): Promise<void> {
    try {
      await this.lead(lock)
    } finally {
      await lock.release()
    }
  }

  private async lead(lock: RelayLock): Promise<void> {
    let sweepAt = 0
    await this.beginTopics()
    await this.publishAll(lock)
    for (const kind of OUTBOX_KINDS) await this.repair(kind, await this.allVersions(kind))
    while (!this.ending.signal.aborted) {
      await lock.check()
      await this.publishAll(lock)
      await this.completeTopics()
      await this.repairOverwritten()
      if (Date.now() >= sweepAt) {
        await this.sweep()
        sweepAt = Date.now() + SWEEP_EVERY_MS
      }
      await this.bell.wait(this.parts.pollMs ?? POLL_MS)
    }
  }

  private async beginTopics(): Promise<void> {
    for (const kind of OUTBOX_KINDS) {
      const tail = this.parts.tails.of(kind)
      await tail.readToEnd()
      if (tail.isUntouched && !this.ending.signal.aborted) await this.mark(kind, 'publishing')
    }
  }

  /** The webhooks come last: who has read that they are whole finds the other topics whole. */
  private async completeTopics(): Promise<void> {
    for (const kind of [...OUTBOX_KINDS.filter(one => one !== 'webhook'), 'webhook'] as const) {
      if (this.ending.signal.aborted) return
      if (this.parts.tails.of(kind).mark !== 'published') await this.mark(kind, 'published')
    }
  }

  private async mark(kind: OutboxKind, mark: TableMark): Promise<void> {
    await this.parts.producer.send(DOCUMENTS[kind].topic, encodeMark(mark))
    await this.parts.tails.of(kind).readToEnd()
  }

  private async publishAll(lock: RelayLock): Promise<void> {
    const { outbox } = this.parts
    for (;;) {
      const batch = await outbox.read(BATCH)
      if (batch.rows.length === 0 || this.ending.signal.aborted) return
      await lock.check()
      await Promise.all(batch.publications.map(publication => this.publish(publication)))
      await outbox.remove(batch.rows)
    }
  }

  private async publish(publication: Publication): Promise<void> {
    const { producer, metrics } = this.parts
    await producer.send(DOCUMENTS[publication.kind].topic, recordOf(publication))
    metrics.published(publication.kind)
  }

  private async allVersions(kind: OutboxKind): Promise<RowVersion[]> {
    const all: RowVersion[] = []
    for (;;) {
      const page = await this.parts.outbox.versions(kind, all.at(-1)?.id ?? '', BATCH)
      all.push(...page)
      if (page.length < BATCH) return all
    }
  }

  private async repairOverwritten(): Promise<void> {
    for (const kind of OUTBOX_KINDS) {
      const ids = this.parts.tails.of(kind).takeOverwritten()
      if (ids.length > 0) await this.repair(kind, await this.parts.outbox.versionsOf(kind, ids))
    }
  }

  /**
   * Publishes again what the topic does not end with. A row without an outbox row was published
   * before it was read here, so its document is on the topic once that is read to its present end.
   */
  private async repair(kind: OutboxKind, rows: readonly RowVersion[]): Promise<void> {
    const settled = rows.filter(row => !row.pending)
    if (settled.length === 0) return
    const tail = this.parts.tails.of(kind)
    await tail.readToEnd()
    // Stopped meanwhile, the tail may not have read all: nothing may be concluded from it.
    if (this.ending.signal.aborted) return
    for (const row of settled) {
      const last = tail.lastVersion(row.id)
      // An older registry publishes the version, but not what protects it and is unknown to it.
      if (last === row.version && tail.lastProtections(row.id) === (row.protections ?? '')) continue
      if (!(await this.parts.outbox.republish(kind, row, last ?? 0))) continue
      this.parts.metrics.repaired(kind)
      this.parts.logger.warn(
        { kind, id: row.id, version: row.version, last },
        'the topic did not end with the current document: publishing it again',
      )
      this.bell.ring()
    }
  }

  /** Ends the documents of what was deleted long ago with a tombstone, so that compaction forgets them. */
  private async sweep(): Promise<void> {
    for (const kind of SWEPT_KINDS) await this.sweepKind(kind)
  }

  private async sweepKind(kind: OutboxKind): Promise<void> {
    const { outbox, producer } = this.parts
    for (;;) {
      const ids = await outbox.deletedBefore(kind, new Date(Date.now() - TOMBSTONE_AFTER_MS), BATCH)
      if (ids.length === 0 || this.ending.signal.aborted) return
      await Promise.all(ids.map(id => producer.send(DOCUMENTS[kind].topic, { key: Buffer.from(id), value: null })))
      await outbox.purge(kind, ids)
    }
  }
}
