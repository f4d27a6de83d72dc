import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkSecrets } from '@posthorn/verify'
import { MODES_TEXT, readMode } from './modes.js'
import type { Notify } from './notify.js'
import { answer, receive, type Steps } from './receive.js'
import { Refusals } from './refusals.js'
import { Store } from './store.js'

export interface ReceiverOptions {
  readonly host: string
  readonly port: number
  readonly secrets: readonly string[]
  readonly folder: string
  readonly notify: Notify
  /** Told of failures of the receiver itself. */
  readonly complain: (message: string) => void
}

export interface RunningReceiver {
  /** Without a path. */
  readonly url: string
  /** Throws a TypeError, and keeps the old ones, when one is unusable. */
  replaceSecrets(secrets: readonly string[]): void
  /** Ends open requests without an answer: whoever sent them sends them again. */
  stop(): Promise<void>
}

const METHODS = ['POST', 'PUT', 'PATCH']
const ALLOW = [...METHODS, 'OPTIONS'].join(', ')

/** Resolves when it listens. Rejects when the port is taken or the folder cannot be used. */
export async function startReceiver(options: ReceiverOptions): Promise<RunningReceiver> {
  const store = await Store.open(options.folder)
  const steps: Steps = { secrets: options.secrets, store, notify: options.notify, refusals: new Refusals() }
  const server = createServer((request, response) => {
    handle(request, response, steps).catch((error: unknown) => {
      // The sender went away in the middle: there is nobody to answer.
      if (request.destroyed && !request.complete) return
      options.complain(`500  ${request.url}  ${error instanceof Error ? error.message : String(error)}`)
      if (!response.headersSent) answer(response, 500, { message: 'The receiver failed: its own output says why.' })
    })
  })
  // Longer than senders keep idle connections, so that it is the sender who closes, and no request meets a closing one.
  server.keepAliveTimeout = 75_000
  server.requestTimeout = 30_000
  try {
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(options.port, options.host, resolve),
    )
  } catch (error) {
    await store.close()
    throw error
  }
  return {
    url: urlOf(server.address() as AddressInfo),
    replaceSecrets(secrets) {
      checkSecrets(secrets)
      steps.secrets = secrets
    },
    async stop() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
      await store.close()
    },
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, steps: Steps): Promise<void> {
  const url = URL.parse(`http://receiver${request.url}`)
  if (url?.pathname === '/' && (request.method === 'GET' || request.method === 'HEAD')) {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(MODES_TEXT)
    return
  }
  const read = url ? readMode(url) : ({ kind: 'unknown_path' } as const)
  switch (read.kind) {
    case 'unknown_path':
      return answer(response, 404, { message: `There is nothing at ${request.url}: GET / tells the paths.` })
    case 'bad_parameter':
      return answer(response, 400, { message: read.message })
    case 'mode':
      if (request.method === 'OPTIONS') return agree(request, response)
      if (METHODS.includes(request.method!)) return receive(request, response, read.mode, steps)
      response.setHeader('allow', ALLOW)
      return answer(response, 405, { message: `${request.method} is not taken here: send the event by POST.` })
  }
}

/**
 * The handshake of CloudEvents web hooks: this receiver wants events, from whoever asks, as fast as they come. It
 * would name the origins that it knows if it were more than a sample.
 */
function agree(request: IncomingMessage, response: ServerResponse): void {
  const origin = request.headers['webhook-request-origin']
  response.setHeader('allow', ALLOW)
  if (typeof origin === 'string')
    response.setHeader('webhook-allowed-origin', origin).setHeader('webhook-allowed-rate', '*')
  response.writeHead(200).end()
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
