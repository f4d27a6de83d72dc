import type { IncomingHttpHeaders } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Dispatcher } from 'undici'

/** So much is read, kept or not, before the connection is closed: with small answers it is used again. */
const LEAST_READ_BYTES = 16 * 1024

/** What a receiver answered: the body to its end, or as much of it as is kept. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** When its head had come, by performance.now(). */
  readonly began: number
}

/**
 * Takes one answer from undici without the stream that `request()` puts around it, which cost as
 * much as the request itself. What is beyond the limit is not read: the connection is closed instead.
 */
export class AnswerHandler implements Dispatcher.DispatchHandler {
  /** Rejects when the connection fails before the end, or with what stop() was given. */
  readonly answer: Promise<Answer>
  private resolve!: (answer: Answer) => void
  private reject!: (error: Error) => void
  private controller: Dispatcher.DispatchController | undefined
  private stopped: Error | undefined
  private status = 0
  private headers: IncomingHttpHeaders = {}
  private began = 0
  private readonly chunks: Buffer[] = []
  private size = 0

  /** Of the body, the first `keptBytes` are kept. */
  constructor(private readonly keptBytes: number) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** Gives the request up, also while undici still waits for a connection. */
  stop(reason: Error): void {
    this.stopped = reason
    this.reject(reason)
    this.controller?.abort(reason)
  }

  /** Whether the head of the answer has come. */
  get hasBegun(): boolean {
    return this.began > 0
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.stopped) controller.abort(this.stopped)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.status = status
    this.headers = headers
    this.began = performance.now()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.size <= Math.max(this.keptBytes, LEAST_READ_BYTES)) return
    this.finish()
    controller.abort(new Error('the rest of the answer is not read'))
  }

  onResponseEnd(): void {
    this.finish()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.reject(error)
  }

  private finish(): void {
    const { status, headers, chunks, began } = this
    this.resolve({ status, headers, began, body: Buffer.concat(chunks).subarray(0, this.keptBytes) })
  }
}

/** The body as text that any store takes (no NUL); undefined when it is empty or compressed (nothing asked for that). */
export function textOf(body: Buffer, encoding: string | undefined): string | undefined {
  if (body.length === 0 || (encoding !== undefined && encoding !== 'identity')) return undefined
  return body.toString('utf8').replaceAll('\u0000', '\ufffd')
}
