import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from './until.js'

export interface ReceivedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Bytes exactly as sent. */
  readonly body: Buffer
  /** Milliseconds since the epoch when the body had arrived. */
  readonly receivedAt: number
}

export interface ReceiverAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** `index` counts the requests from 0. A promise that never resolves is a receiver that hangs. */
export type ReceiverHandler = (request: ReceivedRequest, index: number) => ReceiverAnswer | Promise<ReceiverAnswer>

export interface Receiver {
  /** Without a trailing slash. */
  readonly url: string
  /** In the order of their arrival. */
  readonly requests: readonly ReceivedRequest[]
  /** Resolves with all requests when there are that many, or when the predicate holds; rejects after timeoutMs. */
  waitFor(
    wanted: number | ((requests: readonly ReceivedRequest[]) => boolean),
    timeoutMs: number,
  ): Promise<readonly ReceivedRequest[]>
  /** Breaks off what is still open. */
  close(): Promise<void>
}

/** An HTTP receiver on a free port of 127.0.0.1 that records what it gets and answers 200 unless told otherwise. */
export async function startReceiver(handler: ReceiverHandler = () => ({ status: 200 })): Promise<Receiver> {
  const requests: ReceivedRequest[] = []
  const server = createServer((request, response) => {
    receive(request, requests, handler).then(
      answer => reply(response, answer),
      // The sender broke off, or the handler threw: either way the sender sees a broken connection.
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async waitFor(wanted, timeoutMs) {
      const holds = () => (typeof wanted === 'number' ? requests.length >= wanted : wanted(requests))
      await until(holds, timeoutMs, () => `the receiver has ${requests.length} requests`)
      return requests
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function receive(request: IncomingMessage, requests: ReceivedRequest[], handler: ReceiverHandler) {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const received: ReceivedRequest = {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(chunks),
    receivedAt: Date.now(),
  }
  return handler(received, requests.push(received) - 1)
}

function reply(response: ServerResponse, answer: ReceiverAnswer): void {
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}
