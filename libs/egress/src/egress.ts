import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Agent, type Dispatcher } from 'undici'
import type { SendResult } from '@posthorn/webhook'
import { AddressGuard } from './address-guard.js'
import { AnswerHandler, textOf } from './answer.js'
import { describe, networkCause, SendTimeout } from './network-cause.js'
import { Sockets, type Exchange } from './sockets.js'

export interface EgressOptions {
  /** CIDRs of addresses that are refused otherwise. */
  readonly allow: readonly string[]
  /** Connections kept in all; the caller has no more requests under way than this. */
  readonly sockets: number
  readonly userAgent: string
}

export interface EgressRequest {
  /** http or https. */
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** For the whole request: DNS, connecting, sending, the last byte of the answer. */
  readonly timeoutMs: number
  /** Gives the request up: send() then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export type EgressResult = SendResult & {
  readonly durationMs: number
  readonly remoteAddress?: string
  /** The first 16 KiB of the answer as text. */
  readonly responseBody?: string
}

/** undici counts the bytes of names and values only, so that this is near what it says. */
const MAX_HEADER_BYTES = 16 * 1024
/** Receivers behind load balancers close idle connections after some seconds: be first where we can. */
const KEEP_ALIVE_MS = 4_000
const KEEP_ALIVE_MAX_MS = 60_000

/** The only door out. Answers never redirect it, its requests carry no trace or cookie, and nothing is decompressed. */
export class Egress {
  static from(options: EgressOptions): Egress {
    return new Egress(options)
  }

  private readonly sockets: Sockets
  private readonly agent: Agent

  private constructor(private readonly options: EgressOptions) {
    this.sockets = new Sockets(new AddressGuard(options.allow), options.sockets)
    this.agent = new Agent({
      connect: this.sockets.connect,
      allowH2: false,
      pipelining: 1,
      // One pool per origin, without a bound of its own: a queue inside undici would eat the request's time.
      connections: null,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      // The whole request has one timer, here.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /**
   * Sends one request. Whatever the network or the receiver does is a value; throws only for a
   * URL or header that no request can be made of, and with the reason of an aborted signal.
   */
  async send(request: EgressRequest): Promise<EgressResult> {
    const started = performance.now()
    const url = new URL(request.url)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError(`cannot send to ${url.protocol}`)
    const deadline = started + request.timeoutMs
    let attempt = await this.attempt(url, request, deadline)
    if (attempt.kind === 'stale') attempt = await this.attempt(url, request, deadline)
    const { exchange, ...result } = attempt
    const about = { durationMs: performance.now() - started, ...withAddress(exchange) }
    if (result.kind === 'stale') return { kind: 'failed', cause: 'reset', detail: result.detail, ...about }
    return { ...result, ...about }
  }

  /** Closes every connection; requests under way fail as reset. */
  async close(): Promise<void> {
    this.sockets.close()
    await this.agent.destroy()
  }

  private async attempt(url: URL, request: EgressRequest, deadline: number): Promise<Attempted> {
    request.signal?.throwIfAborted()
    // A view of its own, so that two requests with one body are told apart.
    const body = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength)
    const exchange: Exchange = { body, readBefore: 0 }
    const handler = new AnswerHandler()
    const end = (reason: Error) => {
      handler.stop(reason)
      // undici hears of it only once the request is written; a connection in the making must be ended here.
      exchange.connecting?.destroy(reason)
    }
    const timer = setTimeout(() => end(new SendTimeout(request.timeoutMs)), deadline - performance.now())
    const abort = () => end(request.signal!.reason as Error)
    request.signal?.addEventListener('abort', abort, { once: true })
    try {
      this.sockets.begin(exchange, () => this.ask(url, request, body, handler))
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
        exchange,
      }
    } catch (thrown) {
      request.signal?.throwIfAborted()
      return failed(thrown as Error, exchange, url)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', abort)
      this.sockets.end(exchange)
    }
  }

  private ask(url: URL, request: EgressRequest, body: Buffer, handler: AnswerHandler): void {
    this.agent.dispatch(
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

type Attempted = (
  | (SendResult & { readonly responseBody?: string })
  /** A reused connection had been closed by the peer: nothing of an answer came, so it may be sent again at once. */
  | { readonly kind: 'stale'; readonly detail: string }
) & { readonly exchange: Exchange }

/** Own mistakes are thrown on; the rest is the customer's, as a value. */
function failed(error: Error, exchange: Exchange, url: URL): Attempted {
  if ((error as NodeJS.ErrnoException).code === 'UND_ERR_INVALID_ARG') throw error
  const { socket, readBefore } = exchange
  const cause = networkCause(error, socket ? 'sent' : 'connecting', url.protocol === 'https:')
  const detail = describe(error)
  // undici checks an idle connection for one turn of the loop before it reuses it, and never
  // repeats a POST: a FIN that arrives just after that check is the race that is left.
  if (cause === 'reset' && socket && readBefore > 0 && socket.bytesRead === readBefore)
    return { kind: 'stale', detail, exchange }
  return { kind: 'failed', cause, detail, exchange }
}

function withAddress({ remoteAddress }: Exchange): { remoteAddress?: string } {
  return remoteAddress === undefined ? {} : { remoteAddress }
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
