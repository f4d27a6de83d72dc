import { request as httpRequest, STATUS_CODES, type ClientRequest } from 'node:http'
import type { LookupAddress } from 'node:dns'
import { isIPv6, type Socket } from 'node:net'
import type { NetworkCause } from '@posthorn/webhook'
import { AddressRanges } from './ranges.js'

/** What is wrong with the proxy: it is away, says no, wants a password, hangs up, or answers nothing or no HTTP. */
export type ProxyFault = 'unreachable' | 'refused' | 'authentication' | 'closed' | 'silent' | 'protocol'

/** The proxy of the deployment did not do its part: no fault of the receiver, nothing was sent to it. */
export class ProxyFailed extends Error {
  readonly code = 'POSTHORN_PROXY_FAILED'

  constructor(
    readonly fault: ProxyFault,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`the egress proxy ${what}`, options)
    this.name = 'ProxyFailed'
  }
}

/** The proxy works, and says that it cannot connect to the receiver. */
export class ReceiverUnreachable extends Error {
  readonly code = 'POSTHORN_RECEIVER_UNREACHABLE'
  readonly reason: NetworkCause

  constructor(target: string, status: number) {
    super(`the egress proxy could not connect to ${target}: ${status} ${STATUS_CODES[status] ?? ''}`.trim())
    this.name = 'ReceiverUnreachable'
    this.reason = status === 504 ? 'connect_timeout' : 'connect'
  }
}

export interface ProxyOptions {
  /** http://host:port, with user and password where it asks for them. */
  readonly url: string
  /** CIDRs of addresses that are connected to without it. */
  readonly except: readonly string[]
}

/** Longer than any proxy at work needs to refuse a request of no sense. */
const SIGN_OF_LIFE_MS = 2_000

/** The HTTP proxy that a deployment's requests go through. */
export class EgressProxy {
  private readonly host: string
  private readonly port: number
  private readonly authorization: Readonly<Record<string, string>>
  private readonly except: AddressRanges
  private asked: Promise<boolean> | undefined

  /** Throws on a URL or a range that cannot be read. */
  constructor({ url, except }: ProxyOptions) {
    const { hostname, port, username, password } = new URL(url)
    this.host = hostname.replace(/^\[|\]$/g, '')
    this.port = Number(port || 80)
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    this.authorization =
      username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }
    this.except = new AddressRanges(except)
  }

  /** Those that are connected to without the proxy. */
  direct(addresses: readonly LookupAddress[]): LookupAddress[] {
    return addresses.filter(({ address }) => this.except.has(address))
  }

  /** Asks it to connect to an address; `path` as CONNECT has it. */
  ask(method: 'CONNECT' | 'OPTIONS', path: string): ClientRequest {
    const { host, port } = this
    const headers = { host: method === 'CONNECT' ? path : `${host}:${port}`, ...this.authorization }
    return httpRequest({ host, port, method, path, headers, agent: false, setHost: false })
  }

  /** Whether it answers anything at all: one that waits for a receiver does so meanwhile. Those who ask at once share it. */
  answers(): Promise<boolean> {
    this.asked ??= this.giveSignOfLife().finally(() => (this.asked = undefined))
    return this.asked
  }

  private giveSignOfLife(): Promise<boolean> {
    return new Promise(resolve => {
      const request = this.ask('OPTIONS', '*')
      const timer = setTimeout(() => request.destroy(), SIGN_OF_LIFE_MS)
      const end = (alive: boolean) => {
        clearTimeout(timer)
        resolve(alive)
        request.destroy()
      }
      request.once('response', () => end(true))
      request.once('upgrade', () => end(true))
      request.on('error', () => end(false))
      request.once('close', () => end(false))
      request.end()
    })
  }
}

export interface Tunnelled {
  readonly socket: Socket
  /** Where it ends. */
  readonly address: string
}

/** One connection through the proxy in the making. */
export class Tunnel {
  /** Whether the proxy itself was reached: who hangs then may be the receiver, too. */
  stage: 'reaching' | 'asking' = 'reaching'
  private request: ClientRequest | undefined
  private reason: Error | undefined
  private readonly givenUp: Promise<never>
  private giveUp!: (reason: Error) => void

  constructor(private readonly proxy: EgressProxy) {
    this.givenUp = new Promise((_, reject) => (this.giveUp = reject))
    this.givenUp.catch(() => undefined)
  }

  /** Gives it up: what is awaited by unlessGivenUp() rejects with the reason. */
  destroy(reason = new Error('the connections are closed')): void {
    this.reason ??= reason
    this.giveUp(this.reason)
    this.request?.destroy(reason)
  }

  unlessGivenUp<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.givenUp])
  }

  /** Tries the addresses one after another, as long as the proxy says that it cannot connect to them. */
  async open(addresses: readonly LookupAddress[], port: number): Promise<Tunnelled> {
    let unreachable: ReceiverUnreachable | undefined
    for (const { address } of addresses) {
      if (this.reason) throw this.reason
      try {
        return { socket: await this.connect(isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`), address }
      } catch (error) {
        if (!(error instanceof ReceiverUnreachable)) throw error
        unreachable = error
      }
    }
    throw unreachable!
  }

  private connect(target: string): Promise<Socket> {
    this.stage = 'reaching'
    return new Promise((resolve, reject) => {
      const request = (this.request = this.proxy.ask('CONNECT', target))
      request.once('socket', socket => socket.once('connect', () => (this.stage = 'asking')))
      request.once('connect', ({ statusCode = 0 }, socket, early: Buffer) => {
        // Whoever takes it over listens later.
        socket.on('error', () => undefined)
        const failure = early.length > 0 ? tooEarly() : failureOf(statusCode, target)
        if (failure === undefined) return resolve(socket)
        socket.destroy()
        reject(failure)
      })
      request.on('error', error => reject(this.reason ?? this.failed(error)))
      request.end()
    })
  }

  private failed(error: NodeJS.ErrnoException): Error {
    const { code = error.message } = error
    if (code.startsWith('HPE_')) return new ProxyFailed('protocol', `answered no HTTP (${code})`, { cause: error })
    if (this.stage === 'reaching')
      return new ProxyFailed('unreachable', `cannot be reached (${code})`, { cause: error })
    return new ProxyFailed('closed', `closed the connection without an answer (${code})`, { cause: error })
  }
}

function failureOf(status: number, target: string): Error | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status >= 500) return new ReceiverUnreachable(target, status)
  const said = `${status} ${STATUS_CODES[status] ?? ''}`.trim()
  if (status === 407) return new ProxyFailed('authentication', `takes no such user and password (${said})`)
  return new ProxyFailed('refused', `refuses to connect to ${target} (${said})`)
}

function tooEarly(): ProxyFailed {
  return new ProxyFailed('protocol', 'sent bytes before anything was asked of the receiver')
}
