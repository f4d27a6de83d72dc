import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePorts } from '@posthorn/embedded'
import { connectionOf } from './admin/connection.js'
import { UsageError, type CommandContext, type Terminal } from './command.js'
import { embeddedDir, planLocal } from './local-plan.js'
import { RunFiles } from './run-file.js'
import { smoke, type SmokeReceiver } from './smoke-event.js'
import { Stack } from './stack.js'

const HERE = { kind: 'here', host: '127.0.0.1', port: 0, reachedAt: undefined } as const satisfies SmokeReceiver

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const text = { type: 'string' } as const
  const options = { 'api-url': text, 'publish-url': text, key: text, tenant: text }
  const ofReceiver = { listen: text, 'reached-at': text, receiver: text }
  const fresh = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ args: [...args], options: { ...options, ...ofReceiver, fresh } })
  const receiver = receiverOf(values)
  const { env } = terminal
  const isElsewhere = values['api-url'] || values['publish-url'] || env.POSTHORN_API_URL || env.POSTHORN_PUBLISH_URL
  const running = values.fresh || isElsewhere ? undefined : new RunFiles(embeddedDir(env)).running()
  if (isElsewhere) await smoke(connectionOf(values, env, undefined), receiver, terminal)
  else if (running === undefined) await smokeFresh(env, terminal)
  else {
    terminal.say(`Using the stack that runs here (process ${running.pids.supervisor}).`)
    await smoke(running, receiver, terminal)
  }
  return 0
}

/** `--receiver` is somebody else's; without it this process listens. Throws UsageError. */
function receiverOf(values: { listen?: string; 'reached-at'?: string; receiver?: string }): SmokeReceiver {
  const { listen, receiver, 'reached-at': reachedAt } = values
  if (receiver !== undefined && (listen ?? reachedAt) !== undefined)
    throw new UsageError('--receiver is in place of --listen and --reached-at.')
  for (const url of [receiver, reachedAt])
    if (url !== undefined && !(/^https?:/i.test(url) && URL.canParse(url))) throw new UsageError(`"${url}" is no URL.`)
  if (receiver !== undefined) return { kind: 'elsewhere', url: receiver }
  if (listen === undefined) return { ...HERE, reachedAt }
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(listen) ?? []
  if (host === undefined) throw new UsageError(`--listen is "${listen}": it must be host:port.`)
  return { kind: 'here', host, port: Number(port), reachedAt }
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
    await smoke(stack.info, HERE, context)
  } catch (error) {
    if (existsSync(logFile)) context.say(readFileSync(logFile, 'utf8').trim().split('\n').slice(-40).join('\n'))
    throw error
  } finally {
    await stack?.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function throwAway(env: NodeJS.ProcessEnv, dir: string): Promise<NodeJS.ProcessEnv> {
  const [kafka, postgres, registry, grpc, ingest, ingestGrpc, health] = (await freePorts(7)).map(String)
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
