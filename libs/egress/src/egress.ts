import type { IncomingHttpHeaders } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Agent, Dispatcher } from 'undici'
import type { SendResult, TlsVersion } from '@posthorn/webhook'
import { AddressGuard, type AddressPolicy, type Resolve } from './address-guard.js'
import { AnswerHandler, textOf } from './answer.js'
import { Doors } from './doors.js'
import { describe, networkCause } from './network-cause.js'
import { phasesOf, type Phases } from './phases.js'
import { EgressProxy, ProxyFailed, type ProxyOptions } from './proxy.js'
import { PortRanges, PortRefused } from './ranges.js'
import { Sockets, type Exchange } from './sockets.js'
import { SendTimeout, type StepLimits } from './time-outs.js'
import type { RequestTls } from './trust.js'

export interface EgressOptions extends AddressPolicy {
  /** Ports and ranges of ports that requests may go to. */
  readonly ports: readonly string[]
  readonly minTlsVersion: TlsVersion
  /** PEM of CAs to trust beside the public ones. */
  readonly ca?: string
  /** Connections kept in all; the caller has no more requests under way than this. */
  readonly sockets: number
  readonly userAgent: string
  /** Of an answer's body; the rest is not read, and the connection is closed. */
  readonly keptBytes: number
  /** Largest headers of an answer; beyond it the cause is protocol. */
  readonly headerBytes: number
  readonly steps: StepLimits
  /** All requests go through it; absent: straight to the receivers. */
  readonly proxy?: ProxyOptions
  /** DNS; unless given, that of the machine. */
  readonly resolve?: Resolve
}

/** What services are set to, as all their doors out have it. */
interface EgressSettings {
  readonly egressAllow: readonly string[]
  readonly egressDeny: readonly string[]
  readonly egressPorts: readonly string[]
  readonly egressMinTlsVersion: TlsVersion
  readonly egressCa?: string | undefined
  readonly egressResponseBytes: number
  readonly egressHeaderBytes: number
  readonly egressDnsTimeoutMs: number
  readonly egressConnectTimeoutMs: number
  readonly egressTlsTimeoutMs: number
  readonly egressFirstByteTimeoutMs: number
  readonly egressProxyUrl?: string | undefined
  readonly egressProxyExcept: readonly string[]
}

export function egressOptionsFrom(settings: EgressSettings): Omit<EgressOptions, 'sockets' | 'userAgent'> {
  return {
    allow: settings.egressAllow,
    deny: settings.egressDeny,
    ports: settings.egressPorts,
    minTlsVersion: settings.egressMinTlsVersion,
    ...(settings.egressCa === undefined ? {} : { ca: settings.egressCa }),
    keptBytes: settings.egressResponseBytes,
    headerBytes: settings.egressHeaderBytes,
    steps: {
      dns: settings.egressDnsTimeoutMs,
      connect: settings.egressConnectTimeoutMs,
      tls: settings.egressTlsTimeoutMs,
      firstByte: settings.egressFirstByteTimeoutMs,
    },
    ...(settings.egressProxyUrl === undefined
      ? {}
      : { proxy: { url: settings.egressProxyUrl, except: settings.egressProxyExcept } }),
  }
}

export interface EgressRequest {
  /** http or https. */
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** For the whole request: DNS, connecting, sending, the last byte of the answer. */
  readonly timeoutMs: number
  /** CIDRs that it may be sent to, of those that the deployment permits; absent: all of them. */
  readonly allowedCidrs?: readonly string[]
  /** CIDRs that it may not be sent to. */
  readonly deniedCidrs?: readonly string[]
  /** Unless that of the deployment is higher. */
  readonly minTlsVersion?: TlsVersion
  readonly tls?: RequestTls
  /** Headers of the answer that are told, in lower case; absent: none. */
  readonly tellHeaders?: readonly string[]
  /** Gives the request up: send() then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export type EgressResult = SendResult & {
  readonly durationMs: number
  readonly remoteAddress?: string
  /** As negotiated, such as TLSv1.3. */
  readonly tlsVersion?: string
  /** When the certificate of the receiver ends, ms since the epoch. */
  readonly certificateExpiresAt?: number
  readonly phases?: Phases
  /** The beginning of the answer as text. */
  readonly responseBody?: string
  /** Those that the request asked for, and that came. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The only door out. Answers never redirect it, its requests carry no trace or cookie, and nothing is decompressed. */
export class Egress {
  /** Throws on a range of addresses or ports that cannot be read. */
  static from(options: EgressOptions): Egress {
    return new Egress(options)
  }

  private readonly ports: PortRanges
  private readonly proxy: EgressProxy | undefined
  private readonly sockets: Sockets
  private readonly doors: Doors

  private constructor(private readonly options: EgressOptions) {
    this.ports = new PortRanges(options.ports)
    this.proxy = options.proxy && new EgressProxy(options.proxy)
    this.sockets = new Sockets(options.sockets, options.steps, this.proxy)
    this.doors = new Doors(new AddressGuard(options, options.resolve), this.sockets, options)
  }

  /**
   * Sends one request. Whatever the network or the receiver does is a value; throws only for a
   * URL or header that no request can be made of, with ProxyFailed, and with the reason of an aborted signal.
   */
  async send(request: EgressRequest): Promise<EgressResult> {
    const started = performance.now()
    const url = new URL(request.url)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError(`cannot send to ${url.protocol}`)
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    if (!this.ports.has(port))
      return { kind: 'failed', cause: 'port_refused', detail: new PortRefused(port).message, durationMs: 0 }
    const door = this.doors.doorFor(request)
    // Once: a kept connection that closes before an answer may have brought the request all the same.
    const { exchange, began, ...result } = await this.attempt(door, url, request, started + request.timeoutMs)
    const ended = performance.now()
    return { ...result, durationMs: ended - started, ...wireOf(exchange, began, ended) }
  }

  /** Closes every connection; requests under way fail as reset. */
  async close(): Promise<void> {
    this.sockets.close()
    await this.doors.close()
  }

  private async attempt(door: Agent, url: URL, request: EgressRequest, deadline: number): Promise<Attempted> {
    request.signal?.throwIfAborted()
    // A view of its own, so that two requests with one body are told apart.
    const body = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength)
    const handler = new AnswerHandler(this.options.keptBytes)
    const { firstByte } = this.options.steps
    let answering: NodeJS.Timeout | undefined
    const onSent = () => {
      if (firstByte < request.timeoutMs)
        answering = setTimeout(() => handler.hasBegun || end(new SendTimeout('firstByte', firstByte)), firstByte)
    }
    const exchange: Exchange = { body, onSent }
    const end = (reason: Error) => {
      handler.stop(reason)
      // undici hears of it only once the request is written; a connection in the making must be ended here.
      exchange.connecting?.destroy(reason)
    }
    const whole = () => end(new SendTimeout(exchange.times?.step ?? 'whole', request.timeoutMs))
    const timer = setTimeout(whole, deadline - performance.now())
    const abort = () => end(request.signal!.reason as Error)
    request.signal?.addEventListener('abort', abort, { once: true })
    try {
      this.sockets.begin(exchange, () => this.ask(door, url, request, body, handler))
      const answer = await handler.answer
      const captured = textOf(answer.body, one(answer.headers['content-encoding']))
      // undici takes a connection back one turn after the answer's end: who sends again sooner opens another.
      await nextTurn()
      const retryAfter = one(answer.headers['retry-after'])
      return {
        kind: 'response',
        status: answer.status,
        ...(retryAfter === undefined ? {} : { retryAfter }),
        ...(captured === undefined ? {} : { responseBody: captured }),
        ...(request.tellHeaders ? { headers: told(answer.headers, request.tellHeaders) } : {}),
        exchange,
        began: answer.began,
      }
    } catch (thrown) {
      request.signal?.throwIfAborted()
      if (thrown instanceof SendTimeout) await this.blameProxy(exchange)
      return failed(thrown as Error, exchange, url)
    } finally {
      clearTimeout(timer)
      clearTimeout(answering)
      request.signal?.removeEventListener('abort', abort)
      this.sockets.end(exchange)
    }
  }

  /** Throws when it is the proxy that hangs, not the receiver behind it. */
  private async blameProxy({ tunnel, times }: Exchange): Promise<void> {
    if (!this.proxy || !tunnel || times?.step !== 'connect') return
    if (tunnel.stage === 'reaching') throw new ProxyFailed('unreachable', 'cannot be reached in time')
    if (!(await this.proxy.answers())) throw new ProxyFailed('silent', 'takes connections and answers nothing')
  }

  private ask(door: Agent, url: URL, request: EgressRequest, body: Buffer, handler: AnswerHandler): void {
    door.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method as Dispatcher.HttpMethod,
        headers: { 'user-agent': this.options.userAgent, ...request.headers },
        body,
      },
      handler,
    )
  }
}

type Attempted = SendResult & {
  readonly responseBody?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly exchange: Exchange
  readonly began?: number
}

/** Own mistakes are thrown on; the rest is the customer's, as a value. */
function failed(error: Error, exchange: Exchange, url: URL): Attempted {
  if ((error as NodeJS.ErrnoException).code === 'UND_ERR_INVALID_ARG' || error instanceof ProxyFailed) throw error
  const cause = networkCause(error, exchange.socket ? 'sent' : 'connecting', url.protocol === 'https:')
  return { kind: 'failed', cause, detail: describe(error), exchange }
}

function wireOf(exchange: Exchange, began: number | undefined, ended: number) {
  const { remoteAddress, tlsVersion, certificateExpiresAt } = exchange
  const phases = phasesOf(exchange, began, ended)
  return {
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(tlsVersion === undefined ? {} : { tlsVersion }),
    ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt }),
    ...(phases === undefined ? {} : { phases }),
  }
}

/** Of a header that came twice all values, as one list. */
function told(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap(name => (headers[name] === undefined ? [] : [[name, [headers[name]].flat().join(', ')]])),
  )
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
