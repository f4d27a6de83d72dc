import { join, resolve } from 'node:path'
import { freePorts, portIsFree } from '@posthorn/embedded'
import { readSettings, SettingsError, type Settings } from '@posthorn/process'
import { CLIENT_TLS_VARIABLES } from './client-tls.js'
import { CommandFault } from './command.js'
import { ROOT } from './repository.js'
import type { Secrets } from './secrets.js'

/** A server that is started here, or one of the user's own. */
export type ServerPlan =
  | {
      readonly kind: 'embedded'
      readonly port: number
      /** Options of Kafka's JVM. */
      readonly heap?: readonly string[] | undefined
    }
  | { readonly kind: 'own'; readonly address: string }

/** What one machine runs, where, and what its services are told. */
export interface LocalPlan {
  readonly dir: string
  readonly kafka: ServerPlan
  readonly postgres: ServerPlan
  readonly receiverPort: number
  /** Settings of the services, but for brokers, database and keys. */
  readonly env: NodeJS.ProcessEnv
}

/** A port that must be free before anything is started. */
export interface WantedPort {
  readonly port: number
  readonly host: string
  readonly what: string
  readonly variable: string
}

/** Variables of the commands themselves: the services would refuse them as unknown. */
const NOT_FOR_SERVICES = [
  'POSTHORN_EMBEDDED_',
  'POSTHORN_RECEIVER_',
  'POSTHORN_TEST_',
  'POSTHORN_API_',
  'POSTHORN_PUBLISH_URL',
  'POSTHORN_TENANT',
  ...CLIENT_TLS_VARIABLES,
]
/** Kept whatever the data folder is: 90 MB that are the same for every run. */
export const CACHE_DIR = join(ROOT, '.posthorn', 'cache')

export function embeddedDir(env: NodeJS.ProcessEnv): string {
  return resolve(ROOT, env.POSTHORN_EMBEDDED_DIR || '.posthorn')
}

/** Reads the environment: the user's variables win, the rest is made fit for one machine. */
export async function planLocal(env: NodeJS.ProcessEnv): Promise<LocalPlan> {
  return {
    dir: embeddedDir(env),
    kafka: env.POSTHORN_KAFKA_BROKERS
      ? { kind: 'own', address: env.POSTHORN_KAFKA_BROKERS }
      : {
          kind: 'embedded',
          port: portIn(env, 'POSTHORN_EMBEDDED_KAFKA_PORT', 19092),
          heap: env.KAFKA_HEAP_OPTS?.match(/\S+/g) ?? undefined,
        },
    postgres: env.POSTHORN_DATABASE_URL
      ? { kind: 'own', address: env.POSTHORN_DATABASE_URL }
      : { kind: 'embedded', port: portIn(env, 'POSTHORN_EMBEDDED_POSTGRES_PORT', 15432) },
    receiverPort: portIn(env, 'POSTHORN_RECEIVER_PORT', 8085),
    env: await serviceEnvironment(env),
  }
}

/** The environment as a service may read it. */
export function withoutOwnVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !NOT_FOR_SERVICES.some(prefix => name.startsWith(prefix)))
  return Object.fromEntries(kept)
}

async function serviceEnvironment(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const result: NodeJS.ProcessEnv = {
    POSTHORN_EGRESS_ALLOW: '127.0.0.0/8,::1/128',
    POSTHORN_LISTEN_HOST: '127.0.0.1',
    ...withoutOwnVariables(env),
  }
  // 0 is "any free port": chosen once here, because a restarted service must come back to the same one.
  const open = SERVICE_PORTS.map(({ variable }) => variable).filter(variable => result[variable] === '0')
  const ports = await freePorts(open.length)
  for (const [index, variable] of open.entries()) result[variable] = String(ports[index])
  return result
}

/** All variables of the services. Throws CommandFault with every problem. */
export function settingsOf(plan: LocalPlan, brokers: string, databaseUrl: string, secrets: Secrets) {
  const env: NodeJS.ProcessEnv = {
    ...plan.env,
    POSTHORN_KAFKA_BROKERS: brokers,
    POSTHORN_DATABASE_URL: databaseUrl,
    POSTHORN_AUTH_PLATFORM_KEY: secrets.platformKey,
    POSTHORN_SEALING_KEYS: secrets.sealingKeys,
  }
  return { env, settings: checkedSettings(env) }
}

export function checkedSettings(env: NodeJS.ProcessEnv): Settings {
  try {
    return readSettings(env)
  } catch (error) {
    if (error instanceof SettingsError) throw new CommandFault(error.message)
    throw error
  }
}

const SERVICE_PORTS = [
  { variable: 'POSTHORN_REGISTRY_PORT', what: 'the REST API', of: (settings: Settings) => settings.registryPort },
  {
    variable: 'POSTHORN_REGISTRY_GRPC_PORT',
    what: 'the gRPC API',
    of: (settings: Settings) => settings.registryGrpcPort,
  },
  { variable: 'POSTHORN_INGEST_PORT', what: 'publishing', of: (settings: Settings) => settings.ingestPort },
  {
    variable: 'POSTHORN_INGEST_GRPC_PORT',
    what: 'publishing over gRPC',
    of: (settings: Settings) => settings.ingestGrpcPort,
  },
  { variable: 'POSTHORN_HEALTH_PORT', what: 'health and metrics', of: (settings: Settings) => settings.healthPort },
]

export function wantedPorts(plan: LocalPlan, settings: Settings, choice: { processes: boolean; receiver: boolean }) {
  const wanted: WantedPort[] = []
  const local = (port: number, what: string, variable: string) =>
    wanted.push({ port, host: '127.0.0.1', what, variable })
  if (plan.kafka.kind === 'embedded') {
    local(plan.kafka.port, 'Kafka', 'POSTHORN_EMBEDDED_KAFKA_PORT')
    local(plan.kafka.port + 1, "Kafka's controller", 'POSTHORN_EMBEDDED_KAFKA_PORT')
  }
  if (plan.postgres.kind === 'embedded') local(plan.postgres.port, 'Postgres', 'POSTHORN_EMBEDDED_POSTGRES_PORT')
  for (const { variable, what, of } of SERVICE_PORTS)
    // Processes of their own have health ports of their own, any that are free.
    if (!(choice.processes && variable === 'POSTHORN_HEALTH_PORT'))
      wanted.push({ port: of(settings), host: settings.listenHost, what, variable })
  if (choice.receiver) local(plan.receiverPort, 'the sample receiver', 'POSTHORN_RECEIVER_PORT')
  return wanted
}

/** Throws CommandFault that names every port that is taken, or wanted twice, and the variable that moves it. */
export async function requirePorts(wanted: readonly WantedPort[]): Promise<void> {
  const problems: string[] = []
  const first = new Map<number, WantedPort>()
  for (const each of wanted) {
    const { port, host, what, variable } = each
    const other = first.get(port)
    if (other !== undefined)
      problems.push(`Port ${port} is wanted for ${other.what} (${other.variable}) and for ${what}: set ${variable}.`)
    else if (!(await portIsFree(port, host)))
      problems.push(
        `Port ${port} on ${host}, wanted for ${what}, is in use: stop the program that uses it, or set ${variable} to another port.`,
      )
    first.set(port, each)
  }
  if (problems.length > 0) throw new CommandFault(problems.join('\n'))
}

function portIn(env: NodeJS.ProcessEnv, variable: string, byDefault: number): number {
  const text = env[variable] || String(byDefault)
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_534)
    throw new CommandFault(`${variable} is "${text}": set a port number from 1 to 65534.`)
  return port
}
