import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaConnection, SafeProducer, TableFollower, type KafkaOptions } from '@posthorn/kafka'
import type { ServiceContext } from '@posthorn/process'
import { decodeSource, SOURCES } from '@posthorn/topics'
import { parseSource, type Source } from '@posthorn/webhook'
import { SourceMetrics, type SourceReport } from './source-metrics.js'
import { SourceReader, type SourceReaderParts } from './source-reader.js'
import { TopicLook } from './source-topics.js'

/** What may wait for Kafka: apart from what HTTP may hold, so that a source never makes a request fail. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024
/** Read ahead by all sources together; each gets its share, but always some records. */
const MAX_UNFINISHED_BYTES = 32 * 1024 * 1024
const LEAST_UNFINISHED_BYTES = 1024 * 1024
/** kafkajs leaves a socket open when it is closed while it connects: worth a moment, not more. */
const CONNECTED_MS = 2_000

export interface SourcesOptions {
  readonly configured: readonly Source[]
  hasTenant(tenant: string): boolean
}

/**
 * The sources of the configuration and of sources.v1, each with its reader; what is changed over
 * the API takes effect here without a restart. Nothing here ends the process or makes it unready:
 * publishing over HTTP goes on whatever becomes of a source.
 */
export class Sources {
  private readonly wanted = new Map<string, Source>()
  private readonly readers = new Map<string, SourceReader>()
  private readonly follower: TableFollower<Source>
  private readonly foreign: KafkaConnection
  private readonly output: SafeProducer
  private readonly parts: SourceReaderParts
  private readonly refreshMs: number
  private readonly logger
  private wake: () => void = () => undefined
  private isDirty = false
  private stopped = false
  private connected: Promise<unknown> = Promise.resolve()
  private running: Promise<void> = Promise.resolve()

  constructor(connection: KafkaConnection, context: ServiceContext, options: SourcesOptions) {
    const { settings, logger } = context
    this.logger = logger
    this.refreshMs = settings.ingestSourcesRefreshMs
    for (const source of options.configured) this.wanted.set(source.id, source)
    this.foreign = new KafkaConnection(foreignOptions(connection.options))
    this.output = new SafeProducer(connection, { maxQueuedBytes: MAX_QUEUED_BYTES })
    this.follower = new TableFollower<Source>(connection, {
      topic: SOURCES,
      decode: decodeSource,
      // The sources stay as they are; publishing does not need them.
      fatal: error => logger.error({ alert: 'sources_stale', err: error }, 'changes of sources are not seen any more'),
      onChange: (id, source) => this.change(id, source),
    })
    const metrics = new SourceMetrics(() => this.reports())
    this.parts = {
      connection: this.foreign,
      prefix: connection.prefix,
      output: this.output,
      maxEventBytes: settings.ingestMaxEventBytes,
      maxUnfinishedBytes: () => Math.max(LEAST_UNFINISHED_BYTES, MAX_UNFINISHED_BYTES / this.readers.size),
      hasTenant: tenant => options.hasTenant(tenant),
      settled: (source, result) => metrics.settled(source, result),
      logger,
    }
  }

  /** Begins; to be called once the tenants are known. Kafka may be away. */
  start(): void {
    if (this.stopped) return
    this.connected = Promise.allSettled([this.output.connect(), this.follower.start()])
    this.running = this.run().catch((error: unknown) => {
      if (!this.stopped) this.logger.error({ alert: 'sources_stopped', err: error }, 'no source is read any more')
    })
  }

  /** Finishes what is in flight, leaves the groups. What is not acknowledged is read again, with the same ids. */
  async stop(): Promise<void> {
    this.stopped = true
    this.wake()
    this.foreign.close()
    await Promise.race([this.connected, sleep(CONNECTED_MS, undefined, { ref: false })])
    await this.follower.stop()
    await Promise.all([...this.readers.values()].map(reader => reader.stop()))
    await this.output.close()
    await this.running
  }

  private async run(): Promise<void> {
    await this.connected
    while (!this.stopped) {
      this.isDirty = false
      await this.reconcile()
      if (this.readers.size > 0) await this.look()
      await this.pause()
    }
  }

  private async reconcile(): Promise<void> {
    const gone = [...this.readers.values()].filter(({ source }) => this.wanted.get(source.id) !== source)
    for (const { source } of gone) this.readers.delete(source.id)
    await Promise.all(gone.map(reader => reader.stop()))
    for (const source of this.wanted.values())
      if (source.status === 'active' && !this.readers.has(source.id) && !this.stopped)
        this.readers.set(source.id, new SourceReader(source, this.parts))
  }

  /** A source that cannot be looked at now goes on with what it has. */
  private async look(): Promise<void> {
    const skip = (error: unknown, source?: string) => {
      if (!this.stopped) this.logger.warn({ source, err: error }, 'cannot look for source topics: trying again')
    }
    await this.foreign
      .withAdmin(async admin => {
        const topics = new TopicLook(admin, this.parts.prefix)
        const readers = [...this.readers.values()]
        await Promise.all(
          readers.map(reader => reader.look(admin, topics).catch((error: unknown) => skip(error, reader.source.id))),
        )
      })
      .catch(skip)
  }

  /** Until the next look is due, a source changes, or all stops. */
  private pause(): Promise<void> {
    if (this.isDirty || this.stopped) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(resolve, this.refreshMs)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private change(id: string, source: Source | undefined): void {
    const usable = source && source.status !== 'deleted' ? this.usable(source) : undefined
    if (usable) this.wanted.set(id, usable)
    else this.wanted.delete(id)
    this.isDirty = true
    this.wake()
  }

  /** A definition that this version cannot read is left out, loudly: its position stays where it is. */
  private usable(source: Source): Source | undefined {
    const { id, version, status, since, ...definition } = source
    const parsed = parseSource(definition)
    if (parsed.kind === 'source')
      return { id, version, status, ...(since === undefined ? {} : { since }), ...parsed.definition }
    const fields = { alert: 'source_unusable', source: id, version, problems: parsed.problems }
    this.logger.error(fields, 'this source is not read: its definition is of another version of Posthorn')
    return undefined
  }

  private *reports(): Iterable<SourceReport> {
    for (const reader of this.readers.values()) yield reader.report()
    for (const { id, status } of this.wanted.values())
      if (status === 'paused') yield { source: id, state: 'paused', lag: new Map() }
  }
}

/** Topics and groups are named in full; a client apart, because a topic that is gone breaks all metadata of its own. */
function foreignOptions(options: KafkaOptions): KafkaOptions {
  return { ...options, prefix: '', clientId: `${options.clientId}-sources` }
}
