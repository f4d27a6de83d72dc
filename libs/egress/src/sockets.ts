import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { buildConnector, type DiagnosticsChannel } from 'undici'
import type { AddressGuard } from './address-guard.js'

/** Longest retry policy time-out: the request's own, shorter one ends the connection attempt by itself. */
const CONNECT_TIMEOUT_MS = 60_000

/** What is known of one request's connection while it is on its way. */
export interface Exchange {
  /** The very object given to undici as body: the mark by which a request is recognised on its socket. */
  readonly body: Buffer
  /** A connection made for this request alone, until it is used. */
  connecting?: Socket
  /** The connection that the request was written to. */
  socket?: Socket
  /** Bytes received on that connection before this request: more than none means it was reused. */
  readBefore: number
  remoteAddress?: string
}

// undici tells neither which connection a request uses nor lets idle ones be closed: its
// diagnostics channel does the first, and knowing the sockets does the second.
const SEND_HEADERS = 'undici:client:sendHeaders'

/** The connections of one Egress: made through the guard, counted, the longest idle closed when there are too many. */
export class Sockets {
  private readonly open = new Set<Socket>()
  /** In the order in which they became idle. */
  private readonly idle = new Set<Socket>()
  private readonly users = new Map<Socket, Exchange>()
  private readonly byBody = new WeakMap<object, Exchange>()
  private readonly make: (options: buildConnector.Options, callback: buildConnector.Callback) => Socket
  private starting: Exchange | undefined

  constructor(
    private readonly guard: AddressGuard,
    private readonly limit: number,
  ) {
    // The types hide that the socket is returned at once, while it still connects.
    this.make = buildConnector({ lookup: guard.lookup, timeout: CONNECT_TIMEOUT_MS, allowH2: false }) as never
    channel(SEND_HEADERS).subscribe(this.onSendHeaders)
  }

  /** Runs `start`, which hands the request to undici: a connection made meanwhile belongs to it. */
  begin<T>(exchange: Exchange, start: () => T): T {
    this.byBody.set(exchange.body, exchange)
    this.starting = exchange
    try {
      return start()
    } finally {
      this.starting = undefined
    }
  }

  /** The request is over: its connection may be closed when others need the room. */
  end({ socket, ...exchange }: Exchange): void {
    if (!socket || this.users.get(socket)?.body !== exchange.body) return
    this.users.delete(socket)
    if (this.open.has(socket)) this.idle.add(socket)
  }

  readonly connect: buildConnector.connector = (options, callback) => {
    const refused = this.guard.checkLiteral(options.hostname)
    // Not at once: undici is still in the middle of making the client that asks.
    if (refused) return queueMicrotask(() => callback(refused, null))
    this.closeIdle()
    const socket = this.make(options, callback)
    this.open.add(socket)
    socket.once('close', () => this.forget(socket))
    if (this.starting) this.starting.connecting = socket
  }

  close(): void {
    channel(SEND_HEADERS).unsubscribe(this.onSendHeaders)
    for (const socket of this.open) socket.destroy()
  }

  private closeIdle(): void {
    for (const socket of this.idle) {
      if (this.open.size < this.limit) return
      // undici takes it as any idle connection that ended; a request just about to use it connects anew.
      socket.destroy()
      this.forget(socket)
    }
  }

  private forget(socket: Socket): void {
    this.open.delete(socket)
    this.idle.delete(socket)
    this.users.delete(socket)
  }

  private readonly onSendHeaders = (message: unknown): void => {
    const { request, socket } = message as DiagnosticsChannel.ClientSendHeadersMessage
    const { body } = request as { body?: unknown }
    const exchange = typeof body === 'object' && body !== null ? this.byBody.get(body) : undefined
    if (!exchange) return
    this.idle.delete(socket)
    this.users.set(socket, exchange)
    exchange.connecting = undefined
    exchange.socket = socket
    exchange.readBefore = socket.bytesRead
    exchange.remoteAddress = socket.remoteAddress
  }
}
