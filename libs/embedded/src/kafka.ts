import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { endProcess, startDetached, type Detached } from './child.js'
import { EmbeddedFault } from './fault.js'
import { KAFKA_VERSION, kafkaClassPath } from './kafka-libraries.js'
import { step, type Progress } from './progress.js'
import { requireDisk, requireJava, requirePort, run, type Java } from './requirements.js'

export interface KafkaServerOptions {
  /** Data and log go to `<dir>/kafka`. */
  readonly dir: string
  readonly port: number
  readonly controllerPort: number
  /** As of -Xmx; 384m unless set. 256m is enough for tests. */
  readonly heap?: string
  /** Libraries, kept over runs; `<dir>/cache` unless set. */
  readonly cacheDir?: string
  readonly onProgress: Progress
}

export interface RunningKafka {
  /** host:port, comma-separated. */
  readonly brokers: string
  readonly pid: number
  /** Resolves with the reason when the broker has ended, asked to or not. */
  readonly exited: Promise<string>
  stop(): Promise<void>
}

/** Any 16 bytes in base64url; fixed, so that a data folder can be formatted again. */
const CLUSTER_ID = 'cG9zdGhvcm4tZGV2LTAwMQ'
const READY_TIMEOUT_MS = 90_000
/** A broker that still has not stopped by then hangs; acknowledged records survive SIGKILL. */
const STOP_GRACE_MS = 6000
// One machine, short-lived processes: the quick compiler and the small collector start fastest.
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Djava.awt.headless=true']

/**
 * A real Apache Kafka in KRaft mode, one node, on 127.0.0.1. Resolves when its admin API answers.
 * Throws EmbeddedFault when Java, Maven, a port or disk space is missing, or when it does not start.
 */
export async function startKafka(options: KafkaServerOptions): Promise<RunningKafka> {
  const { port, controllerPort, onProgress } = options
  const home = resolve(options.dir, 'kafka')
  const cacheDir = resolve(options.cacheDir ?? join(options.dir, 'cache'))
  const java = await requireJava()
  await requirePort(port, 'Kafka', 'POSTHORN_EMBEDDED_KAFKA_PORT')
  await requirePort(controllerPort, "Kafka's controller", 'POSTHORN_EMBEDDED_KAFKA_PORT')
  await requireDisk(home)
  const classPath = await kafkaClassPath(cacheDir, onProgress)
  writeConfiguration(home, port, controllerPort)
  const broker = new Broker(java, classPath, home, port, options.heap ?? '384m')
  await step(onProgress, 'Formatting the data folder of Kafka', () => broker.format())
  const archive = join(cacheDir, `kafka-${KAFKA_VERSION}`, `java-${java.version}.jsa`)
  if (!existsSync(archive))
    await step(onProgress, 'Preparing quicker starts of Kafka', () => writeArchive(broker, archive))
  const running = await step(onProgress, 'Starting Kafka', () => broker.start([`-XX:SharedArchiveFile=${archive}`]))
  return { brokers: `127.0.0.1:${port}`, pid: running.pid, exited: running.exited, stop: () => end(running) }
}

/** Loaded classes, parsed once: a start takes 1.5 s instead of 4. Written at the end of a broker's first run. */
async function writeArchive(broker: Broker, archive: string): Promise<void> {
  const partial = `${archive}.${process.pid}`
  const running = await broker.start([`-XX:ArchiveClassesAtExit=${partial}`])
  await endProcess(running.pid, 'SIGTERM', 30_000)
  await running.exited
  if (existsSync(partial)) renameSync(partial, archive)
}

async function end(broker: Detached): Promise<void> {
  if (!broker.running) return
  await endProcess(broker.pid, 'SIGTERM', STOP_GRACE_MS)
  await broker.exited
}

class Broker {
  private readonly log: string
  private readonly classPathOptions: readonly string[]

  constructor(
    private readonly java: Java,
    classPath: string,
    private readonly home: string,
    private readonly port: number,
    private readonly heap: string,
  ) {
    this.log = join(home, 'broker.log')
    this.classPathOptions = ['-cp', classPath, `-Dlog4j2.configurationFile=${join(home, 'log4j2.yaml')}`]
  }

  /** Once per data folder; an interrupted formatting leaves no marker and is done again from nothing. */
  async format(): Promise<void> {
    const marker = join(this.home, 'formatted')
    if (existsSync(marker)) return
    rmSync(join(this.home, 'data'), { recursive: true, force: true })
    const tool = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', join(this.home, 'server.properties')]
    const { status, output } = await run(this.java.command, [...JVM, ...this.classPathOptions, ...tool])
    if (status !== 0)
      throw new EmbeddedFault('kafka_failed', `Kafka could not format ${join(this.home, 'data')}:\n${output.trim()}`)
    writeFileSync(marker, `${KAFKA_VERSION}\n`)
  }

  async start(options: readonly string[]): Promise<Detached> {
    const main = ['kafka.Kafka', join(this.home, 'server.properties')]
    const args = [`-Xmx${this.heap}`, ...JVM, ...options, ...this.classPathOptions, ...main]
    const running = await startDetached(this.java.command, args, { logFile: this.log })
    writeFileSync(join(this.home, 'pid'), `${running.pid}\n`)
    try {
      await this.ready(running)
    } catch (error) {
      await end(running)
      throw error
    }
    return running
  }

  /** An open port is not enough: the broker opens it before it may take work. */
  private async ready(running: Detached): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS
    while (!(await answers(this.port))) {
      if (!running.running) throw this.failure(`ended with ${await running.exited}`)
      if (performance.now() > deadline) throw this.failure(`did not answer within ${READY_TIMEOUT_MS / 1000} s`)
      await sleep(100)
    }
  }

  private failure(what: string): EmbeddedFault {
    const words = readFileSync(this.log, 'utf8').trim().split('\n').slice(-15).join('\n')
    return new EmbeddedFault('kafka_failed', `Kafka ${what}; its last words (${this.log}):\n${words}`)
  }
}

async function answers(port: number): Promise<boolean> {
  const client = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry: { retries: 0 },
  })
  const admin = client.admin()
  try {
    await admin.connect()
    return (await admin.describeCluster()).brokers.length > 0
  } catch {
    return false
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/**
 * The controller is named by a static voter and not by --standalone: the latter writes its port
 * into the data, and the folder would then only start on the same ports.
 */
function writeConfiguration(home: string, port: number, controllerPort: number): void {
  mkdirSync(home, { recursive: true })
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(home, 'data'),
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'num.network.threads': 2,
    'num.io.threads': 4,
    // The default of 128 MB does not fit into the heap.
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'log.segment.bytes': 67_108_864,
    // After kill -9 a restart then takes 5 s instead of 13 s.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 400,
  }
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(join(home, 'server.properties'), lines.join(''))
  writeFileSync(join(home, 'log4j2.yaml'), LOGGING)
}

const LOGGING = `Configuration:
  status: "off"
  Appenders:
    Console: { name: C, target: SYSTEM_ERR, PatternLayout: { pattern: "%d{ISO8601} %p %c{1} %m%n" } }
  Loggers:
    Root: { level: "ERROR", AppenderRef: { ref: C } }
`
