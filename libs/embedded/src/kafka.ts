import { existsSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { endProcess } from './child.js'
import { Broker, endBroker } from './kafka-broker.js'
import type { SecuredListeners } from './kafka-configuration.js'
import { KAFKA_VERSION, kafkaClassPath } from './kafka-libraries.js'
import { step, type Progress } from './progress.js'
import { requireDisk, requireJava, requirePort, type Java } from './requirements.js'

export interface KafkaServerOptions {
  /** Data and log go to `<dir>/kafka`. */
  readonly dir: string
  readonly port: number
  readonly controllerPort: number
  /** Options of the JVM, as in KAFKA_HEAP_OPTS of Kafka's own scripts; -Xmx384m unless set. 256m is enough for tests. */
  readonly heap?: readonly string[] | undefined
  /** Libraries, kept over runs; `<dir>/cache` unless set. */
  readonly cacheDir?: string
  /** Further listeners, with logins and TLS; given at the first start, because the users are kept in the data. */
  readonly secured?: SecuredListeners
  /**
   * 2000 unless set: so much later one that was killed may be back. A process that gets no turn for as long is
   * taken for dead by its own controller, and no topic can be made meanwhile.
   */
  readonly sessionMs?: number
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

/**
 * A real Apache Kafka in KRaft mode, one node, on 127.0.0.1. Resolves when its admin API answers.
 * Throws EmbeddedFault when Java, Maven, a port or disk space is missing, or when it does not start.
 */
export async function startKafka(options: KafkaServerOptions): Promise<RunningKafka> {
  const { port, controllerPort, secured, sessionMs, onProgress } = options
  const home = resolve(options.dir, 'kafka')
  await requirePort(port, 'Kafka', 'POSTHORN_EMBEDDED_KAFKA_PORT')
  await requirePort(controllerPort, "Kafka's controller", 'POSTHORN_EMBEDDED_KAFKA_PORT')
  const { java, classPath, archive } = await prepareKafka(home, options)
  const node = { id: 1, port, controllerPort }
  const broker = new Broker(
    java,
    classPath,
    { home, node, nodes: [node], secured, sessionMs },
    options.heap ?? ['-Xmx384m'],
  )
  await step(onProgress, 'Formatting the data folder of Kafka', () => broker.format())
  if (!existsSync(archive))
    await step(onProgress, 'Preparing quicker starts of Kafka', () => writeArchive(broker, archive))
  const running = await step(onProgress, 'Starting Kafka', () => broker.start([`-XX:SharedArchiveFile=${archive}`]))
  return { brokers: `127.0.0.1:${port}`, pid: running.pid, exited: running.exited, stop: () => endBroker(running) }
}

/** What every broker on this machine needs: Java, disk, libraries; `archive` may not be there yet. */
export async function prepareKafka(
  home: string,
  options: { readonly dir: string; readonly cacheDir?: string; readonly onProgress: Progress },
): Promise<{ readonly java: Java; readonly classPath: string; readonly archive: string }> {
  const cacheDir = resolve(options.cacheDir ?? join(options.dir, 'cache'))
  const java = await requireJava()
  await requireDisk(home)
  const classPath = await kafkaClassPath(cacheDir, options.onProgress)
  return { java, classPath, archive: join(cacheDir, `kafka-${KAFKA_VERSION}`, `java-${java.version}.jsa`) }
}

/** Loaded classes, parsed once: a start takes 1.5 s instead of 4. Written at the end of a broker's first run. */
async function writeArchive(broker: Broker, archive: string): Promise<void> {
  const partial = `${archive}.${process.pid}`
  const running = await broker.start([`-XX:ArchiveClassesAtExit=${partial}`])
  await endProcess(running.pid, 'SIGTERM', 30_000)
  await running.exited
  if (existsSync(partial)) renameSync(partial, archive)
}
