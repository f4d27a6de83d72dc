import { channel } from 'node:diagnostics_channel'
import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { SecureContext, TLSSocket } from 'node:tls'
import { buildConnector, type DiagnosticsChannel } from 'undici'
import type { AddressRefused } from './address-guard.js'
import { Tunnel, type EgressProxy } from './proxy.js'
import { StepClock, type ConnectionTimes, type InTheMaking } from './step-clock.js'
import type { StepLimits } from './time-outs.js'

/** What is known of one request's connection while it is on its way. */
export interface Exchange {
  /** The very object given to undici as body: the mark by which a request is recognised on its socket. */
  readonly body: Buffer
  /** A connection made for this request alone, until it is used. */
  connecting?: InTheMaking
  /** Of a connection through the proxy, until it is open. */
  tunnel?: Tunnel
  /** The connection that the request was written to. */
  socket?: Socket
  remoteAddress?: string
  /** Such as TLSv1.3. */
  tlsVersion?: string
  /** When the receiver's certificate ends, ms since the epoch. */
  certificateExpiresAt?: number
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
  private readonly open = new Map<Socket | Tunnel, ConnectionTimes | undefined>()
  /** Where those end that were made through the proxy. */
  private readonly ends = new WeakMap<Socket, string>()
  /** In the order in which they became idle. */
  private readonly idle = new Set<Socket>()
  private readonly users = new Map<Socket, Exchange>()
  /** When the receiver's certificate ends: reading it costs too much to be done for each request. */
  private readonly certificateEnds = new WeakMap<Socket, number | undefined>()
  private readonly byBody = new WeakMap<object, Exchange>()
  /** By the connection made for it: undici forgets a body without bytes. */
  private readonly bySocket = new WeakMap<Socket, Exchange>()
  private starting: Exchange | undefined

  constructor(
    private readonly limit: number,
    private readonly steps: StepLimits,
    private readonly proxy?: EgressProxy,
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
    const make = maker(secureContext, lookup)
    const { proxy } = this
    const through = proxy && this.throughProxy(proxy, make, lookup, maker(secureContext, directLookup(proxy, lookup)))
    return (options, callback) => {
      const refused = checkLiteral(options.hostname)
      // Not at once: undici is still in the middle of making the client that asks.
      if (refused) return queueMicrotask(() => callback(refused, null))
      this.closeIdle()
      const exchange = this.starting
      if (through) void through(options, callback, exchange)
      else this.keep(make(options, callback), options, exchange)
    }
  }

  close(): void {
    channel(SEND_HEADERS).unsubscribe(this.onSendHeaders)
    for (const socket of this.open.keys()) socket.destroy()
  }

  private keep(socket: Socket, options: buildConnector.Options, exchange: Exchange | undefined): void {
    // No lookup is made for an address.
    const clock = new StepClock(this.steps, socket, isIP(bare(options.hostname)) === 0 ? 'dns' : 'connect')
    socket.once('lookup', () => clock.resolved())
    socket.once('connect', () => clock.connected(options.protocol === 'https:'))
    this.own(socket, clock, exchange)
  }

  private own(socket: Socket, clock: StepClock, exchange: Exchange | undefined): void {
    clock.target = socket
    socket.once('secureConnect', () => clock.secured())
    socket.once('close', () => {
      clock.stop()
      this.forget(socket)
    })
    this.open.set(socket, clock.times)
    if (!exchange) return
    exchange.connecting = socket
    this.bySocket.set(socket, exchange)
    exchange.times = clock.times
  }

  private throughProxy(proxy: EgressProxy, make: Maker, lookup: LookupFunction, makeDirect: Maker): ThroughProxy {
    return async (options, callback, exchange) => {
      const tunnel = new Tunnel(proxy)
      const clock = new StepClock(this.steps, tunnel, 'dns')
      this.open.set(tunnel, undefined)
      if (exchange) Object.assign(exchange, { connecting: tunnel, times: clock.times, tunnel })
      try {
        const addresses = await tunnel.unlessGivenUp(addressesOf(bare(options.hostname), lookup))
        if (proxy.direct(addresses).length > 0) {
          clock.stop()
          if (exchange) exchange.tunnel = undefined
          return this.keep(makeDirect(options, callback), options, exchange)
        }
        clock.resolved()
        const { socket: raw, address } = await tunnel.open(addresses, portOf(options))
        clock.connected(options.protocol === 'https:')
        if (exchange) exchange.tunnel = undefined
        const socket = this.onto(raw, options, make, callback)
        this.ends.set(socket, address)
        this.own(socket, clock, exchange)
        if (socket === raw) callback(null, raw)
      } catch (error) {
        clock.stop()
        callback(error as Error, null)
      } finally {
        this.open.delete(tunnel)
      }
    }
  }

  /** The connection as undici takes it: with TLS to the receiver where the URL is https. */
  private onto(raw: Socket, options: buildConnector.Options, make: Maker, callback: buildConnector.Callback): Socket {
    if (options.protocol !== 'https:') return raw.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
    const socket = make({ ...options, httpSocket: raw }, callback)
    socket.once('close', () => raw.destroy())
    return socket
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

  private certificateEnd(socket: Partial<TLSSocket> & Socket): number | undefined {
    if (!this.certificateEnds.has(socket)) {
      const end = socket.getPeerX509Certificate?.()?.validToDate.getTime()
      this.certificateEnds.set(socket, Number.isFinite(end) ? end : undefined)
    }
    return this.certificateEnds.get(socket)
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
    exchange.remoteAddress = this.ends.get(socket) ?? socket.remoteAddress
    exchange.tlsVersion = (socket as Partial<TLSSocket>).getProtocol?.() ?? undefined
    exchange.certificateExpiresAt = this.certificateEnd(socket as Partial<TLSSocket> & Socket)
    exchange.times = this.open.get(socket)
    if (this.open.has(socket)) this.open.set(socket, undefined)
    exchange.sent = performance.now()
    exchange.onSent()
  }
}

type Maker = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket
type ThroughProxy = (
  options: buildConnector.Options,
  callback: buildConnector.Callback,
  exchange: Exchange | undefined,
) => Promise<void>

/** As undici has it for its own. */
const KEEP_ALIVE_DELAY_MS = 60_000

// The types hide that the socket is returned at once, while it still connects. That certificates are
// checked is said here because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off otherwise.
function maker(secureContext: SecureContext, lookup: LookupFunction): Maker {
  return buildConnector({
    lookup,
    secureContext,
    rejectUnauthorized: true,
    // Each step has its own.
    timeout: 0,
    allowH2: false,
  }) as unknown as Maker
}

/** Judged as they are found; an address stands for itself, and was judged before. */
function addressesOf(host: string, lookup: LookupFunction): Promise<LookupAddress[]> {
  const family = isIP(host)
  if (family !== 0) return Promise.resolve([{ address: host, family }])
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses as LookupAddress[])))
  })
}

/** Of a name's addresses those alone that are connected to without the proxy: looked up again it may have others. */
function directLookup(proxy: EgressProxy, lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const direct = error ? [] : proxy.direct(addresses as LookupAddress[])
      if (error || direct.length > 0)
        return options.all ? callback(error, direct) : callback(error, direct[0]?.address ?? '', direct[0]?.family)
      callback(new Error(`${hostname} has other addresses now`), [])
    })
}

function portOf({ port, protocol }: buildConnector.Options): number {
  return Number(port || (protocol === 'https:' ? 443 : 80))
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}
