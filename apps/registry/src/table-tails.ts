import { TableFollower, type KafkaConnection } from '@posthorn/kafka'
import { OUTBOX_KINDS, type OutboxKind } from '@posthorn/store'
import type { ReadDocument, TableMark, TopicContract } from '@posthorn/topics'
import { protectionsOf } from '@posthorn/webhook'
import { DOCUMENTS } from './documents.js'

/** One compacted topic of the registry's own, followed to see what stands last on it. */
export class TableTail {
  private readonly follower: TableFollower<{ id: string; version: number }>
  /** Version of the last record of each id, which is what compaction keeps; undefined for a tombstone. */
  private readonly last = new Map<string, number | undefined>()
  /** What protects the requests of a webhook by its last record, where anything does. */
  private readonly protections = new Map<string, string>()
  private overwritten = new Set<string>()

  constructor(
    connection: KafkaConnection,
    topic: TopicContract,
    decode: (value: Buffer | null) => ReadDocument<{ id: string; version: number }>,
    fatal: (error: Error) => void,
    private readonly onStale: () => void,
    private readonly protectionsIn: (document: object) => string,
  ) {
    this.follower = new TableFollower(connection, {
      topic,
      decode,
      fatal,
      onChange: (id, document, { version }) => this.note(id, document, version),
      onStale: (id, document, { version }) => this.noteStale(id, document, version),
    })
  }

  start(): Promise<void> {
    return this.follower.start()
  }

  stop(): Promise<void> {
    return this.follower.stop()
  }

  get isCaughtUp(): boolean {
    return this.follower.isCaughtUp
  }

  /** Whether nobody has ever written to the topic. */
  get isUntouched(): boolean {
    return this.follower.isUntouched
  }

  /** What was said last of the topic. */
  get mark(): TableMark | undefined {
    return this.follower.mark
  }

  /** Resolves when all is read that was on the topic at the call. */
  readToEnd(): Promise<void> {
    return this.follower.readToEnd()
  }

  /** Resolves when the topic has this version or a newer one, with false after `timeoutMs`. */
  waitFor(id: string, version: number, timeoutMs: number): Promise<boolean> {
    return this.follower.waitFor(id, version, timeoutMs)
  }

  /** The version that the topic ends with for this id; undefined when there is none. */
  lastVersion(id: string): number | undefined {
    return this.last.get(id)
  }

  /** Beside which protections the topic ends; empty for what is no webhook. */
  lastProtections(id: string): string {
    return this.protections.get(id) ?? ''
  }

  /** Ids where an older record came after a newer one, since the last call. */
  takeOverwritten(): string[] {
    const ids = [...this.overwritten]
    this.overwritten = new Set()
    return ids
  }

  private note(id: string, document: object | undefined, version: number | undefined): void {
    this.last.set(id, version)
    const protections = document ? this.protectionsIn(document) : ''
    if (protections === '') this.protections.delete(id)
    else this.protections.set(id, protections)
  }

  private noteStale(id: string, document: object | undefined, version: number | undefined): void {
    this.note(id, document, version)
    this.overwritten.add(id)
    this.onStale()
  }
}

/** The registry's topics, each read from its beginning. */
export class TableTails {
  private readonly tails: ReadonlyMap<OutboxKind, TableTail>
  private onStale = () => {}

  constructor(connection: KafkaConnection, fatal: (error: Error) => void) {
    const tail = (kind: OutboxKind) => {
      const { topic, decode } = DOCUMENTS[kind]
      const protectionsIn = kind === 'webhook' ? protectionsOf : () => ''
      return new TableTail(connection, topic, decode, fatal, () => this.onStale(), protectionsIn)
    }
    this.tails = new Map(OUTBOX_KINDS.map(kind => [kind, tail(kind)]))
  }

  /** Who is told that an older record overwrote a newer one. */
  whenStale(listener: () => void): void {
    this.onStale = listener
  }

  of(kind: OutboxKind): TableTail {
    return this.tails.get(kind)!
  }

  async start(): Promise<void> {
    await Promise.all([...this.tails.values()].map(tail => tail.start()))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.tails.values()].map(tail => tail.stop()))
  }

  readiness(): string | undefined {
    return [...this.tails.values()].every(tail => tail.isCaughtUp) ? undefined : 'is reading its topics'
  }
}
