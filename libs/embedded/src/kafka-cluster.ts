import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { endProcess, type Detached } from './child.js'
import { freePorts } from './free-ports.js'
import { Broker, endBroker } from './kafka-broker.js'
import type { Node } from './kafka-configuration.js'
import { prepareKafka } from './kafka.js'
import type { Progress } from './progress.js'

export interface KafkaClusterOptions {
  /** Data and logs go to `<dir>/kafka-<id>`. */
  readonly dir: string
  /** Libraries, kept over runs; `<dir>/cache` unless set. */
  readonly cacheDir?: string
  /**
   * Gives each broker one more listener at this port; resolves with the port by which clients are told to
   * come to it. The brokers themselves, and clients that start from `brokers`, stay on the direct way.
   */
  readonly detour?: (id: number, port: number) => Promise<number>
  readonly onProgress: Progress
}

/** Three brokers, each a controller, too: topics are kept three times and two must have a record. */
export interface RunningKafkaCluster {
  /** host:port of each broker. */
  readonly brokers: readonly string[]
  /** The same by the detour; empty without one. */
  readonly byDetour: readonly string[]
  /** SIGKILL; `id` is 1, 2 or 3, as kafkajs's metadata names them. Resolves when the process is gone. */
  kill(id: number): Promise<void>
  /** Starts a killed broker again with its data and port; resolves when it answers. */
  restart(id: number): Promise<void>
  stop(): Promise<void>
}

const IDS = [1, 2, 3]

/** For tests of what happens when a leader is lost. Resolves when all three answer; needs some 600 MB of memory. */
export async function startKafkaCluster(options: KafkaClusterOptions): Promise<RunningKafkaCluster> {
  const homeOf = (id: number) => resolve(options.dir, `kafka-${id}`)
  const { java, classPath, archive } = await prepareKafka(homeOf(1), options)
  const nodes = await placeNodes(options.detour)
  const brokers = new Map(
    nodes.map(node => {
      const configuration = { home: homeOf(node.id), node, nodes }
      return [node.id, new Broker(java, classPath, configuration, ['-Xmx256m'])]
    }),
  )
  const running = new Map<number, Detached>()
  const start = async (id: number) => {
    running.set(id, await brokers.get(id)!.start(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []))
  }
  const stop = async () => {
    await Promise.all([...running.values()].map(endBroker))
    running.clear()
  }
  await Promise.all([...brokers.values()].map(broker => broker.format()))
  // Together: one alone is no majority and does not answer.
  const started = await Promise.allSettled(IDS.map(start))
  const failed = started.find(each => each.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  return {
    brokers: nodes.map(({ port }) => `127.0.0.1:${port}`),
    byDetour: nodes.flatMap(({ detour }) => (detour ? [`127.0.0.1:${detour.advertised}`] : [])),
    kill: async id => {
      const broker = running.get(id)!
      running.delete(id)
      await endProcess(broker.pid, 'SIGKILL', 2000)
      await broker.exited
    },
    restart: start,
    stop,
  }
}

async function placeNodes(detour: KafkaClusterOptions['detour']): Promise<Node[]> {
  const ports = await freePorts(IDS.length * 3)
  return Promise.all(
    IDS.map(async (id, i) => {
      const [port, controllerPort, detourPort] = ports.slice(3 * i) as [number, number, number]
      const node = { id, port, controllerPort }
      return detour ? { ...node, detour: { port: detourPort, advertised: await detour(id, detourPort) } } : node
    }),
  )
}
