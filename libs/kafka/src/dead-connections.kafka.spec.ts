import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startKafkaCluster, type RunningKafkaCluster } from '@posthorn/embedded'
import { openWire, undisturbed, until, type Wire } from '@posthorn/testkit'
import { KafkaConnection } from './connection.js'
import { GroupConsumer } from './group-consumer.js'
import { lowLevel } from './low-level.js'
import { SafeProducer } from './safe-producer.js'
import { testConnection, WORK } from './test-cluster.js'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')
const PARTITIONS = 6
const STILL_MS = 500

describe('Connections that are dead without a word, as after a firewall has forgotten them', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dead-'))
  const wires = new Map<number, Wire>()
  let cluster: RunningKafkaCluster
  let connection: KafkaConnection

  beforeAll(async () => {
    const detour = async (id: number, port: number) => {
      const wire = await openWire(port)
      wires.set(id, wire)
      return wire.port
    }
    cluster = await startKafkaCluster({ dir, cacheDir: CACHE, detour, onProgress: () => undefined })
    connection = testConnection([...cluster.byDetour], PARTITIONS)
    await until(() => connection.withAdmin(async a => (await a.describeCluster()).brokers.length === 3), 60_000)
    const topic = { topic: connection.topic(WORK), numPartitions: PARTITIONS, replicationFactor: 3 }
    await connection.withAdmin(admin => admin.createTopics({ waitForLeaders: false, topics: [topic] }))
  }, 180_000)

  afterAll(async () => {
    connection?.close()
    await Promise.all([...wires.values()].map(wire => wire.close()))
    await cluster?.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)

  let groups = 0
  /** Begins anew where this process stood still: of a session of 10 s, 8 may pass until it knows. */
  const test = (title: string, scenario: () => Promise<void>, ms: number) =>
    it(title, () => undisturbed(scenario, STILL_MS), ms)

  test('are given up soon enough that a member keeps its session, and what is produced arrives by others', async () => {
    const group = `reader-${groups++}`
    const consumed = new Set<string>()
    let revoked = 0
    const fatal: Error[] = []
    const consumer = new GroupConsumer(connection, {
      group,
      topics: [WORK],
      fatal: error => void fatal.push(error),
      onRevoked: () => void revoked++,
      onBatch: ({ claim, records }) => {
        for (const { value, offset } of records) {
          if (value!.toString().startsWith(group)) consumed.add(value!.toString())
          claim.done(offset)
        }
      },
    })
    const producer = new SafeProducer(connection)
    await Promise.all([producer.connect(), consumer.start()])
    const send = (name: string) =>
      Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) =>
          producer.send(WORK, { key: null, value: Buffer.from(`${group} ${name} ${partition}`) }, { partition }),
        ),
      )
    try {
      await send('before')
      await until(() => consumed.size === PARTITIONS && consumer.generation !== undefined, 30_000)
      const { generation } = consumer

      const coordinator = await coordinatorOf(connection.prefix + group)
      const death = performance.now()
      killOpen(wires.get(coordinator)!)
      await send('after')
      const acknowledged = performance.now() - death
      await until(
        () => consumed.size === 2 * PARTITIONS,
        30_000,
        () => `${consumed.size} were consumed`,
      )
      // What the group takes from nobody but its members.
      await until(() => isCommitted(group), 30_000)
      expect({ generation: consumer.generation, revoked }).toEqual({ generation, revoked: 0 })
      // A request to produce, which a broker may take long for.
      expect(acknowledged).toBeLessThan(30_000)
      expect(fatal).toEqual([])
    } finally {
      await Promise.all([consumer.stop(), producer.close()])
    }
  }, 120_000)

  /** The id of its broker. */
  async function coordinatorOf(groupId: string): Promise<number> {
    const { consumer, cluster: client } = lowLevel(connection, groupId, 5)
    await consumer.connect()
    const { nodeId } = (await client.findGroupCoordinator({ groupId })) as unknown as { readonly nodeId: number }
    await consumer.disconnect()
    return Number(nodeId)
  }

  /** To the end of each partition. */
  function isCommitted(group: string): Promise<boolean> {
    const topic = connection.topic(WORK)
    return connection.withAdmin(async admin => {
      const ends = await admin.fetchTopicOffsets(topic)
      const [found] = await admin.fetchOffsets({ groupId: connection.prefix + group, topics: [topic] })
      const offsets = new Map(found!.partitions.map(({ partition, offset }) => [partition, offset]))
      return ends.every(({ partition, high }) => offsets.get(partition) === high)
    })
  }
})

/** For good, but for connections that are made from now on. */
function killOpen(wire: Wire): void {
  let isNew = false
  wire.disturb(() => (isNew ? { kind: 'slow', ms: 0 } : { kind: 'half_open', ending: 'reset' }))
  isNew = true
}
