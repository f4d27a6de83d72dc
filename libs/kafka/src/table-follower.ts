import type { ReadDocument, TableMark, TopicContract } from '@posthorn/topics'
import type { KafkaMessage } from 'kafkajs'
import type { KafkaConnection } from './connection.js'
import { MAX_WAIT_MS, PartitionFollower } from './partition-follower.js'
import { retryInPlace } from './retry-in-place.js'

export interface TablePosition {
  readonly partition: number
  readonly offset: number
  /** Of the document that was read; undefined for a tombstone. */
  readonly version: number | undefined
}

export interface TableFollowerOptions<T extends { id: string; version: number }> {
  readonly topic: TopicContract
  readonly decode: (value: Buffer | null) => ReadDocument<T>
  /** A document of a newer version of Posthorn, or an error of `onChange`: the table cannot be trusted any more. */
  readonly fatal: (error: Error) => void
  /** For each record that changes the table; undefined for a tombstone. */
  readonly onChange?: (id: string, document: T | undefined, position: TablePosition) => void
  /** For each document that is older than what the table already has, which stays. */
  readonly onStale?: (id: string, document: T, position: TablePosition) => void
}

/** An idle topic is answered every `MAX_WAIT_MS`; a record comes at once. */
const BEHIND_MS = 4 * MAX_WAIT_MS

interface Waiter {
  readonly version: number
  readonly settle: (found: boolean) => void
}

/** A compacted topic as a table in memory: read whole at start, then followed for ever, outside any group. */
export class TableFollower<T extends { id: string; version: number }> {
  private readonly documents = new Map<string, T>()
  private readonly waiters = new Map<string, Set<Waiter>>()
  private readonly stopping = new AbortController()
  /** One for all who wait: a signal keeps its listeners. */
  private readonly stopped = aborted(this.stopping.signal)
  private followers: readonly PartitionFollower[] = []
  private failed = false
  private caughtUp = false
  private hasRecords = false
  private lastMark: TableMark | undefined
  private wasPublished = false
  /** Its registry says nothing of it: it was looked for. */
  private isUnmarked = false
  private seeking: Promise<void> | undefined
  private tellWhole!: () => void
  /**
   * Resolves when the registry has published what it has, see `isWhole`; to be asked of its topics only.
   * Never, once stopped.
   */
  readonly whole = new Promise<void>(resolve => (this.tellWhole = resolve))

  constructor(
    private readonly connection: KafkaConnection,
    private readonly options: TableFollowerOptions<T>,
  ) {}

  /** Resolves when the end seen at start was reached. Waits while Kafka is away; never rejects for it. */
  async start(): Promise<void> {
    const name = this.connection.topic(this.options.topic)
    const count = await this.connection.partitionsOf(this.options.topic)
    if (this.stopping.signal.aborted) return
    this.followers = Array.from(
      { length: count },
      (_, partition) =>
        new PartitionFollower(
          this.connection,
          name,
          partition,
          (message, offset) => this.take(message, partition, offset),
          error => this.fail(error),
        ),
    )
    for (const follower of this.followers) follower.start()
    await Promise.race([Promise.all(this.followers.map(follower => follower.caughtUp)), this.stopped])
    this.caughtUp = true
    this.lookWhole()
    await this.seeking
  }

  /** Whether start() has resolved: before that what is not here may yet be on the topic. */
  get isCaughtUp(): boolean {
    return this.caughtUp
  }

  /** Whether nobody has ever written to the topic. */
  get isUntouched(): boolean {
    return !this.hasRecords && this.followers.every(follower => follower.isAtZero)
  }

  /** What the registry has said last of the topic. */
  get mark(): TableMark | undefined {
    return this.lastMark
  }

  /**
   * Whether what the registry has is here: it has said so, or the topic is of one that says nothing. Of a
   * topic that nobody has written to, and of one that is being published for the first time, it is not.
   */
  get isWhole(): boolean {
    return this.caughtUp && (this.wasPublished || this.isUnmarked)
  }

  /**
   * Whether a partition has not been answered for longer than an idle one is: a broker is away, or this
   * process was frozen. What was put on the topic meanwhile is not here.
   */
  get isBehind(): boolean {
    return this.followers.some(({ answeredAgo }) => answeredAgo > BEHIND_MS)
  }

  get(id: string): T | undefined {
    return this.documents.get(id)
  }

  values(): Iterable<T> {
    return this.documents.values()
  }

  get size(): number {
    return this.documents.size
  }

  /** Resolves true as soon as the table holds this version or newer; false after `timeoutMs`. */
  waitFor(id: string, version: number, timeoutMs: number): Promise<boolean> {
    if (this.holds(id, version)) return Promise.resolve(true)
    if (this.stopping.signal.aborted) return Promise.resolve(false)
    return new Promise(resolve => {
      const waiters = this.waiters.get(id) ?? new Set()
      const settle = (found: boolean) => {
        clearTimeout(timer)
        waiters.delete(waiter)
        if (waiters.size === 0) this.waiters.delete(id)
        resolve(found)
      }
      const waiter: Waiter = { version, settle }
      const timer = setTimeout(settle, timeoutMs, false)
      this.waiters.set(id, waiters.add(waiter))
    })
  }

  /** Resolves once everything was read that was on the topic when called. */
  async readToEnd(): Promise<void> {
    const name = this.connection.topic(this.options.topic)
    const ends = await retryInPlace(
      `read the end of ${name}`,
      this.connection.options.logger,
      () => this.connection.withAdmin(admin => admin.fetchTopicOffsets(name)),
      this.stopping.signal,
    )
    const reached = ends.flatMap(({ partition, high }) => this.followers[partition]?.reach(Number(high)) ?? [])
    await Promise.race([Promise.all(reached), this.stopped])
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the table follower was stopped'))
    for (const waiters of [...this.waiters.values()]) for (const { settle } of [...waiters]) settle(false)
    await Promise.all(this.followers.map(follower => follower.stop()))
  }

  private take(message: KafkaMessage, partition: number, offset: number): void {
    this.hasRecords = true
    this.read(message, partition, offset)
    this.lookWhole()
  }

  private read(message: KafkaMessage, partition: number, offset: number): void {
    const read = this.options.decode(message.value)
    switch (read.kind) {
      case 'document':
        return this.keep(read.document, partition, offset)
      case 'tombstone':
        return this.remove(message.key?.toString() ?? '', partition, offset)
      case 'mark':
        return this.heed(read.mark)
      case 'newer':
        throw new Error(
          `${this.options.topic.name}/${partition}/${offset} has grammar version ${read.version}: ` +
            'this process is too old to read it; update it',
        )
      case 'bad':
        // Ours to repair: the table goes on with what it has.
        this.connection.options.logger.error(
          { topic: this.options.topic.name, partition, offset, detail: read.detail },
          'a document cannot be read and is ignored',
        )
    }
  }

  private keep(document: T, partition: number, offset: number): void {
    const { id, version } = document
    if ((this.documents.get(id)?.version ?? -Infinity) > version)
      return this.options.onStale?.(id, document, { partition, offset, version })
    this.documents.set(id, document)
    this.options.onChange?.(id, document, { partition, offset, version })
    for (const waiter of [...(this.waiters.get(id) ?? [])]) if (waiter.version <= version) waiter.settle(true)
  }

  private remove(id: string, partition: number, offset: number): void {
    this.documents.delete(id)
    this.options.onChange?.(id, undefined, { partition, offset, version: undefined })
  }

  private heed(mark: TableMark): void {
    this.lastMark = mark
    // One that is written again by a registry that was late takes nothing away.
    this.wasPublished ||= mark === 'published'
  }

  private lookWhole(): void {
    if (this.stopping.signal.aborted) return
    if (this.isWhole) this.tellWhole()
    else if (this.caughtUp && this.lastMark === undefined && !this.isUntouched) this.seekMark()
  }

  /** A mark is written before any document, but on one partition: a document of another may be read first. */
  private seekMark(): void {
    this.seeking ??= this.readToEnd().then(
      () => {
        this.isUnmarked = this.lastMark === undefined
        this.lookWhole()
      },
      // It was stopped.
      () => undefined,
    )
  }

  private holds(id: string, version: number): boolean {
    const document = this.documents.get(id)
    return document !== undefined && document.version >= version
  }

  private fail(error: Error): void {
    if (this.failed) return
    this.failed = true
    this.options.fatal(error)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
