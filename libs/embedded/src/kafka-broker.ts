import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcess, startDetached, type Detached } from './child.js'
import { EmbeddedFault } from './fault.js'
import { formatArguments, writeConfiguration, type BrokerConfiguration } from './kafka-configuration.js'
import { KAFKA_VERSION } from './kafka-libraries.js'
import { plainKafka } from './plain-kafka.js'
import { run, type Java } from './requirements.js'

/** Any 16 bytes in base64url; fixed, so that a data folder can be formatted again. */
const CLUSTER_ID = 'cG9zdGhvcm4tZGV2LTAwMQ'
const READY_TIMEOUT_MS = 90_000
/** A broker that still has not stopped by then hangs; acknowledged records survive SIGKILL. */
const STOP_GRACE_MS = 6000
// One machine, short-lived processes: the quick compiler and the small collector start fastest.
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Djava.awt.headless=true']

/** One process of Kafka with its data folder. */
export class Broker {
  private readonly home: string
  private readonly log: string
  private readonly classPathOptions: readonly string[]

  constructor(
    private readonly java: Java,
    classPath: string,
    private readonly configuration: BrokerConfiguration,
    private readonly heap: readonly string[],
  ) {
    this.home = configuration.home
    this.log = join(this.home, 'broker.log')
    this.classPathOptions = ['-cp', classPath, `-Dlog4j2.configurationFile=${join(this.home, 'log4j2.yaml')}`]
  }

  /**
   * Writes the configuration and formats, the latter once per data folder; an interrupted formatting
   * leaves no marker and is done again from nothing.
   */
  async format(): Promise<void> {
    writeConfiguration(this.configuration)
    const marker = join(this.home, 'formatted')
    if (existsSync(marker)) return
    rmSync(join(this.home, 'data'), { recursive: true, force: true })
    const properties = join(this.home, 'server.properties')
    const tool = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties]
    tool.push(...formatArguments(this.configuration))
    const { status, output } = await run(this.java.command, [...JVM, ...this.classPathOptions, ...tool])
    if (status !== 0)
      throw new EmbeddedFault('kafka_failed', `Kafka could not format ${join(this.home, 'data')}:\n${output.trim()}`)
    writeFileSync(marker, `${KAFKA_VERSION}\n`)
  }

  async start(options: readonly string[]): Promise<Detached> {
    const main = ['kafka.Kafka', join(this.home, 'server.properties')]
    const args = [...this.heap, ...JVM, ...options, ...this.classPathOptions, ...main]
    const running = await startDetached(this.java.command, args, { logFile: this.log })
    writeFileSync(join(this.home, 'pid'), `${running.pid}\n`)
    try {
      await this.ready(running)
    } catch (error) {
      await endBroker(running)
      throw error
    }
    return running
  }

  /** An open port is not enough: the broker opens it before it may take work. */
  private async ready(running: Detached): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS
    while (!(await answers(this.configuration.node.port))) {
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
  const client = plainKafka({
    brokers: [`127.0.0.1:${port}`],
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

export async function endBroker(broker: Detached): Promise<void> {
  if (!broker.running) return
  await endProcess(broker.pid, 'SIGTERM', STOP_GRACE_MS)
  await broker.exited
}
