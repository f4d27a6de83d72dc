import { setTimeout as sleep } from 'node:timers/promises'
import type { TopicContract } from '@posthorn/topics'
import type { Assignment, Batch, EachBatchPayload } from 'kafkajs'
import { ClaimBook, type Claim } from './claims.js'
import { Committer } from './committer.js'
import type { KafkaConnection } from './connection.js'
import { readBounds, readStarts } from './group-offsets.js'
import { ConsumerMetrics } from './kafka-metrics.js'
import { Membership } from './membership.js'
import { RecordCopier } from './record-copy.js'
import type { ConsumedRecord, GroupConsumerOptions } from './record.js'
import { retryInPlace } from './retry-in-place.js'

const DEFAULT_WINDOW = 16_384
const DEFAULT_MAX_UNFINISHED_BYTES = 64 * 1024 * 1024
const DEFAULT_MAX_FETCH_BYTES = 8 * 1024 * 1024
/** So that tiny records are bounded, too. */
const DEFAULT_RECORD_OVERHEAD = 200
/** kafkajs looks for an absent coordinator for a minute: what is not committed by then is read again. */
const LAST_COMMIT_MS = 2000
/**
 * What is under way at a rebalance has so long to end before partitions move, and is done again by the
 * next owner beyond it: the group stands still meanwhile, and without heartbeats a session is 10 s.
 */
const HAND_OVER_MS = 3000

/**
 * Reads topics as a member of a group and hands every record out once per stretch of ownership;
 * commits what is finished, lowest first, with a bitmap of what is finished above it. Nothing is
 * ever thrown into kafkajs; what cannot be survived is told to `fatal`, once.
 */
export class GroupConsumer {
  private readonly logger
  private readonly topics: ReadonlyMap<string, TopicContract>
  private readonly membership: Membership
  private readonly book: ClaimBook
  private readonly recordOverhead: number
  private readonly committer: Committer
  private readonly stopping = new AbortController()
  private tellJoined!: () => void
  private readonly firstJoin = new Promise<void>(resolve => (this.tellJoined = resolve))
  private readonly idleWaiters: (() => void)[] = []
  private readonly metrics: ConsumerMetrics
  private draining = false
  private dead = false
  private stopped?: Promise<void>

  constructor(
    private readonly connection: KafkaConnection,
    private readonly options: GroupConsumerOptions,
  ) {
    this.logger = connection.options.logger.child({ group: options.group })
    this.topics = new Map(options.topics.map(topic => [connection.topic(topic), topic]))
    this.book = new ClaimBook(
      {
        window: options.window ?? DEFAULT_WINDOW,
        maxUnfinishedBytes: options.maxUnfinishedBytes ?? DEFAULT_MAX_UNFINISHED_BYTES,
      },
      { finished: () => this.onFinished(), pausesChanged: claim => this.applyPause(claim) },
    )
    this.metrics = new ConsumerMetrics(options.group, () => ({
      partitions: this.book.all().length,
      unfinished: this.book.unfinished,
      unfinishedBytes: this.book.unfinishedBytes,
    }))
    this.recordOverhead = options.recordOverhead ?? DEFAULT_RECORD_OVERHEAD
    this.committer = new Committer(() => this.book.all(), this.logger)
    this.membership = new Membership(connection, {
      groupId: this.groupId,
      topics: [...this.topics.keys()],
      maxFetchBytes: options.maxFetchBytes ?? DEFAULT_MAX_FETCH_BYTES,
      ...(options.unhurried && { unhurried: options.unhurried }),
      eachBatch: payload => this.guard(() => this.onBatch(payload)),
      onPassed: (topic, partition, first, last) => this.onPassed(topic, partition, first, last),
      onJoined: (assignment, sameMember) => void this.guard(() => this.onJoined(assignment, sameMember)),
      onRebalancing: () => this.handOver(),
      onLost: () => void this.guard(() => this.onLost()),
      fatal: error => this.fail(error),
    })
  }

  /** Resolves when the group is joined and the assignment known; waits while Kafka is away. */
  async start(): Promise<void> {
    await this.membership.start(this.stopping.signal)
    await this.firstJoin
  }

  /** Stops fetching, commits what is finished, leaves the group. What is unfinished is read again by the next owner. */
  stop(): Promise<void> {
    this.stopped ??= this.leave()
    return this.stopped
  }

  /** Stops fetching for good; resolves when nothing that was received is unfinished. */
  async drain(): Promise<void> {
    this.draining = true
    for (const claim of this.book.all()) this.applyPause(claim)
    if (this.book.unfinished > 0) await new Promise<void>(resolve => this.idleWaiters.push(resolve))
  }

  readiness(): string | undefined {
    if (this.stopped) return 'has left its group'
    if (!this.membership.isJoined) return 'is joining its group'
    return this.book.all().every(claim => claim.tracker) ? undefined : 'is preparing the partitions it was given'
  }

  liveness(): string | undefined {
    if (this.dead) return 'the consumer is dead'
    return this.stopped ? undefined : this.membership.stuck()
  }

  /**
   * False when the last successful heartbeat is older than the session, others may own our partitions
   * by now; and during a rebalance, for 5 s at most: they are about to.
   */
  healthyMembership(): boolean {
    return this.membership.isHealthy
  }

  /** Of the group; undefined in the first moments of one, and without any. */
  get generation(): number | undefined {
    return this.membership.isJoined ? this.membership.assigner.generation : undefined
  }

  private get groupId(): string {
    return this.connection.prefix + this.options.group
  }

  private async leave(): Promise<void> {
    this.draining = true
    const claims = this.book.all()
    for (const claim of claims) this.applyPause(claim)
    this.lose(claims)
    await Promise.race([this.committer.commit(claims), sleep(LAST_COMMIT_MS, undefined, { ref: false })])
    this.stopping.abort(new Error('the consumer was stopped'))
    await this.membership.leave()
    this.metrics.end()
    this.committer.stop()
    this.tellJoined()
  }

  /** Never rejects. */
  private async handOver(): Promise<void> {
    const over = AbortSignal.any([AbortSignal.timeout(HAND_OVER_MS), this.stopping.signal])
    const ended = sleep(HAND_OVER_MS, undefined, { signal: over, ref: false }).catch(() => undefined)
    const settled = this.guard(() => this.options.onRebalancing?.(over))
    await Promise.race([settled.then(() => this.committer.commit()), ended])
  }

  private onJoined(assignment: Assignment, sameMember: boolean): void {
    this.committer.joined(sameMember)
    if (this.stopped) return
    this.metrics.joined()
    const isOurs = ({ topicName, partition }: Claim) => assignment[topicName]?.includes(partition) === true
    this.lose(this.book.all().filter(claim => !sameMember || !isOurs(claim)))
    const fresh: Claim[] = []
    for (const [topicName, partitions] of Object.entries(assignment))
      for (const partition of partitions) {
        const topic = this.topics.get(topicName)
        if (topic && !this.book.find(topicName, partition)) fresh.push(this.book.add(topic, topicName, partition))
      }
    // kafkajs fetches kept partitions from the committed offset again, and pauses outlive assignments.
    for (const claim of this.book.all()) {
      if (claim.tracker) this.seek(claim)
      this.applyPause(claim)
    }
    this.committer.changed()
    this.tellJoined()
    void this.guard(() => this.openClaims(fresh))
  }

  private onLost(): void {
    this.committer.joined(false)
    this.lose(this.book.all())
  }

  /** Fresh claims stay paused until it is known where they start and the service is prepared for them. */
  private async openClaims(fresh: readonly Claim[]): Promise<void> {
    if (fresh.length === 0) return
    const starts = await retryInPlace(
      'read the committed offsets',
      this.logger,
      async () => (fresh.some(claim => claim.isAlive) ? readStarts(this.cluster, this.groupId, fresh) : []),
      this.stopping.signal,
    )
    const alive = fresh.filter(claim => claim.isAlive)
    if (alive.length === 0) return
    await this.options.onAssigned?.(alive)
    fresh.forEach((claim, i) => {
      if (!claim.isAlive) return
      claim.open(starts[i]!)
      this.seek(claim)
      this.applyPause(claim)
    })
  }

  private async onBatch({ batch, resolveOffset, isStale, commitOffsetsIfNecessary }: EachBatchPayload): Promise<void> {
    const claim = this.book.find(batch.topic, batch.partition)
    const tracker = claim?.tracker
    // Of an older assignment, or fetched before a seek: not resolved, so it is fetched again.
    if (!claim || !tracker || isStale() || this.stopped) return
    this.committer.use(commitOffsetsIfNecessary)
    const askedFrom = Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset)
    const end = Number(batch.highWatermark)
    if (askedFrom > tracker.next || (askedFrom < tracker.next && end < tracker.next)) return this.realign(claim)
    const bytesBefore = tracker.bytes
    const records: ConsumedRecord[] = []
    const copier = new RecordCopier(claim.topic, claim.partition)
    for (const message of batch.messages) {
      const offset = Number(message.offset)
      const size = (message.value?.length ?? 0) + (message.key?.length ?? 0) + this.recordOverhead
      if (tracker.receive(offset, size)) records.push(copier.copy(message, offset))
    }
    tracker.pass(Number(batch.lastOffset()))
    resolveOffset(batch.lastOffset())
    if (records.length === 0) return this.committer.changed()
    this.book.received(claim, records.length, tracker.bytes - bytesBefore)
    await this.options.onBatch({ claim, records })
  }

  private onPassed(topic: string, partition: number, firstOffset: number, lastOffset: number): void {
    const tracker = this.book.find(topic, partition)?.tracker
    if (!tracker || firstOffset > tracker.next) return
    tracker.pass(lastOffset)
    this.committer.changed()
  }

  /** kafkajs fetched from elsewhere than we have got to: nothing between may be taken for a gap. */
  private async realign(claim: Claim): Promise<void> {
    const { topicName, partition } = claim
    const tracker = claim.tracker!
    const { start, end } = await retryInPlace(
      `read the bounds of ${topicName}/${partition}`,
      this.logger,
      () => readBounds(this.cluster, topicName, partition),
      claim.revoked,
    ).catch(() => ({ start: 0, end: Infinity }))
    if (!claim.isAlive) return
    if (end < tracker.next)
      throw new Error(`${topicName}/${partition} ends at ${end}, but was read to ${tracker.next}: was it made anew?`)
    if (start > tracker.next) {
      const fields = { topic: topicName, partition, from: tracker.next, to: start }
      this.logger.error(fields, 'retention removed records that were not read yet')
      tracker.pass(start - 1)
    }
    this.seek(claim)
  }

  private lose(claims: readonly Claim[]): void {
    if (claims.length === 0) return
    this.book.remove(claims)
    for (const claim of claims) claim.announceEnd()
    this.options.onRevoked?.([...claims])
    if (this.book.unfinished === 0) this.tellIdle()
  }

  private onFinished(): void {
    this.committer.changed()
    if (this.book.unfinished === 0) this.tellIdle()
  }

  private tellIdle(): void {
    for (const resolve of this.idleWaiters.splice(0)) resolve()
  }

  private seek({ topicName, partition, tracker }: Claim): void {
    this.tell(() => this.consumer.seek({ topic: topicName, partition, offset: String(tracker!.next) }))
  }

  private applyPause(claim: Claim): void {
    const place = [{ topic: claim.topicName, partitions: [claim.partition] }]
    const pause = this.draining || claim.mustPause
    this.tell(() => (pause ? this.consumer.pause(place) : this.consumer.resume(place)))
  }

  /** kafkajs refuses these while it restarts; the next join says them all again. */
  private tell(command: () => void): void {
    try {
      command()
    } catch (error) {
      this.logger.debug({ err: error }, 'the consumer is not running')
    }
  }

  private get consumer() {
    return this.membership.consumer
  }

  private get cluster() {
    return this.membership.assigner.cluster
  }

  /** An error of ours or of a handler must not reach kafkajs, which would fetch the batch again for ever. */
  private async guard(work: () => Promise<void> | void): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.stopped) this.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  private fail(error: Error): void {
    if (this.dead) return
    this.dead = true
    this.options.fatal(error)
  }
}
