import {
  GroupConsumer,
  GroupHasMembers,
  lagOf,
  readPositions,
  type GroupPosition,
  type KafkaConnection,
  type PartitionClaim,
} from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { sourceGroup, type TopicContract } from '@posthorn/topics'
import { compileSource, type Source } from '@posthorn/webhook'
import { SourceLoop, type SourceOutput } from './source-loop.js'
import type { SourceReport, SourceResult, SourceState } from './source-metrics.js'
import { settleStart } from './source-positions.js'
import type { Admin, FoundTopics, TopicLook } from './source-topics.js'

export interface SourceReaderParts {
  /** Of clients apart from the one that produces, and without the deployment's prefix: topics have their own names. */
  readonly connection: KafkaConnection
  /** What the deployment's groups and topics start with. */
  readonly prefix: string
  readonly output: SourceOutput
  readonly maxEventBytes: number
  /** Bytes received and not yet accepted that one source may hold. */
  maxUnfinishedBytes(): number
  hasTenant(tenant: string): boolean
  settled(source: string, result: SourceResult): void
  readonly logger: Logger
}

/** What is read at the moment; replaced as a whole when the topics change. */
interface Reading {
  readonly consumer: GroupConsumer
  readonly topics: ReadonlyMap<string, number>
  readonly claims: Set<PartitionClaim>
  failure?: Error
}

/** Longer than a healthy Kafka needs for what is in flight; what is left is read again, with the same ids. */
const DRAIN_MS = 5_000

/**
 * Reads the topics of one source, in a group of its own: whatever happens to one source stops no
 * other. look() says again and again what there is to read; between two looks Kafka may be away.
 */
export class SourceReader {
  private readonly logger: Logger
  private reading?: Reading
  private isFirstLook = true
  private stopped = false
  private told = ''
  private state: SourceState = 'waiting'
  private lag: ReadonlyMap<string, number> = new Map()

  constructor(
    readonly source: Source,
    private readonly parts: SourceReaderParts,
  ) {
    this.logger = parts.logger.child({ source: source.id })
  }

  report(): SourceReport {
    return { source: this.source.id, state: this.state, lag: this.lag }
  }

  /** Starts, goes on, or starts anew where topics or partitions have come or gone. Rejects when Kafka is away. */
  async look(admin: Admin, topics: TopicLook): Promise<void> {
    const found = await topics.find(this.source)
    const positions = await readPositions(admin, this.groupId, [...found.topics.keys()])
    if (this.stopped) return
    this.measure(positions)
    if (this.reading && !this.reading.failure && isSame(this.reading.topics, found.topics)) return
    await this.close()
    // Refused as others read already: asked again, their place is seen.
    const isSettled =
      (await this.settle(admin, positions)) ||
      (await this.settle(admin, await readPositions(admin, this.groupId, [...found.topics.keys()])))
    if (this.stopped) return
    if (isSettled) this.open(found)
    else this.tell('waiting', 'other processes of its group still read by an older definition')
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.close()
  }

  private get groupId(): string {
    return sourceGroup(this.parts.prefix, this.source.id)
  }

  /** False when the place cannot be committed, because the group has members: reading from elsewhere would be wrong. */
  private async settle(admin: Admin, positions: readonly GroupPosition[]): Promise<boolean> {
    const { connection } = this.parts
    try {
      const settled = await settleStart(connection, admin, this.groupId, this.source, positions, this.isFirstLook)
      if (settled.length > 0) this.logger.info({ positions: settled }, 'the source begins here')
    } catch (error) {
      if (error instanceof GroupHasMembers) return false
      throw error
    }
    this.isFirstLook = false
    return true
  }

  private open({ topics, problem }: FoundTopics): void {
    if (topics.size === 0) return this.tell('waiting', problem)
    const claims = new Set<PartitionClaim>()
    const fatal = (error: Error) => this.fail(reading, error)
    const loop = new SourceLoop({
      source: this.source.id,
      map: compileSource(this.source),
      hasTenant: tenant => this.parts.hasTenant(tenant),
      output: this.parts.output,
      maxEventBytes: this.parts.maxEventBytes,
      settled: result => this.parts.settled(this.source.id, result),
      fatal,
    })
    const maxUnfinishedBytes = this.parts.maxUnfinishedBytes()
    const consumer = new GroupConsumer(this.parts.connection, {
      group: this.groupId,
      topics: [...topics.keys()].map(foreignTopic),
      maxUnfinishedBytes,
      // One fetch is under way beside what is unfinished: 8 MiB of each of a hundred sources would be too much.
      maxFetchBytes: Math.floor(maxUnfinishedBytes / 4),
      onBatch: batch => loop.enqueue(batch),
      onAssigned: fresh => fresh.forEach(claim => claims.add(claim)),
      onRevoked: lost => lost.forEach(claim => claims.delete(claim)),
      fatal,
    })
    const reading: Reading = { consumer, topics, claims }
    this.reading = reading
    this.tell('reading', [...topics.keys()].join(', '))
    consumer.start().catch((error: Error) => this.fail(reading, error))
  }

  /** Tried again at the next look; an error of one source, such as a topic that was deleted, ends nothing else. */
  private fail(reading: Reading, error: Error): void {
    if (this.reading !== reading || this.stopped || reading.failure) return
    reading.failure = error
    this.tell('failed', error.message)
  }

  private async close(): Promise<void> {
    const { reading } = this
    if (!reading) return
    this.reading = undefined
    if (!reading.failure) await within(DRAIN_MS, reading.consumer.drain())
    await reading.consumer.stop()
  }

  private measure(positions: readonly GroupPosition[]): void {
    const lag = new Map<string, number>()
    for (const { topic, partition } of this.reading?.claims ?? []) {
      const position = positions.find(found => found.topic === topic.name && found.partition === partition)
      if (position) lag.set(topic.name, (lag.get(topic.name) ?? 0) + lagOf(position))
    }
    this.lag = lag
  }

  private tell(state: SourceState, detail = ''): void {
    this.state = state
    const said = `${state} ${detail}`
    if (said === this.told) return
    this.told = said
    if (state === 'reading') this.logger.info({ topics: detail }, 'the source is read')
    else this.logger.warn({ state, detail }, 'the source is not read: it is tried again and again')
  }
}

/** A topic that others made and keep as they like. */
function foreignTopic(name: string): TopicContract {
  return { name, cleanup: 'delete', partitions: 'work' }
}

function isSame(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): boolean {
  return before.size === now.size && [...now].every(([topic, partitions]) => before.get(topic) === partitions)
}

function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout
  const bound = new Promise<void>(resolve => (timer = setTimeout(resolve, ms)))
  return Promise.race([work, bound]).finally(() => clearTimeout(timer))
}
