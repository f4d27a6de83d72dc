import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { answerOf, createApiClient, type ApiClient } from '@posthorn/api/client'
import { freePorts } from '@posthorn/embedded'
import { verify } from '@posthorn/verify'
import { CommandFault, type CommandContext } from './command.js'
import { embeddedDir, planLocal } from './local-plan.js'
import { RunFiles, type StackInfo } from './run-file.js'
import { Stack } from './stack.js'

const DELIVERY_WITHIN_MS = 20_000
const HISTORY_WITHIN_MS = 20_000

interface Delivered {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { fresh: { type: 'boolean', default: false } } })
  const running = values.fresh ? undefined : new RunFiles(embeddedDir(process.env)).running()
  if (running === undefined) await smokeFresh(process.env, context)
  else {
    context.say(`Using the stack that runs here (process ${running.pids.supervisor}).`)
    await smoke(running, context)
  }
  return 0
}

/** The same on a stack of its own: free ports, a folder that is thrown away. */
export async function smokeFresh(env: NodeJS.ProcessEnv, context: CommandContext): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-smoke-'))
  chmodSync(dir, 0o755)
  const logFile = join(dir, 'services.log')
  let stack: Stack | undefined
  try {
    const plan = await planLocal(await throwAway(env, dir))
    stack = await Stack.start(plan, { processes: false, receiver: false, logFile }, context)
    await smoke(stack.info, context)
  } catch (error) {
    if (existsSync(logFile)) context.say(readFileSync(logFile, 'utf8').trim().split('\n').slice(-40).join('\n'))
    throw error
  } finally {
    await stack?.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function throwAway(env: NodeJS.ProcessEnv, dir: string): Promise<NodeJS.ProcessEnv> {
  const [kafka, postgres, registry, grpc, ingest, ingestGrpc, health] = (await portsApart()).map(String)
  return {
    ...env,
    POSTHORN_EMBEDDED_DIR: dir,
    POSTHORN_EMBEDDED_KAFKA_PORT: kafka,
    POSTHORN_EMBEDDED_POSTGRES_PORT: postgres,
    POSTHORN_REGISTRY_PORT: registry,
    POSTHORN_REGISTRY_GRPC_PORT: grpc,
    POSTHORN_INGEST_PORT: ingest,
    POSTHORN_INGEST_GRPC_PORT: ingestGrpc,
    POSTHORN_HEALTH_PORT: health,
  }
}

/** Chosen together, so that none is given twice; Kafka's controller takes the port after the first. */
async function portsApart(): Promise<number[]> {
  for (;;) {
    const ports = await freePorts(7)
    const controller = ports[0]! + 1
    if (!ports.includes(controller) && controller < 65_000) return ports
  }
}

/** One event, from a registration to its delivery in the history. Throws CommandFault with what did not come. */
async function smoke(stack: StackInfo, { say, stop }: CommandContext): Promise<void> {
  const api = createApiClient({ url: stack.api, key: stack.key })
  const ingest = createApiClient({ url: stack.publish, key: stack.key })
  const secret = `whsec_${randomBytes(24).toString('base64')}`
  const receiver = await listen()
  const started = performance.now()
  const type = `smoke.${randomBytes(4).toString('hex')}`
  const body = { url: `${receiver.url}/smoke`, events: [type], secret, description: 'npm run smoke' }
  const webhook = await answerOf(api.POST('/v1/webhooks', { body }))
  try {
    say(`Registered ${webhook.id} for ${type}.`)
    const id = `smoke-${randomBytes(8).toString('hex')}`
    const published = performance.now()
    await answerOf(ingest.POST('/v1/publish', { body: { id, type, data: { sent_by: 'npm run smoke' } } }))
    const request = await receiver.first(DELIVERY_WITHIN_MS, stop)
    const tookMs = Math.round(performance.now() - published)
    const verified = verify({ body: request.body, headers: request.headers, secrets: secret })
    say(`Received ${verified.id} ${tookMs} ms after publishing; its signature is right: ${request.body.toString()}`)
    const delivery = await inHistory(api, id, stop)
    say(`In the history: ${JSON.stringify(delivery)}`)
  } finally {
    receiver.close()
    await answerOf(api.DELETE('/v1/webhooks/{id}', { params: { path: { id: webhook.id } } }))
  }
  say(`One event went all the way in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
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

async function listen() {
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
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
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
