import { setTimeout as sleep } from 'node:timers/promises'
import type { Assignment, Consumer, EachBatchHandler } from 'kafkajs'
import { accessProblem } from './access.js'
import type { KafkaConnection } from './connection.js'
import type { GroupConsumerOptions } from './record.js'
import { leaveAs } from './group-leave.js'
import { holdJoin } from './kafkajs-repairs.js'
import { retryInPlace } from './retry-in-place.js'
import { StickyAssigner } from './sticky-assigner.js'

/** A member that died is missed after this; longer makes a crashed consumer wait that long for itself. */
const SESSION_MS = 10_000
/** A rebalance is noticed by the next heartbeat: joins take 0.2 s instead of 2 s. */
const HEARTBEAT_MS = 500
/** How long the group waits for a member that is alive but does not come back to join. */
const REBALANCE_MS = 20_000
/** Beyond it the loop polls less: at 251 partitions 100 ms cost 5.8 % of a core while idle. */
const MANY_PARTITIONS = 200
/** Less than a batch of ours has (512 KiB) would let a partition wait for all that are asked for before it. */
const MAX_PARTITION_FETCH_BYTES = 1024 * 1024
const STUCK_MS = 120_000
const LEAVE_MS = 5000
/** At most: a join that takes longer than 2 s beyond the wait is held up by another member. */
const QUIET_MS = 5000
const REJOIN_MS = 500
/** What kafkajs 2.2.4 says when no broker answers and, for some, wrongly calls not worth a retry. */
const AWAY = new Set([
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
])

/** Requests whose answer means another session. */
const KEEP_ALIVE = new Set(['Heartbeat', 'SyncGroup'])

export interface MembershipOptions {
  /** With the deployment's prefix. */
  readonly groupId: string
  /** With the deployment's prefix. */
  readonly topics: readonly string[]
  readonly eachBatch: EachBatchHandler
  readonly maxFetchBytes: number
  readonly unhurried?: GroupConsumerOptions['unhurried']
  /** Everything in the topic and partition up to and including this offset was markers or aborted. */
  readonly onPassed: (topic: string, partition: number, firstOffset: number, lastOffset: number) => void
  /** A new generation. `sameMember`: what was owned before and is owned now was ours all the time. */
  readonly onJoined: (assignment: Assignment, sameMember: boolean) => void
  /** A rebalance begins: the last moment to commit as the old generation. The join waits for it. */
  readonly onRebalancing: () => Promise<void>
  /** Not a member any more; kafkajs comes back by itself as another one. */
  readonly onLost: () => void
  readonly fatal: (error: Error) => void
}

/** One kafkajs consumer as a member of its group: joining, heartbeats, crashes, leaving. */
export class Membership {
  readonly consumer: Consumer
  readonly assigner = new StickyAssigner()
  private memberId?: string
  /** When the request was sent that the group last answered well: the session counts from there. */
  private heardAt = -Infinity
  private askedAt = -Infinity
  private turnedAt = performance.now()
  private joined = false
  /** While a rebalance is on. */
  private quietUntil = -Infinity
  private stop?: AbortSignal

  constructor(
    private readonly connection: KafkaConnection,
    private readonly options: MembershipOptions,
  ) {
    const partitions = options.topics.length * connection.options.partitions
    this.consumer = connection.kafka.consumer({
      groupId: options.groupId,
      partitionAssigners: [this.assigner.factory],
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
      minBytes: options.unhurried?.minBytes ?? 1,
      maxWaitTimeInMs: options.unhurried?.maxWaitMs ?? (partitions > MANY_PARTITIONS ? 500 : 100),
      maxBytesPerPartition: Math.min(options.maxFetchBytes / 4, MAX_PARTITION_FETCH_BYTES),
      maxBytes: options.maxFetchBytes,
      allowAutoTopicCreation: false,
    })
    this.listen()
  }

  /** Resolves when kafkajs runs; the first join follows. Rejects only with the reason of `stop`. */
  async start(stop: AbortSignal): Promise<void> {
    this.stop = stop
    await this.retry('connect', () => this.consumer.connect())
    // Never from the end: kafkajs goes there also when a committed offset is out of range.
    await this.retry('read the topics of', () =>
      this.consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true }),
    )
    await this.run()
  }

  /** Ends the membership; gives up waiting for a broker that does not answer after 5 s. */
  async leave(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>(resolve => (timer = setTimeout(resolve, LEAVE_MS)))
    await Promise.race([this.consumer.disconnect().catch(() => undefined), timeout])
    clearTimeout(timer)
    this.joined = false
  }

  get isJoined(): boolean {
    return this.joined
  }

  /** False when the group may have given our partitions to others, a heartbeat less than the session, or is about to. */
  get isHealthy(): boolean {
    const now = performance.now()
    return this.joined && now >= this.quietUntil && now - this.heardAt < SESSION_MS - 2 * HEARTBEAT_MS
  }

  /** Why the loop seems dead; a broker that is away is no reason, because kafkajs then says so all the time. */
  stuck(): string | undefined {
    const silent = performance.now() - Math.max(this.turnedAt, this.connection.troubledAt())
    return silent < STUCK_MS ? undefined : `the fetch loop has not turned for ${Math.round(silent / 1000)} s`
  }

  private run(): Promise<void> {
    const { eachBatch } = this.options
    return this.retry('run', () => this.consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }))
  }

  /** kafkajs gave up although only the brokers are away. */
  private async rejoin(): Promise<void> {
    try {
      await sleep(REJOIN_MS, undefined, { signal: this.stop })
      await this.retry('connect', () => this.consumer.connect())
      await this.run()
    } catch (error) {
      if (!this.stop?.aborted) this.options.fatal(error instanceof Error ? error : new Error(String(error)))
    }
  }

  private retry<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const { logger } = this.connection.options
    return retryInPlace(`${what} the group ${this.options.groupId}`, logger, attempt, this.stop)
  }

  private listen(): void {
    const { consumer, options } = this
    const { events } = consumer
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const sameMember = payload.memberId === this.memberId
      this.memberId = payload.memberId
      this.heardAt = this.askedAt
      this.joined = true
      this.quietUntil = -Infinity
      this.assigner.joined(payload.memberAssignment)
      options.onJoined(payload.memberAssignment, sameMember)
    })
    consumer.on(events.REQUEST, ({ payload }) => {
      // The time of the answer is no use: in a process that was frozen it may have waited for longer than the session.
      if (KEEP_ALIVE.has(payload.apiName)) this.askedAt = performance.now() - Math.max(0, payload.duration)
    })
    consumer.on(events.HEARTBEAT, ({ payload }) => {
      this.heardAt = this.askedAt
      this.assigner.heartbeat(payload.groupGenerationId)
    })
    consumer.on(events.FETCH_START, () => void (this.turnedAt = performance.now()))
    consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0) return
      options.onPassed(payload.topic, payload.partition, Number(payload.firstOffset), Number(payload.lastOffset))
    })
    consumer.on(events.REBALANCING, () => {
      this.quietUntil = performance.now() + QUIET_MS
      holdJoin(this.assigner.cluster, options.onRebalancing())
    })
    consumer.on(events.CRASH, ({ payload }) => {
      this.joined = false
      if (this.memberId !== undefined) void leaveAs(this.connection, options.groupId, this.memberId, this.stop)
      this.memberId = undefined
      options.onLost()
      if (payload.restart) return
      if (isAway(payload.error)) void this.rejoin()
      else options.fatal(payload.error)
    })
  }
}

function isAway(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (AWAY.has(at.name)) return true
  // A login that worked at start and does not now: it is logged, and waited for as for a broker.
  return accessProblem(error) !== undefined
}
