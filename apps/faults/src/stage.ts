import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, startKafkaCluster, type RunningKafkaCluster } from '@posthorn/embedded'
import { openClocks, type Clocks } from './clocks.js'
import { openLine, type Line } from './line.js'
import { Site } from './site.js'
import { openWire, type Wire } from '@posthorn/testkit'
import { detourOf } from './detours.js'

/** A platform on three brokers, and what can be done to it. */
export interface Stage {
  readonly site: Site
  readonly cluster: RunningKafkaCluster
  /** Before receivers. */
  readonly line: Line
  /** Between the services and each broker, by its id. */
  readonly brokers: ReadonlyMap<number, Wire>
  /** Between the services and Postgres. */
  readonly postgres: Wire
  readonly clocks: Clocks
  close(): Promise<void>
}

/** Of the whole repository: 90 MB that are the same for every run. */
const CACHE_DIR = fileURLToPath(new URL('../../../.posthorn/cache', import.meta.url))

export async function openStage(): Promise<Stage> {
  const opened: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of opened.reverse()) await end().catch(() => undefined)
  }
  try {
    const clocks = await openClocks()
    opened.push(() => clocks.remove())
    const { cluster, brokers } = await startBrokers(opened)
    const [port] = (await freePorts(1)) as [number]
    const postgres = await openWire(port)
    opened.push(() => postgres.close())
    const detour = detourOf({ brokers: cluster.byDetour, databasePort: postgres.port })
    const site = await Site.start({
      ...clocks.environment,
      ...detour,
      NODE_OPTIONS: `${clocks.environment.NODE_OPTIONS} ${detour.NODE_OPTIONS}`,
      POSTHORN_EMBEDDED_POSTGRES_PORT: String(port),
      POSTHORN_KAFKA_BROKERS: cluster.brokers.join(','),
      POSTHORN_KAFKA_REPLICATION: '3',
      POSTHORN_KAFKA_PARTITIONS: '6',
      // What is warned of is what is done here.
      POSTHORN_LOG_LEVEL: 'error',
    })
    opened.push(() => site.stop())
    const line = await openLine(Number(new URL(site.receiver.url).port))
    opened.push(() => line.close())
    return { site, cluster, line, brokers, postgres, clocks, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startBrokers(opened: (() => Promise<unknown>)[]) {
  const dir = await mkdtemp(join(tmpdir(), 'posthorn-kafka-'))
  opened.push(() => rm(dir, { recursive: true, force: true }))
  const brokers = new Map<number, Wire>()
  opened.push(() => Promise.all([...brokers.values()].map(wire => wire.close())))
  const cluster = await startKafkaCluster({
    dir,
    cacheDir: CACHE_DIR,
    detour: async (id, port) => {
      const wire = await openWire(port)
      brokers.set(id, wire)
      return wire.port
    },
    onProgress: () => undefined,
  })
  opened.push(() => cluster.stop())
  return { cluster, brokers }
}
