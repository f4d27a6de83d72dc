import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { endProcess, type Detached } from './child.js'
import { Broker, endBroker } from './kafka-broker.js'
import type { Node } from './kafka-configuration.js'
import { prepareKafka } from './kafka.js'
import type { Progress } from './progress.js'
import { freePorts } from './requirements.js'

export interface KafkaClusterOptions {
  /** Data and logs go to `<dir>/kafka-<id>`. */
  readonly dir: string
  /** Libraries, kept over runs; `<dir>/cache` unless set. */
  readonly cacheDir?: string
  /** As of -Xmx, for each broker; 256m unless set. */
  readonly heap?: string
  readonly onProgress: Progress
}

/** Three brokers, each a controller, too: topics are kept three times and two must have a record. */
export interface RunningKafkaCluster {
  /** host:port of each broker. */
  readonly brokers: readonly string[]
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
  const ports = await freePorts(IDS.length * 2)
  const nodes: Node[] = IDS.map((id, i) => ({ id, port: ports[2 * i]!, controllerPort: ports[2 * i + 1]! }))
  const brokers = new Map(
    nodes.map(node => {
      const configuration = { home: homeOf(node.id), node, nodes }
      return [node.id, new Broker(java, classPath, configuration, options.heap ?? '256m')]
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
    kill: async id => {
      const broker = running.get(id)!
      running.delete(id)
      await endProcess(broker.pid, 'SIGKILL', 2000)
    },
    restart: start,
    stop,
  }
}
