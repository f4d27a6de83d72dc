import { channel } from 'node:diagnostics_channel'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { SecureContext, TLSSocket } from 'node:tls'
import { buildConnector, type DiagnosticsChannel } from 'undici'
import type { AddressRefused } from './address-guard.js'
import { SendTimeout, type Step, type StepLimits } from './time-outs.js'

/** When the steps of making a connection were done, by performance.now(). */
export interface ConnectionTimes {
  readonly started: number
  /** What is under way. */
  step: Step
  resolved?: number
  connected?: number
  secured?: number
}

/** What is known of one request's connection while it is on its way. */
export interface Exchange {
  /** The very object given to undici as body: the mark by which a request is recognised on its socket. */
  readonly body: Buffer
  /** A connection made for this request alone, until it is used. */
  connecting?: Socket
  /** The connection that the request was written to. */
  socket?: Socket
  remoteAddress?: string
  /** Such as TLSv1.3. */
  tlsVersion?: string
  /** Of a connection that was made for this request. */
  times?: ConnectionTimes
  /** When the request was written, by performance.now(). */
  sent?: number
  readonly onSent: () => void
}

/** What connections of one kind have in common. */
export interface ConnectionPolicy {
  readonly lookup: LookupFunction
  readonly checkLiteral: (hostname: string) => AddressRefused | undefined
  /** Says which certificates and TLS versions will do. */
  readonly secureContext: SecureContext
}

// undici tells neither which connection a request uses nor lets idle ones be closed: its
// diagnostics channel does the first, and knowing the sockets does the second.
const SEND_HEADERS = 'undici:client:sendHeaders'

/** The connections of one Egress: made through the guard, counted, the longest idle closed when there are too many. */
export class Sockets {
  /** With the times of its making, until a request has used it. */
  private readonly open = new Map<Socket, ConnectionTimes | undefined>()
  /** In the order in which they became idle. */
  private readonly idle = new Set<Socket>()
  private readonly users = new Map<Socket, Exchange>()
  private readonly byBody = new WeakMap<object, Exchange>()
  /** By the connection made for it: undici forgets a body without bytes. */
  private readonly bySocket = new WeakMap<Socket, Exchange>()
  private starting: Exchange | undefined

  constructor(
    private readonly limit: number,
    private readonly steps: StepLimits,
  ) {
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

  /** Makes connections of one kind, for undici. */
  connector({ lookup, secureContext, checkLiteral }: ConnectionPolicy): buildConnector.connector {
    // The types hide that the socket is returned at once, while it still connects. That certificates are
    // checked is said here because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off otherwise.
    const make = buildConnector({
      lookup,
      secureContext,
      rejectUnauthorized: true,
      // Each step has its own.
      timeout: 0,
      allowH2: false,
    }) as unknown as (options: buildConnector.Options, callback: buildConnector.Callback) => Socket
    return (options, callback) => {
      const refused = checkLiteral(options.hostname)
      // Not at once: undici is still in the middle of making the client that asks.
      if (refused) return queueMicrotask(() => callback(refused, null))
      this.closeIdle()
      this.keep(make(options, callback), options)
    }
  }

  close(): void {
    channel(SEND_HEADERS).unsubscribe(this.onSendHeaders)
    for (const socket of this.open.keys()) socket.destroy()
  }

  private keep(socket: Socket, options: buildConnector.Options): void {
    const times = this.timed(socket, options)
    this.open.set(socket, times)
    socket.once('close', () => this.forget(socket))
    if (!this.starting) return
    this.starting.connecting = socket
    this.bySocket.set(socket, this.starting)
    this.starting.times = times
  }

  /** Tells when the steps of connecting were done, and ends the one that takes too long. */
  private timed(socket: Socket, { hostname, protocol }: buildConnector.Options): ConnectionTimes {
    const times: ConnectionTimes = { started: performance.now(), step: 'dns' }
    let timer: NodeJS.Timeout | undefined
    const begin = (step: Step) => {
      clearTimeout(timer)
      times.step = step
      if (step === 'whole') return
      const ms = this.steps[step]
      timer = setTimeout(() => socket.destroy(new SendTimeout(step, ms)), ms)
    }
    // No lookup is made for an address.
    begin(isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? 'dns' : 'connect')
    socket.once('lookup', () => {
      times.resolved = performance.now()
      begin('connect')
    })
    socket.once('connect', () => {
      times.connected = performance.now()
      begin(protocol === 'https:' ? 'tls' : 'whole')
    })
    socket.once('secureConnect', () => {
      times.secured = performance.now()
      begin('whole')
    })
    socket.once('close', () => clearTimeout(timer))
    return times
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
    const exchange = typeof body === 'object' && body !== null ? this.byBody.get(body) : this.bySocket.get(socket)
    this.bySocket.delete(socket)
    if (!exchange) return
    this.idle.delete(socket)
    this.users.set(socket, exchange)
    exchange.connecting = undefined
    exchange.socket = socket
    exchange.remoteAddress = socket.remoteAddress
    exchange.tlsVersion = (socket as Partial<TLSSocket>).getProtocol?.() ?? undefined
    exchange.times = this.open.get(socket)
    if (this.open.has(socket)) this.open.set(socket, undefined)
    exchange.sent = performance.now()
    exchange.onSent()
  }
}
