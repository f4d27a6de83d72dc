import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, createApiClient, type ApiClient } from '@posthorn/api/client'
import { verify } from '@posthorn/verify'
import { CommandFault, type CommandContext } from './command.js'

/** Where the event is to arrive. */
export type SmokeReceiver =
  /** In this process; `reachedAt` is its URL for the deliverer, where that is not the address it listens on. */
  | { readonly kind: 'here'; readonly host: string; readonly port: number; readonly reachedAt: string | undefined }
  /** Only the history says what became of it. */
  | { readonly kind: 'elsewhere'; readonly url: string }

/** The platform: base URLs of its APIs, and a key. */
export interface SmokePlatform {
  readonly api: string
  readonly publish: string
  readonly key: string
  readonly tenant?: string | undefined
}

const DELIVERY_WITHIN_MS = 20_000
const HISTORY_WITHIN_MS = 20_000

interface Delivered {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

interface Receiver {
  readonly url: string
  /** Undefined where somebody else gets it. */
  readonly first?: (withinMs: number, stop: AbortSignal) => Promise<Delivered>
  close(): void
}

/** One event, from a registration to its delivery in the history. Throws CommandFault with what did not come. */
export async function smoke(
  { api: url, publish, key, tenant }: SmokePlatform,
  where: SmokeReceiver,
  { say, stop }: CommandContext,
): Promise<void> {
  const of = { key, ...(tenant === undefined ? {} : { tenant }) }
  const api = createApiClient({ url, ...of })
  const ingest = createApiClient({ url: publish, ...of })
  const secret = `whsec_${randomBytes(24).toString('base64')}`
  const receiver = where.kind === 'here' ? await listen(where) : { url: where.url, close: () => undefined }
  const started = performance.now()
  const type = `smoke.${randomBytes(4).toString('hex')}`
  const body = { url: receiver.url, events: [type], secret, description: 'posthorn smoke' }
  const webhook = await answerOf(api.POST('/v1/webhooks', { body }))
  try {
    say(`Registered ${webhook.id} for ${type}.`)
    const id = `smoke-${randomBytes(8).toString('hex')}`
    const published = performance.now()
    await answerOf(ingest.POST('/v1/publish', { body: { id, type, data: { sent_by: 'posthorn smoke' } } }))
    const request = await received(receiver, api, id, stop)
    if (request !== undefined) {
      const tookMs = Math.round(performance.now() - published)
      const verified = verify({ body: request.body, headers: request.headers, secrets: secret })
      say(`Received ${verified.id} ${tookMs} ms after publishing; its signature is right: ${request.body.toString()}`)
    }
    const delivery = await inHistory(api, id, stop)
    say(`In the history: ${JSON.stringify(delivery)}`)
  } finally {
    receiver.close()
    await answerOf(api.DELETE('/v1/webhooks/{id}', { params: { path: { id: webhook.id } } }))
  }
  say(`One event went all the way in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
}

/** Where nothing comes, the history says why. */
async function received({ first }: Receiver, api: ApiClient, event: string, stop: AbortSignal) {
  if (first === undefined) return undefined
  try {
    return await first(DELIVERY_WITHIN_MS, stop)
  } catch (error) {
    if (!(error instanceof CommandFault)) throw error
    const { data } = await answerOf(api.GET('/v1/deliveries', { params: { query: { event } } }))
    throw new CommandFault(`${error.message} The history has: ${JSON.stringify(data)}`)
  }
}

async function inHistory(api: ApiClient, event: string, stop: AbortSignal): Promise<object> {
  const deadline = performance.now() + HISTORY_WITHIN_MS
  for (;;) {
    const { data } = await answerOf(api.GET('/v1/deliveries', { params: { query: { event } } }))
    if (data[0]?.status === 'delivered') return data[0]
    if (performance.now() > deadline)
      throw new CommandFault(
        `The delivery was not in the history within ${HISTORY_WITHIN_MS / 1000} s; it says: ${JSON.stringify(data)}`,
      )
    await sleep(50, undefined, { signal: stop })
  }
}

async function listen({ host, port, reachedAt }: Extract<SmokeReceiver, { kind: 'here' }>): Promise<Receiver> {
  const server = createServer()
  const arrived = new Promise<Delivered>(resolve =>
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.end()
        resolve({ headers: request.headers, body: Buffer.concat(chunks) })
      })
    }),
  )
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const here = `http://${host}:${(server.address() as AddressInfo).port}`
  return {
    url: `${(reachedAt ?? here).replace(/\/+$/, '')}/smoke`,
    first: (withinMs: number, stop: AbortSignal) =>
      Promise.race([
        arrived,
        sleep(withinMs, undefined, { signal: stop }).then(() => {
          throw new CommandFault(`Nothing arrived at the receiver within ${withinMs / 1000} s.`)
        }),
      ]),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
