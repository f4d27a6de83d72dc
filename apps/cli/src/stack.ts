import { openSync } from 'node:fs'
import { startKafka, startPostgres, step, type Progress } from '@posthorn/embedded'
import { createTopics, KafkaConnection, kafkaOptionsFrom, planTopics, repairKafkajs } from '@posthorn/kafka'
import { NODE_FLAGS, type Settings } from '@posthorn/process'
import { migrate } from '@posthorn/store'
import { createLogger } from '@posthorn/telemetry'
import { CommandFault, type CommandContext } from './command.js'
import { KeptServer, type Startable } from './kept-server.js'
import { CACHE_DIR, requirePorts, settingsOf, wantedPorts, type LocalPlan } from './local-plan.js'
import { SERVICES_MAIN } from './repository.js'
import { RunFiles, type Pids, type StackInfo } from './run-file.js'
import { keepSecrets, type Secrets } from './secrets.js'
import { SupervisedProcess, type Addresses, type ProcessSpec } from './supervised-process.js'
import { TARGET_NAMES } from './target-names.js'

export interface StackChoice {
  /** A process for each target. */
  readonly processes: boolean
  /** What the services write goes here instead of to stderr. */
  readonly logFile?: string
  readonly receiver: boolean
}

type OwnProcess = Pick<ProcessSpec, 'name' | 'args' | 'env' | 'readyIn' | 'onMessage'>

/**
 * Kafka, Postgres and the services of one machine, under this process as their supervisor. Stopping
 * goes the other way around: services first, so that they can finish what they do.
 */
export class Stack {
  private readonly files: RunFiles
  private readonly processes: SupervisedProcess[] = []
  private readonly servers: KeptServer<Startable>[] = []
  private readonly secrets: Secrets
  private readonly outputFd: number
  private ready = false
  private stopped = false
  private brokers = ''
  private databaseUrl = ''

  private constructor(
    private readonly plan: LocalPlan,
    private readonly choice: StackChoice,
    private readonly say: Progress,
  ) {
    this.files = new RunFiles(plan.dir)
    this.files.claim()
    this.secrets = keepSecrets(plan.dir, plan.env)
    this.outputFd = choice.logFile === undefined ? 2 : openSync(choice.logFile, 'w')
  }

  /** Resolves when all services are ready. Whatever was started is ended again when it rejects. */
  static async start(plan: LocalPlan, choice: StackChoice, { stop, say }: CommandContext): Promise<Stack> {
    // What starts Kafka uses kafkajs as it is, whose timers Node warns of.
    repairKafkajs()
    const stack = new Stack(plan, choice, say)
    try {
      await stack.files.endLeftovers(say)
      const { settings } = stack.configuration()
      await requirePorts(wantedPorts(plan, settings, choice))
      await stack.startServers()
      stop.throwIfAborted()
      await stack.prepare()
      stop.throwIfAborted()
      await stack.startServices(stop)
      return stack
    } catch (error) {
      await stack.stop()
      throw error
    }
  }

  get info(): StackInfo {
    const addresses: Addresses = Object.assign({}, ...this.processes.map(each => each.addresses))
    const scheme = this.settings.tlsCertFile === undefined ? 'http' : 'https'
    return {
      api: `${scheme}://${addresses['registry.http']}`,
      publish: `${scheme}://${addresses['ingest.http']}`,
      grpc: `${addresses['registry.grpc']}`,
      kafka: this.brokers.split(',')[0]!,
      postgres: this.databaseUrl,
      key: this.secrets.platformKey,
      pids: this.pids(),
    }
  }

  get settings(): Settings {
    return this.configuration().settings
  }

  /** Adds a process that is kept like the services; resolves when it is ready. */
  async run(own: OwnProcess): Promise<void> {
    const { outputFd, say } = this
    const supervised = new SupervisedProcess({ ...own, outputFd, say, onChange: () => this.changed() })
    this.processes.push(supervised)
    await supervised.start()
  }

  /** Within 10 s in the usual case. */
  async stop(): Promise<void> {
    if (this.stopped) return
    this.stopped = true
    await Promise.all(this.processes.map(process => process.stop()))
    await Promise.all(this.servers.map(server => server.stop()))
    this.files.remove()
  }

  private async startServers(): Promise<void> {
    const { plan, say } = this
    const { kafka, postgres } = plan
    const starts: Promise<void>[] = []
    if (kafka.kind === 'own') this.brokers = kafka.address
    else {
      const { port, heap } = kafka
      const options = { dir: plan.dir, cacheDir: CACHE_DIR, port, controllerPort: port + 1, heap, onProgress: say }
      starts.push(this.keep('kafka', () => startKafka(options)).then(({ brokers }) => void (this.brokers = brokers)))
    }
    if (postgres.kind === 'own') this.databaseUrl = postgres.address
    else {
      const options = { dir: plan.dir, port: postgres.port, onProgress: say }
      starts.push(this.keep('postgres', () => startPostgres(options)).then(({ url }) => void (this.databaseUrl = url)))
    }
    // Both to their end, so that none is left behind when the other one fails.
    const failed = (await Promise.allSettled(starts)).find(each => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  private keep<T extends Startable>(name: string, launch: () => Promise<T>): Promise<T> {
    const server = new KeptServer(name, launch, this.say, () => this.changed())
    this.servers.push(server)
    return server.start()
  }

  private async prepare(): Promise<void> {
    const { settings } = this.configuration()
    const logger = createLogger('warn', 'posthorn-up')
    const topics = async () => {
      const connection = new KafkaConnection(kafkaOptionsFrom(settings, logger, 'up'))
      await createTopics(connection, await planTopics(connection))
    }
    await Promise.all([
      step(this.say, 'Creating topics', topics),
      step(this.say, 'Migrating the database', () => migrate(this.databaseUrl, logger)),
    ])
  }

  private async startServices(stop: AbortSignal): Promise<void> {
    const { env } = this.configuration()
    const readyIn = (message: unknown) => {
      const { ready, addresses } = message as { ready?: unknown; addresses?: Addresses }
      return ready === true ? addresses : undefined
    }
    const onMessage = () => undefined
    const targets = this.choice.processes ? TARGET_NAMES : ['all']
    const own = this.choice.processes ? { ...env, POSTHORN_HEALTH_PORT: '0' } : env
    const start = () =>
      Promise.all(
        targets.map(name =>
          this.run({ name, args: [...NODE_FLAGS, SERVICES_MAIN, `--target=${name}`], env: own, readyIn, onMessage }),
        ),
      )
    await unlessAborted(stop, step(this.say, 'Starting the services', start)).catch((error: unknown) => {
      stop.throwIfAborted()
      throw new CommandFault(`${(error as Error).message}: ${this.whereItSays()}`)
    })
    this.ready = true
    this.changed()
  }

  private whereItSays(): string {
    return this.choice.logFile === undefined ? 'its words are above' : `its words are in ${this.choice.logFile}`
  }

  private configuration() {
    return settingsOf(this.plan, this.brokers, this.databaseUrl, this.secrets)
  }

  private pids(): Pids {
    const pids: Record<string, number> = {}
    for (const { name, pid } of [...this.servers, ...this.processes]) if (pid !== undefined) pids[name] = pid
    return { ...pids, supervisor: process.pid }
  }

  private changed(): void {
    if (this.stopped) return
    this.files.writePids(this.pids())
    if (this.ready) this.files.writeRunning(this.info)
  }
}

function unlessAborted<T>(stop: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason as Error), { once: true })
    work.then(resolve, reject)
  })
}
