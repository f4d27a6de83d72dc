// Longer than files are here: all of it needs the same topics and members of groups, on one broker.
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { testBrokers, undisturbed, until } from '@posthorn/testkit'
import type { KafkaConnection } from './connection.js'
import { GroupConsumer } from './group-consumer.js'
import { GroupProgress } from './group-progress.js'
import type { ConsumedRecord, GroupConsumerOptions, PartitionClaim } from './record.js'
import { SafeProducer } from './safe-producer.js'
import { dropTopics, makeTopics, MORE, testConnection, WORK } from './test-cluster.js'

const PARTITIONS = 4
/** Well beyond a session of 10 s, whose end a busy broker notices late. */
const FROZEN_MS = 13_000

describe('GroupConsumer on a real broker', () => {
  let connection: KafkaConnection
  let producer: SafeProducer
  const consumers: GroupConsumer[] = []
  let groups = 0
  let sent = 0

  beforeAll(async () => {
    connection = testConnection(testBrokers(), PARTITIONS)
    await makeTopics(connection, WORK, MORE)
    producer = new SafeProducer(connection)
    await producer.connect()
  }, 30_000)

  afterEach(async () => {
    await Promise.all(consumers.splice(0).map(consumer => consumer.stop()))
  })

  afterAll(async () => {
    await producer.close()
    await dropTopics(connection)
  })

  /** What one consumer saw. */
  interface Member {
    readonly consumer: GroupConsumer
    readonly records: ConsumedRecord[]
    readonly claims: Map<string, PartitionClaim>
    readonly fatal: Error[]
  }

  const idOf = ({ topic, partition, offset }: { topic: { name: string }; partition: number; offset: number }) =>
    `${topic.name}/${partition}/${offset}`

  function join(group: string, handle: (record: ConsumedRecord, claim: PartitionClaim) => void, more = {}): Member {
    const records: ConsumedRecord[] = []
    const claims = new Map<string, PartitionClaim>()
    const fatal: Error[] = []
    const options: GroupConsumerOptions = {
      group,
      topics: [WORK],
      fatal: error => fatal.push(error),
      onAssigned: list => list.forEach(claim => claims.set(`${claim.topic.name}/${claim.partition}`, claim)),
      onRevoked: list => list.forEach(claim => claims.delete(`${claim.topic.name}/${claim.partition}`)),
      onBatch: ({ claim, records: batch }) => {
        records.push(...batch)
        for (const record of batch) handle(record, claim)
      },
      ...more,
    }
    const consumer = new GroupConsumer(connection, options)
    consumers.push(consumer)
    return { consumer, records, claims, fatal }
  }

  /** Sends `count` records over all partitions; ids of the records. */
  async function produce(count: number, topic = WORK): Promise<string[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const n = sent++
        const value = Buffer.from(`value ${n}`)
        const position = await producer.send(topic, { key: Buffer.from(`k${n}`), value }, { partition: n % PARTITIONS })
        return idOf({ topic, ...position })
      }),
    )
  }

  async function committed(group: string): Promise<Map<number, { offset: number; metadata: string | null }>> {
    return connection.withAdmin(async admin => {
      const [topic] = await admin.fetchOffsets({ groupId: connection.prefix + group, topics: [connection.topic(WORK)] })
      return new Map(topic!.partitions.map(p => [p.partition, { offset: Number(p.offset), metadata: p.metadata }]))
    })
  }

  async function ends(): Promise<Map<number, number>> {
    const offsets = await connection.withAdmin(admin => admin.fetchTopicOffsets(connection.topic(WORK)))
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
  }

  /** Begins anew where this process stood still: the group then took it for dead, and no count of records holds. */
  const test = (title: string, scenario: () => Promise<void>, ms: number) => it(title, () => undisturbed(scenario), ms)

  /** A number once it has not changed for a second: what was on its way has come. */
  async function settled(count: () => number): Promise<number> {
    for (let last = count(), since = performance.now(); ; await sleep(10)) {
      if (count() !== last) [last, since] = [count(), performance.now()]
      if (performance.now() - since > 1000) return last
    }
  }

  const isCommitted = async (group: string) => {
    const [done, wanted] = [await committed(group), await ends()]
    return [...wanted].every(([partition, end]) => done.get(partition)?.offset === end)
  }

  it('hands out what is produced, with key, value and append time, and commits the ends', async () => {
    const group = `g${groups++}`
    const member = join(group, (record, claim) => claim.done(record.offset))
    await member.consumer.start()
    expect(member.consumer.readiness() === undefined || member.claims.size === 0).toBe(true)
    const before = Date.now()
    const ids = await produce(200)
    await until(() => new Set(member.records.map(idOf)).size === 200, 10_000)
    expect(new Set(member.records.map(idOf))).toEqual(new Set(ids))
    const first = member.records.find(record => record.value!.toString() === 'value 0')!
    expect(first.key!.toString()).toBe('k0')
    expect(first.timestamp).toBeGreaterThanOrEqual(before)
    expect(first.timestamp).toBeLessThanOrEqual(Date.now())
    await until(() => isCommitted(group), 10_000)
    await until(() => member.consumer.readiness() === undefined && member.consumer.healthyMembership(), 10_000)
    expect(member.consumer.liveness()).toBeUndefined()
    await member.consumer.stop()
    expect(member.consumer.healthyMembership()).toBe(false)
  }, 30_000)

  test('lets another one join when what is under way has ended and is committed, and is not healthy until then', async () => {
    const group = `g${groups++}`
    const held: (() => void)[] = []
    let end!: () => void
    const ended = new Promise<void>(resolve => (end = resolve))
    let askedAt = 0
    const onRebalancing = () => ((askedAt = performance.now()), ended)
    const first = join(group, ({ offset }, claim) => held.push(() => claim.done(offset)), { onRebalancing })
    await first.consumer.start()
    const all = [...(await ends()).values()].reduce((sum, last) => sum + last, 0) + (await produce(20)).length
    await until(() => held.length === all, 10_000)
    const second = join(group, () => undefined)
    const started = second.consumer.start()
    await until(() => askedAt > 0, 10_000)
    await sleep(500)
    expect(first.claims.size).toBe(PARTITIONS)
    expect(second.claims.size).toBe(0)
    expect(first.consumer.healthyMembership()).toBe(false)
    for (const finish of held) finish()
    end()
    await started
    await until(() => first.claims.size + second.claims.size === PARTITIONS && second.claims.size > 0, 10_000)
    await until(() => first.consumer.healthyMembership(), 5000)
    expect(await isCommitted(group)).toBe(true)
    await sleep(500)
    expect(second.records).toEqual([])
  }, 40_000)

  it('waits for 3 s at most before it lets another one join', async () => {
    const group = `g${groups++}`
    let aborted = false
    const onRebalancing = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => (aborted = true))
      return new Promise<void>(() => undefined)
    }
    const first = join(group, () => undefined, { onRebalancing })
    await first.consumer.start()
    const second = join(group, () => undefined)
    await second.consumer.start()
    await until(() => second.claims.size > 0 && first.consumer.healthyMembership(), 15_000)
    expect(aborted).toBe(true)
    expect(first.fatal).toEqual([])
  }, 40_000)

  test('repeats after a restart only what was unfinished, though a record below it never finished', async () => {
    const group = `g${groups++}`
    await produce(400)
    const all = [...(await ends()).values()].reduce((sum, end) => sum + end, 0)
    const stuck = new Set<string>()
    const first = join(group, (record, claim) => {
      if (record.offset % 50 === 10) stuck.add(idOf(record))
      else claim.done(record.offset)
    })
    await first.consumer.start()
    await until(() => first.records.length === all, 10_000)
    await first.consumer.stop()
    const kept = await committed(group)
    expect([...kept.values()].every(({ offset }) => offset === 10)).toBe(true)
    const progress = new GroupProgress(connection, { name: group, topics: [WORK] })
    const isFinished = await progress.finishedOf(WORK)
    const unfinished = first.records.filter(({ partition, offset }) => !isFinished(partition, offset))
    expect(unfinished.map(idOf).sort()).toEqual([...stuck].sort())
    expect(isFinished(0, (await ends()).get(0)!)).toBe(false)
    expect((await progress.finishedOf(MORE))(0, 0)).toBe(false)
    await progress.close()

    const second = join(group, () => undefined)
    await second.consumer.start()
    const fresh = await produce(20)
    await until(() => fresh.every(id => second.records.some(record => idOf(record) === id)), 10_000)
    await second.consumer.stop()
    expect(second.records.map(idOf).sort()).toEqual([...stuck, ...fresh].sort())

    // The bitmap survives a restart in which nothing at all was finished.
    const third = join(group, (record, claim) => claim.done(record.offset))
    await third.consumer.start()
    await until(() => isCommitted(group), 10_000)
    expect(third.records.map(idOf).sort()).toEqual([...stuck, ...fresh].sort())
    expect([...first.fatal, ...second.fatal, ...third.fatal]).toEqual([])
  }, 60_000)

  it('reads on from the commit when its metadata is foreign', async () => {
    const group = `g${groups++}`
    await produce(40)
    const starts = new Map([...(await ends())].map(([partition, end]) => [partition, end - 5]))
    await connection.withAdmin(admin =>
      admin.setOffsets({
        groupId: connection.prefix + group,
        topic: connection.topic(WORK),
        partitions: [...starts].map(([partition, offset]) => ({
          partition,
          offset: String(offset),
          metadata: '{"of":"another library"}',
        })),
      }),
    )
    const member = join(group, (record, claim) => claim.done(record.offset))
    await member.consumer.start()
    await until(() => isCommitted(group), 10_000)
    for (const [partition, start] of starts) {
      const offsets = member.records.filter(record => record.partition === partition).map(({ offset }) => offset)
      expect(Math.min(...offsets)).toBe(start)
    }
  }, 30_000)

  test('S10 stops fetching a partition whose window is full of one stuck record, while the others go on', async () => {
    const group = `g${groups++}`
    const start = await ends()
    const member = join(
      group,
      (record, claim) => {
        if (record.partition !== 1 || record.offset !== start.get(1)) claim.done(record.offset)
      },
      { window: 100 },
    )
    await connection.withAdmin(admin =>
      admin.setOffsets({
        groupId: connection.prefix + group,
        topic: connection.topic(WORK),
        partitions: [...start].map(([partition, offset]) => ({ partition, offset: String(offset) })),
      }),
    )
    await member.consumer.start()
    let ids: string[] = []
    for (let round = 0; round < 10; round++) {
      ids = ids.concat(await produce(200))
      await until(() => member.records.filter(({ partition }) => partition === 0).length === 50 * (round + 1), 10_000)
    }
    const stuck = member.records.filter(({ partition }) => partition === 1)
    expect(stuck.length).toBeGreaterThanOrEqual(100)
    expect(stuck.length).toBeLessThan(400)
    await until(async () => (await committed(group)).get(0)?.offset === start.get(0)! + 500, 5000)
    expect((await committed(group)).get(1)!.offset).toBe(start.get(1))

    member.claims.get('work.v1/1')!.done(start.get(1)!)
    await until(() => new Set(member.records.map(idOf)).size === ids.length, 10_000)
    await until(() => isCommitted(group), 5000)
    expect(member.records.length).toBe(ids.length)
  }, 60_000)

  it('stops fetching what holds most when the bytes of unfinished records reach the limit', async () => {
    const group = `g${groups++}`
    const held: { record: ConsumedRecord; claim: PartitionClaim }[] = []
    const size = 64 * 1024
    await Promise.all(
      Array.from({ length: 160 }, (_, n) =>
        producer.send(MORE, { key: null, value: Buffer.alloc(size) }, { partition: n % PARTITIONS }),
      ),
    )
    const options = { topics: [MORE], maxUnfinishedBytes: 8 * size }
    const member = join(group, (record, claim) => held.push({ record, claim }), options)
    await member.consumer.start()
    await until(() => member.claims.size === PARTITIONS && held.length > 8, 10_000)
    // One fetch of 1 MiB a partition is the most that comes beyond the limit; without it all would come.
    expect(await settled(() => held.length)).toBeLessThanOrEqual(16 * PARTITIONS)
    await until(() => {
      for (const { record, claim } of held.splice(0)) claim.done(record.offset)
      return new Set(member.records.map(idOf)).size === 160
    }, 20_000)
  }, 60_000)

  test('shares two topics with a second member by equal partitions, fences the first, and takes over when it leaves', async () => {
    const group = `g${groups++}`
    const late: { record: ConsumedRecord; claim: PartitionClaim }[] = []
    const topics = { topics: [WORK, MORE], copartitioned: true }
    const a = join(group, (record, claim) => late.push({ record, claim }), topics)
    await a.consumer.start()
    await until(() => a.claims.size === 2 * PARTITIONS, 10_000)
    const kept = new Map(a.claims)
    await produce(40)
    await until(() => late.length > 0, 10_000)

    const b = join(group, (record, claim) => claim.done(record.offset), topics)
    await b.consumer.start()
    await until(() => a.claims.size === PARTITIONS && b.claims.size === PARTITIONS, 15_000)
    for (const { claims } of [a, b])
      for (const key of claims.keys())
        expect(claims.has(key.startsWith('work') ? key.replace('work', 'more') : key.replace('more', 'work'))).toBe(
          true,
        )
    for (const [key, claim] of kept) {
      expect(claim.revoked.aborted).toBe(!a.claims.has(key))
      if (a.claims.has(key)) expect(a.claims.get(key)).toBe(claim)
    }
    await until(() => isHeldByOne(a, b), 10_000)

    // Finished late: counts where the claim is alive, does nothing where it is not.
    const before = await committed(group)
    const ours = [...a.claims.values()].filter(({ topic }) => topic === WORK).map(({ partition }) => partition)
    const wanted = await ends()
    await until(async () => {
      for (const { record, claim } of late.splice(0)) claim.done(record.offset)
      const now = await committed(group)
      return ours.every(partition => now.get(partition)!.offset === wanted.get(partition))
    }, 10_000)
    for (const [partition, { offset }] of await committed(group))
      expect(offset).toBeGreaterThanOrEqual(before.get(partition)!.offset)
    expect(new Set(a.records.map(idOf)).size).toBe(a.records.length)

    await a.consumer.stop()
    await until(() => b.claims.size === 2 * PARTITIONS, 15_000)
    const more = await produce(40)
    await until(() => more.every(id => b.records.some(record => idOf(record) === id)), 10_000)
    await until(() => isCommitted(group), 10_000)
    expect(new Set(b.records.map(idOf)).size).toBe(b.records.length)
    expect([...a.fatal, ...b.fatal]).toEqual([])
  }, 60_000)

  function isHeldByOne(a: Member, b: Member): boolean {
    return new Set([...a.claims.keys(), ...b.claims.keys()]).size === a.claims.size + b.claims.size
  }

  test('drains: fetches no more and waits for what is unfinished', async () => {
    const group = `g${groups++}`
    await produce(8)
    const held: { record: ConsumedRecord; claim: PartitionClaim }[] = []
    const member = join(group, (record, claim) => held.push({ record, claim }))
    await member.consumer.start()
    await until(() => held.length > 0, 10_000)
    let drained = false
    const draining = member.consumer.drain().then(() => (drained = true))
    const count = await settled(() => held.length)
    expect(drained).toBe(false)
    await produce(40)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(held.length).toBe(count)
    for (const { record, claim } of held) claim.done(record.offset)
    await draining
    await member.consumer.stop()
    for (const { record, claim } of held) claim.done(record.offset)
    expect(held.every(({ claim }) => claim.revoked.aborted)).toBe(true)
  }, 30_000)

  it('takes no old answer for a sign of its membership after it was frozen', async () => {
    const group = `g${groups++}`
    let lost = false
    const member = join(group, (record, claim) => claim.done(record.offset), { onRevoked: () => (lost = true) })
    await member.consumer.start()
    await until(() => member.consumer.healthyMembership(), 10_000)
    await freezeAfterHeartbeat(FROZEN_MS)
    let healthy = 0
    await until(() => {
      if (!lost && member.consumer.healthyMembership()) healthy++
      return lost
    }, 20_000)
    expect(healthy).toBe(0)
    await until(() => member.consumer.healthyMembership(), 20_000)
  }, 60_000)

  test('pauses and resumes a claim for its user', async () => {
    const group = `g${groups++}`
    await produce(8)
    const member = join(group, (record, claim) => claim.done(record.offset))
    await member.consumer.start()
    await until(() => isCommitted(group), 20_000)
    member.claims.get('work.v1/2')!.pause()
    const ids = await produce(8)
    await until(() => ids.filter(id => member.records.some(record => idOf(record) === id)).length === 6, 10_000)
    await new Promise(resolve => setTimeout(resolve, 300))
    const seen = () => ids.filter(id => member.records.some(record => idOf(record) === id)).length
    expect(seen()).toBe(6)
    member.claims.get('work.v1/2')!.resume()
    await until(() => seen() === 8, 10_000)
  }, 30_000)

  it('knows after a freeze longer than its session that it may own nothing, and begins anew', async () => {
    const group = `g${groups++}`
    await produce(8)
    const held: { record: ConsumedRecord; claim: PartitionClaim }[] = []
    const member = join(group, (record, claim) => held.push({ record, claim }))
    await member.consumer.start()
    await until(
      () => held.length > 0 && member.consumer.readiness() === undefined && member.consumer.healthyMembership(),
      10_000,
    )
    const before = [...member.claims.values()]
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FROZEN_MS)
    expect(member.consumer.healthyMembership()).toBe(false)
    for (const { record, claim } of held.splice(0)) claim.done(record.offset)
    await until(() => before.every(claim => claim.revoked.aborted), 15_000)
    await until(() => member.consumer.healthyMembership() && member.claims.size === PARTITIONS, 15_000)
    await until(() => held.length > 0, 10_000)
    // What was finished in between was refused by the broker: it is read again from the commit.
    expect([...(await committed(group)).values()].every(({ offset }) => offset <= 0)).toBe(true)
    expect(Math.min(...held.map(({ record }) => record.offset))).toBe(0)
    expect(member.fatal).toEqual([])
  }, 60_000)

  it('tells fatal, once, when a handler throws', async () => {
    const group = `g${groups++}`
    await produce(8)
    const member = join(group, () => {
      throw new Error('a bug')
    })
    await member.consumer.start()
    await until(() => member.fatal.length > 0, 10_000)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(member.fatal.map(error => error.message)).toEqual(['a bug'])
    expect(member.consumer.liveness()).toBe('the consumer is dead')
  }, 30_000)
})

const HEARTBEAT = 12

/** Stops this process between a heartbeat and the reading of its answer, as SIGSTOP might. */
function freezeAfterHeartbeat(ms: number): Promise<void> {
  const write = Socket.prototype.write
  return new Promise(resolve => {
    Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
      const [bytes] = args
      const sent = Reflect.apply(write, this, args) as boolean
      if (Buffer.isBuffer(bytes) && bytes.length > 6 && bytes.readInt16BE(4) === HEARTBEAT) {
        Socket.prototype.write = write
        queueMicrotask(() => {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
          resolve()
        })
      }
      return sent
    } as typeof write
  })
}
