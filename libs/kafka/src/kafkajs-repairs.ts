import { createRequire } from 'node:module'
import { registerCodecs } from './codecs.js'
import { patchConnections } from './kafkajs-connections.js'
import { paceFetches } from './kafkajs-fetches.js'
import { askForStableOffsets, type OffsetFetchDefinition } from './offset-fetch.js'
import { leanProduceRequest, type ProduceArguments, type ProduceRequest } from './produce-request.js'

/** What the patch below touches of kafkajs's request queue (src/network/requestQueue, 2.2.4). */
interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null
  readonly throttledUntil: number
  readonly pending: readonly unknown[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

const THROTTLE_CHECK_MS = 10

/** Of its Produce requests (src/protocol/requests/produce). */
interface ProduceDefinition {
  protocol: (of: { readonly version: number }) => (args: ProduceArguments) => { readonly request: ProduceRequest }
}

/** Of its Encoder (src/protocol/encoder). */
interface Encoder {
  buf: Buffer
  readonly offset: number
  ensureAvailable(length: number): void
}

/** Of a member's offsets in one generation (src/consumer/offsetManager). */
interface OffsetManager {
  coordinator: unknown
  readonly groupId: string
  readonly cluster: { findGroupCoordinator(of: { readonly groupId: string }): Promise<unknown> }
  commitOffsets(offsets?: unknown): Promise<void>
}

/** Of a member of a group (src/consumer/consumerGroup). */
interface ConsumerGroup {
  readonly cluster: object
  joinAndSync(): Promise<void>
}

/** The first version with the record format that we write. */
const FIRST_VERSION = 3
/** Of what is written in one piece: no more follows that is worth room for as much again. */
const LARGE_BYTES = 16 * 1024

/**
 * kafkajs 2.2.4 keeps a timer of 1 ms alive per connection, even when nothing is pending: 2.7 % of
 * a core for an idle consumer, 0.1 % with this.
 */
function patchIdleTimer(): void {
  const require = createRequire(import.meta.url)
  const queue = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return
    const wait = this.throttledUntil - Date.now()
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      wait > 0 ? wait : THROTTLE_CHECK_MS,
    )
  }
}

function patchProduceRequest(): void {
  const require = createRequire(import.meta.url)
  const definition = require('kafkajs/src/protocol/requests/produce') as ProduceDefinition
  const { protocol } = definition
  definition.protocol = of => args => {
    const made = protocol(of)(args)
    return of.version < FIRST_VERSION ? made : { ...made, request: leanProduceRequest(made.request, args) }
  }
}

/** Every request is copied twice to get its head: into zeroed buffers of up to twice its size. */
function patchEncoder(): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/protocol/encoder') as { prototype: Encoder }
  const { ensureAvailable } = prototype
  prototype.ensureAvailable = function (this: Encoder, length: number) {
    if (length < LARGE_BYTES || this.offset + length <= this.buf.length) return ensureAvailable.call(this, length)
    const larger = Buffer.allocUnsafeSlow(this.offset + length)
    this.buf.copy(larger, 0, 0, this.offset)
    this.buf = larger
  }
}

/**
 * Commits go to the broker that was the coordinator at the last join. When it has moved and the join
 * after that is refused because the new one still loads, kafkajs stays a member there, by its
 * heartbeats, and would commit to the former one for as long as no rebalance comes.
 */
function patchCommits(): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/consumer/offsetManager') as { prototype: OffsetManager }
  const { commitOffsets } = prototype
  prototype.commitOffsets = async function (this: OffsetManager, offsets?: unknown) {
    try {
      await commitOffsets.call(this, offsets)
    } catch (error) {
      const { groupId } = this
      // For the next attempt, whose time the caller chooses; what it found out about this one is the error.
      await this.cluster.findGroupCoordinator({ groupId }).then(
        coordinator => (this.coordinator = coordinator),
        () => undefined,
      )
      throw error
    }
  }
}

const holds = new WeakMap<object, Promise<unknown>>()

/**
 * To be called on REBALANCING: the join that follows waits for `until`, which must end well within the
 * session, because nothing says meanwhile that the member lives. `cluster` is the consumer's.
 */
export function holdJoin(cluster: object, until: Promise<unknown>): void {
  holds.set(cluster, until)
}

/** kafkajs joins again at once, and has no word for what should be done before. */
function patchJoin(): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/consumer/consumerGroup') as { prototype: ConsumerGroup }
  const { joinAndSync } = prototype
  prototype.joinAndSync = async function (this: ConsumerGroup) {
    const { cluster } = this
    const held = holds.get(cluster)
    holds.delete(cluster)
    await held
    await joinAndSync.call(this)
  }
}

function patchOffsetFetch(): void {
  const require = createRequire(import.meta.url)
  askForStableOffsets(require('kafkajs/src/protocol/requests/offsetFetch') as OffsetFetchDefinition)
}

let repaired = false

/** Patches kafkajs for this process; further calls do nothing. */
export function repairKafkajs(): void {
  if (repaired) return
  repaired = true
  patchConnections()
  paceFetches()
  patchIdleTimer()
  patchProduceRequest()
  patchEncoder()
  patchCommits()
  patchJoin()
  patchOffsetFetch()
  registerCodecs()
}
