import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the patches below touch of kafkajs's connections (src/network/connection, 2.2.4). */
interface Connection {
  readonly host: string
  readonly port: number
  readonly requestQueue: RequestQueue
  socket?: Socket
  connectionStatus: 'connected' | 'disconnecting' | 'disconnected'
  authenticatedAt: unknown
  authHandlers: { onError(): void } | null
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  isConnected(): boolean
  connect(): Promise<boolean>
  disconnect(): Promise<boolean>
  rejectRequests(error: Error): void
  processData(data: Buffer): void
  sendAuthRequest(request: object): Promise<unknown>
}

/** Of its requests that wait for an answer (src/network/requestQueue). */
interface RequestQueue {
  readonly inflight: ReadonlyMap<number, SocketRequest>
  readonly enforceRequestTimeout: boolean
  requestTimeoutIntervalId?: NodeJS.Timeout
  isConnected(): boolean
  waitForPendingRequests(): Promise<void>
  createSocketRequest(pushed: PushedRequest): SocketRequest
  scheduleRequestTimeoutCheck(): void
  destroy(): void
}
interface PushedRequest {
  readonly entry: { readonly apiName: string }
  /** Beyond the usual: how long the broker itself may take. */
  readonly requestTimeout: number | null
}
interface SocketRequest {
  requestTimeout: number
  send(): void
  timeoutRequest(): void
}

/**
 * How long a connection may be silent while a broker owes an answer that it has at once. A heartbeat comes
 * after a fetch, and one of each may be lost within a session of 10 s.
 */
const QUICK_MS: Readonly<Record<string, number>> = {
  ApiVersions: 5000,
  Metadata: 5000,
  GroupCoordinator: 5000,
  Fetch: 4000,
  Heartbeat: 4000,
}
const LOGIN_MS = 10_000
/** What is under way when a connection is no longer wanted may end so long. */
const LAST_ANSWERS_MS = 5000
const CHECK_EVERY_MS = 100
/** A check that comes so late says that this process was held up: what is overdue may have been answered. */
const HELD_UP_MS = 1000
const SIZE_BYTES = 4

const { KafkaJSConnectionClosedError } = createRequire(import.meta.url)('kafkajs/src/errors') as {
  readonly KafkaJSConnectionClosedError: new (
    why: string,
    at: { readonly host: string; readonly port: number },
  ) => Error
}

const openings = new WeakMap<Connection, Promise<boolean>>()
const owners = new WeakMap<RequestQueue, Connection>()
const sentAt = new WeakMap<SocketRequest, number>()
/** A broker answers the requests of a connection in turn: while anything comes, none is lost. */
const heardAt = new WeakMap<RequestQueue, number>()

/**
 * Makes each connection an end of its own. As kafkajs 2.2.4 has it:
 * - A request that is not answered in time leaves its connection as it is: on one that is half-open each
 *   next request waits as long, for ever.
 * - A login has no time-out.
 * - The half of an answer that was read when a connection broke stays, and the answers on the next
 *   connection are read behind it: none is understood any more, or the process dies of reading one.
 * - Two who find it closed open it twice, and the end of the first ends the second one.
 * - Closing it waits for its answers, and stops the clock by which they would be given up.
 * - What is sent behind a request that is not acknowledged yet, as a commit behind a fetch that waits, lies
 *   here for up to 40 ms (Nagle's algorithm), and the fetch after it waits longer for that.
 */
export function patchConnections(): void {
  const require = createRequire(import.meta.url)
  patchLife((require('kafkajs/src/network/connection') as { prototype: Connection }).prototype)
  patchTimeouts(
    (require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }).prototype,
    (require('kafkajs/src/network/requestQueue/socketRequest') as { prototype: SocketRequest }).prototype,
  )
}

function patchLife(prototype: Connection): void {
  const { connect, processData, sendAuthRequest } = prototype
  prototype.connect = function (this: Connection) {
    if (this.isConnected()) return Promise.resolve(true)
    const running = openings.get(this)
    if (running) return running
    owners.set(this.requestQueue, this)
    abandon(this, 'Closed connection')
    const opening = connect
      .call(this)
      .then(result => (this.socket?.setNoDelay(true), result))
      .finally(() => openings.delete(this))
    openings.set(this, opening)
    return opening
  }
  prototype.disconnect = async function (this: Connection) {
    const { socket } = this
    this.authenticatedAt = null
    if (this.connectionStatus === 'connected') this.connectionStatus = 'disconnecting'
    await Promise.race([this.requestQueue.waitForPendingRequests(), sleep(LAST_ANSWERS_MS, undefined, { ref: false })])
    if (this.socket !== socket) return true
    if (socket?.destroyed === false && this.requestQueue.inflight.size === 0) {
      forget(socket)
      socket.destroySoon()
      this.socket = undefined
    }
    abandon(this, 'Closed connection')
    return true
  }
  prototype.processData = function (this: Connection, data: Buffer) {
    heardAt.set(this.requestQueue, performance.now())
    try {
      processData.call(this, data)
    } catch {
      abandon(this, 'Answer cannot be read')
    }
  }
  prototype.sendAuthRequest = async function (this: Connection, request: object) {
    const { socket } = this
    const timer = setTimeout(() => {
      if (this.socket === socket) abandon(this, 'Login timed out')
    }, LOGIN_MS)
    try {
      return await sendAuthRequest.call(this, request)
    } finally {
      clearTimeout(timer)
    }
  }
}

function patchTimeouts(queue: RequestQueue, request: SocketRequest): void {
  const { createSocketRequest } = queue
  const { send } = request
  request.send = function (this: SocketRequest) {
    sentAt.set(this, performance.now())
    send.call(this)
  }
  queue.createSocketRequest = function (this: RequestQueue, pushed) {
    const made = createSocketRequest.call(this, pushed)
    const quick = QUICK_MS[pushed.entry.apiName]
    if (quick !== undefined) made.requestTimeout = Math.min(made.requestTimeout, quick + (pushed.requestTimeout ?? 0))
    return made
  }
  queue.scheduleRequestTimeoutCheck = function (this: RequestQueue) {
    if (!this.enforceRequestTimeout) return
    this.destroy()
    let checkedAt = performance.now()
    this.requestTimeoutIntervalId = setInterval(() => {
      const now = performance.now()
      const wasHeldUp = now - checkedAt > HELD_UP_MS
      checkedAt = now
      if (!wasHeldUp) giveUp(this, now)
      if (!this.isConnected()) this.destroy()
    }, CHECK_EVERY_MS)
  }
}

/** By the monotonic clock: a wall clock that is set ahead makes nothing overdue. */
function giveUp(queue: RequestQueue, now: number): void {
  const heard = heardAt.get(queue) ?? -Infinity
  const overdue = [...queue.inflight.values()].filter(
    request => now - Math.max(sentAt.get(request) ?? now, heard) > request.requestTimeout,
  )
  for (const request of overdue) request.timeoutRequest()
  const owner = owners.get(queue)
  if (overdue.length > 0 && owner) abandon(owner, 'Closed connection: it does not answer')
}

/** The connection is gone, for the broker too: a reset, after which the kernel sends nothing of it any more. */
function abandon(connection: Connection, why: string): void {
  const { socket, authHandlers, host, port } = connection
  connection.socket = undefined
  connection.connectionStatus = 'disconnected'
  connection.authenticatedAt = null
  connection.chunks = []
  connection.bytesBuffered = 0
  connection.bytesNeeded = SIZE_BYTES
  connection.requestQueue.destroy()
  if (socket) {
    forget(socket)
    reset(socket)
  }
  authHandlers?.onError()
  connection.rejectRequests(new KafkaJSConnectionClosedError(why, { host, port }))
}

/** Nothing that it still says is for anybody. */
function forget(socket: Socket): void {
  socket.removeAllListeners()
  socket.on('error', () => undefined)
}

function reset(socket: Socket): void {
  // One of TLS has no handle of TCP, and one that connects would go on until it has.
  if (socket.connecting || 'encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
