import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startKafkaCluster, type RunningKafkaCluster } from '@posthorn/embedded'
import { until } from '@posthorn/testkit'
import { KafkaConnection } from './connection.js'
import { GroupConsumer } from './group-consumer.js'
import { commitPositions } from './group-positions.js'
import { lowLevel } from './low-level.js'
import { PartitionFollower } from './partition-follower.js'
import { PartitionReader } from './partition-reader.js'
import { SafeProducer } from './safe-producer.js'
import { TableFollower } from './table-follower.js'
import { TABLE, testConnection, WORK } from './test-cluster.js'

const CACHE = join(import.meta.dirname, '..', '..', '..', '.posthorn', 'cache')
const PARTITIONS = 6
const RECORDS = 100_000
const KILLS = 10
/** What is produced between two turns of the loop: the whole spans the kills. */
const CHUNK = 100
const IDS = [1, 2, 3]
const GROUPS = 8
const OFFSET = 42
/** For what comes to be by itself, however slow the machine is. */
const PATIENT_MS = 60_000

describe('Three brokers, the leader of busy partitions killed ten times', () => {
  const dir = mkdtempSync(join(tmpdir(), 'cluster-'))
  let cluster: RunningKafkaCluster
  let connection: KafkaConnection

  beforeAll(async () => {
    cluster = await startKafkaCluster({ dir, cacheDir: CACHE, onProgress: () => undefined })
    connection = testConnection([...cluster.brokers], PARTITIONS)
    await until(() => connection.withAdmin(async a => (await a.describeCluster()).brokers.length === 3), PATIENT_MS)
    await connection.withAdmin(admin =>
      admin.createTopics({
        waitForLeaders: false,
        topics: [WORK, TABLE].map(topic => ({
          topic: connection.topic(topic),
          numPartitions: topic === WORK ? PARTITIONS : 1,
          replicationFactor: 3,
          configEntries: [
            { name: 'min.insync.replicas', value: '2' },
            { name: 'cleanup.policy', value: topic.cleanup },
          ],
        })),
      }),
    )
    await until(async () => (await leaders()).length === PARTITIONS, PATIENT_MS)
  }, 180_000)

  afterAll(async () => {
    connection?.close()
    await cluster?.stop()
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)

  it('every acknowledged record is in the log, a group reads each, and followers go on', async () => {
    const fatal: Error[] = []
    const onFatal = (error: Error) => void fatal.push(error)
    const consumed = new Set<string>()
    let redelivered = 0
    const consumer = new GroupConsumer(connection, {
      group: 'reader',
      topics: [WORK],
      fatal: onFatal,
      onBatch: ({ claim, records }) => {
        for (const { value, offset } of records) {
          if (consumed.has(value!.toString())) redelivered++
          consumed.add(value!.toString())
          claim.done(offset)
        }
      },
    })
    const table = new TableFollower<{ id: string; version: number }>(connection, {
      topic: TABLE,
      decode: bytes => ({ kind: 'document', document: { id: 'round', version: Number(bytes!.toString()) } }),
      fatal: onFatal,
    })
    const followed = new Followed(connection, onFatal)
    const producer = new SafeProducer(connection)
    await Promise.all([producer.connect(), consumer.start(), table.start()])

    const acknowledged: Promise<unknown>[] = []
    let killing = true
    const produce = async () => {
      for (let sent = 0; sent < RECORDS;) {
        // The rest at once when the kills are over.
        const until = killing ? CHUNK : RECORDS
        for (let i = 0; i < until && sent < RECORDS; i++, sent++)
          acknowledged.push(producer.send(WORK, { key: null, value: Buffer.from(`record ${sent}`) }))
        await producer.room()
        await sleep(killing ? 80 : 0)
      }
    }
    const kill = async () => {
      for (let round = 1; round <= KILLS; round++) {
        let leading: readonly number[] = []
        await until(async () => (leading = await leaders()).length === PARTITIONS, PATIENT_MS)
        const leader = busiest(leading)
        await cluster.kill(leader)
        await producer.send(TABLE, { key: Buffer.from('round'), value: Buffer.from(String(round)) })
        await until(() => table.waitFor('round', round, 1000), PATIENT_MS)
        await cluster.restart(leader)
        await until(
          async () => (await inSync()) === PARTITIONS * 3,
          PATIENT_MS,
          () => 'replicas are missing',
        )
      }
      killing = false
    }
    const started = performance.now()
    await Promise.all([produce(), kill()])
    await Promise.all(acknowledged)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)

    await until(
      () => consumed.size === RECORDS,
      PATIENT_MS,
      () => `${consumed.size} were consumed`,
    )
    // The new leader of the last kill tells an end only once it is certain of it; a request that was given up may add to it.
    let ends: Awaited<ReturnType<typeof endsOfWork>> = []
    let inLog = 0
    let commits: readonly string[] = []
    await until(
      async () => {
        ends = await endsOfWork().catch(() => [])
        inLog = total(ends.map(({ high }) => high))
        commits = await committed().catch(() => [])
        return total(commits) === inLog && inLog > 0
      },
      PATIENT_MS,
      () =>
        `${inLog} records, committed by partition ${commits.join()}; the consumer: ${consumer.readiness() ?? 'ready'}`,
    )
    await followed.reach(ends.map(({ partition, high }) => [partition, Number(high)]))
    await Promise.all([consumer.stop(), table.stop(), followed.stop(), producer.close()])
    expect(followed.values.size).toBe(RECORDS)
    expect(followed.count).toBe(inLog)
    expect(fatal).toEqual([])
    console.log(`${seconds} s, ${inLog - RECORDS} records twice in the log, ${redelivered} handed out again`)
  }, 240_000)

  it('who asked a former leader for offsets asks the present one next', async () => {
    const reader = new PartitionReader(connection, connection.topic(WORK), 0)
    await reader.open()
    const start = await reader.start()
    const leaderNow = async () => (await partitions()).find(({ partitionId }) => partitionId === 0)?.leader ?? -1
    let former = -1
    await until(async () => (former = await leaderNow()) !== -1, PATIENT_MS)
    await cluster.kill(former)
    await until(async () => ![former, -1].includes(await leaderNow()), PATIENT_MS)
    await cluster.restart(former)
    await until(async () => (await inSync()) === PARTITIONS * 3, PATIENT_MS)
    // A broker that has just come back may still say that it leads; without a new question it would for 5 min.
    await until(async () => (await reader.start().catch(() => undefined)) === start, PATIENT_MS)
    await reader.close()
  }, 120_000)

  it('what was acknowledged and what a group has committed is told also right after all brokers were killed', async () => {
    const groups = Array.from({ length: GROUPS }, (_, i) => `${connection.prefix}group-${i}`)
    const topic = connection.topic(WORK)
    const commit = (group: string) => commitPositions(connection, group, [{ topic, partition: 0, offset: OFFSET }])
    await Promise.all(groups.map(commit))
    const readers = Array.from({ length: PARTITIONS }, (_, n) => new PartitionReader(connection, topic, n))
    await Promise.all(readers.map(reader => reader.open()))
    const acknowledged = await fill()
    await Promise.all(IDS.map(id => cluster.kill(id)))
    const ends = Promise.all(readers.map(firstEnd))
    const told = Promise.all(groups.map(group => firstTold(group, topic)))
    await Promise.all(IDS.map(id => cluster.restart(id)))
    expect(await told).toEqual(groups.map(() => OFFSET))
    expect(await ends).toEqual(acknowledged)
    await Promise.all(readers.map(reader => reader.close()))
  }, 180_000)

  /** The end of each partition, by what was acknowledged. */
  async function fill(): Promise<number[]> {
    const producer = new SafeProducer(connection)
    await producer.connect()
    const ends = Array.from({ length: PARTITIONS }, () => 0)
    const send = async (n: number) => {
      const { partition, offset } = await producer.send(WORK, { key: Buffer.from(`${n}`), value: Buffer.from('x') })
      ends[partition] = Math.max(ends[partition]!, offset + 1)
    }
    await Promise.all(Array.from({ length: 600 }, (_, n) => send(n)))
    await producer.close()
    return ends
  }

  /** The first answer, from before the brokers are back. */
  async function firstEnd(reader: PartitionReader): Promise<number> {
    for (;;)
      try {
        return await reader.end()
      } catch (error) {
        await reader.recover(error).catch(() => undefined)
        await sleep(50)
      }
  }

  /** The first answer about partition 0, from before the brokers are back. */
  async function firstTold(groupId: string, topic: string): Promise<number> {
    const { consumer, cluster: client } = lowLevel(connection, groupId, 0)
    for (;;)
      try {
        await consumer.connect()
        await client.refreshMetadata()
        const coordinator = await client.findGroupCoordinator({ groupId })
        const { responses } = await coordinator.offsetFetch({
          groupId,
          topics: [{ topic, partitions: [{ partition: 0, offset: '-1' }] }],
        })
        await consumer.disconnect()
        return Number(responses[0]!.partitions[0]!.offset)
      } catch {
        await sleep(50)
      }
  }

  function endsOfWork() {
    return connection.withAdmin(admin => admin.fetchTopicOffsets(connection.topic(WORK)))
  }

  /** None while one of them has no leader: kafkajs takes that for an error. */
  async function partitions() {
    const named = { topics: [connection.topic(WORK)] }
    const found = await connection.withAdmin(admin => admin.fetchTopicMetadata(named)).catch(() => undefined)
    return found?.topics[0]?.partitions ?? []
  }

  const leaders = async () => (await partitions()).map(({ leader }) => leader).filter(leader => leader > 0)
  const inSync = async () => (await partitions()).reduce((sum, { isr }) => sum + isr.length, 0)

  async function committed(): Promise<string[]> {
    const groupId = `${connection.prefix}reader`
    const [found] = await connection.withAdmin(admin =>
      admin.fetchOffsets({ groupId, topics: [connection.topic(WORK)] }),
    )
    return found!.partitions.map(({ offset }) => offset)
  }
})

/** Everything in the log, read outside of any group. */
class Followed {
  readonly values = new Set<string>()
  count = 0
  private readonly followers: readonly PartitionFollower[]

  constructor(connection: KafkaConnection, fatal: (error: Error) => void) {
    this.followers = Array.from({ length: PARTITIONS }, (_, partition) => {
      const read = ({ value }: { value: Buffer | null }) => {
        this.count++
        this.values.add(value!.toString())
      }
      const follower = new PartitionFollower(connection, connection.topic(WORK), partition, read, fatal)
      follower.start()
      return follower
    })
  }

  async reach(ends: [number, number][]): Promise<void> {
    await Promise.all(ends.map(([partition, end]) => this.followers[partition]!.reach(end)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.followers.map(follower => follower.stop()))
  }
}

/** Of offsets by partition; one without a commit has -1. */
function total(offsets: readonly string[]): number {
  return offsets.reduce((sum, offset) => sum + Math.max(0, Number(offset)), 0)
}

function busiest(leaders: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const leader of leaders) counts.set(leader, (counts.get(leader) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)[0]![0]
}
