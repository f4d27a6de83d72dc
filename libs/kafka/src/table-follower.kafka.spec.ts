import net from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { testBrokers, until } from '@posthorn/testkit'
import type { ReadDocument, TableMark } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'
import { PartitionReader } from './partition-reader.js'
import { SafeProducer } from './safe-producer.js'
import { TableFollower, type TablePosition } from './table-follower.js'
import { dropTopics, makeTopics, MORE, TABLE, testConnection, WORK } from './test-cluster.js'

interface Thing {
  readonly id: string
  readonly version: number
  readonly name: string
}

function decode(value: Buffer | null): ReadDocument<Thing> {
  if (!value) return { kind: 'tombstone' }
  const text = value.toString()
  if (text === 'publishing' || text === 'published') return { kind: 'mark', mark: text }
  if (text === 'newer') return { kind: 'newer', version: 9 }
  return text.startsWith('{') ? { kind: 'document', document: JSON.parse(text) } : { kind: 'bad', detail: 'no JSON' }
}

/** For what comes to be by itself, however slow the machine is. */
const PATIENT_MS = 60_000

describe('TableFollower on a real broker', () => {
  let connection: KafkaConnection
  let producer: SafeProducer
  const followers: TableFollower<Thing>[] = []
  const sockets = new Set<net.Socket>()

  beforeAll(async () => {
    const connect = net.connect.bind(net) as (...parameters: unknown[]) => net.Socket
    jest.spyOn(net, 'connect').mockImplementation(((...parameters: unknown[]) => {
      const socket = connect(...parameters)
      sockets.add(socket.once('close', () => sockets.delete(socket)))
      return socket
    }) as typeof net.connect)
    connection = testConnection(testBrokers(), 1)
    await makeTopics(connection, TABLE, WORK, MORE)
    producer = new SafeProducer(connection)
    await producer.connect()
  }, 30_000)

  afterEach(() => Promise.all(followers.splice(0).map(follower => follower.stop())))

  afterAll(async () => {
    await producer.close()
    jest.restoreAllMocks()
    await dropTopics(connection)
  })

  /** As a broker's kill looks from here. */
  const cutAll = () => {
    for (const socket of [...sockets]) socket.destroy(new Error('read ECONNRESET'))
  }

  const put = (thing: Thing, topic = TABLE) =>
    producer.send(topic, { key: Buffer.from(thing.id), value: Buffer.from(JSON.stringify(thing)) })
  const putRaw = (id: string, value: string | null) =>
    producer.send(TABLE, { key: Buffer.from(id), value: value === null ? null : Buffer.from(value) })

  function follow(topic = TABLE, kafka = connection) {
    const changes: [string, Thing | undefined, TablePosition][] = []
    const stale: [string, Thing, TablePosition][] = []
    const fatal: Error[] = []
    const follower = new TableFollower<Thing>(kafka, {
      topic,
      decode,
      fatal: error => fatal.push(error),
      onChange: (...change) => changes.push(change),
      onStale: (...ignored) => stale.push(ignored),
    })
    followers.push(follower)
    return { follower, changes, stale, fatal }
  }

  it('has all that was there when started, the newest version of each, and follows updates', async () => {
    for (let version = 1; version <= 3; version++) await put({ id: 'a', version, name: `a${version}` })
    await put({ id: 'b', version: 1, name: 'b1' })
    const { follower, fatal } = follow()
    await follower.start()
    expect(follower.size).toBe(2)
    expect(follower.get('a')!.name).toBe('a3')
    const took: number[] = []
    for (let version = 2; version <= 10; version++) {
      const waiting = follower.waitFor('b', version, PATIENT_MS)
      await put({ id: 'b', version, name: `b${version}` })
      const at = performance.now()
      expect(await waiting).toBe(true)
      took.push(performance.now() - at)
    }
    // An idle fetch ends after 500 ms, and each began when the one before was answered: they were woken.
    expect(took.sort((a, b) => a - b)[4]).toBeLessThan(300)
    expect(follower.get('b')!.name).toBe('b10')
    expect(await follower.waitFor('b', 1, 0)).toBe(true)
    expect(await follower.waitFor('b', 11, 50)).toBe(false)
    expect(fatal).toEqual([])
  }, 20_000)

  it('ignores an older version but tells of it, and removes by tombstone', async () => {
    const { follower, changes, stale } = follow()
    expect(follower.isCaughtUp).toBe(false)
    await follower.start()
    await put({ id: 'c', version: 5, name: 'c5' })
    await put({ id: 'c', version: 4, name: 'c4' })
    await putRaw('d', 'not JSON')
    await follower.readToEnd()
    expect(follower.get('c')!.name).toBe('c5')
    expect(follower.isCaughtUp).toBe(true)
    const [last] = stale
    expect([last![0], last![1].version, last![2].version, stale.length]).toEqual(['c', 4, 4, 1])
    expect(changes.at(-1)![1]!.version).toBe(5)
    await putRaw('c', null)
    await follower.readToEnd()
    expect(follower.get('c')).toBeUndefined()
    expect(changes.at(-1)!.slice(0, 2)).toEqual(['c', undefined])
    expect([...follower.values()].some(({ id }) => id === 'c')).toBe(false)
  }, 20_000)

  it('goes on after every connection was cut', async () => {
    const { follower, fatal } = follow()
    await follower.start()
    for (let round = 1; round <= 3; round++) {
      cutAll()
      await put({ id: 'e', version: round, name: `e${round}` })
      expect(await follower.waitFor('e', round, PATIENT_MS)).toBe(true)
    }
    expect(fatal).toEqual([])
  }, 60_000)

  it('knows that it is behind after its process stood still, and when it is not any more', async () => {
    const { follower } = follow()
    expect(follower.isBehind).toBe(false)
    await follower.start()
    await until(() => !follower.isBehind, 5_000)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_100)
    expect(follower.isBehind).toBe(true)
    await until(() => !follower.isBehind, 5_000)
  }, 20_000)

  it('reads anew when retention has removed where it stands', async () => {
    const { follower, changes, stale, fatal } = follow(WORK)
    await follower.start()
    const { offset } = await put({ id: 'f', version: 1, name: 'f1' }, WORK)
    await follower.readToEnd()
    await connection.withAdmin(async admin => {
      const topic = connection.topic(WORK)
      // Only this makes the admin client read the topic's metadata.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset + 1) }] })
    })
    const late = follow(WORK)
    await late.follower.start()
    expect(late.follower.size).toBe(0)
    await put({ id: 'f', version: 2, name: 'f2' }, WORK)
    expect(await follower.waitFor('f', 2, PATIENT_MS)).toBe(true)
    expect(await late.follower.waitFor('f', 2, PATIENT_MS)).toBe(true)
    expect([changes.at(-1)![1]!.version, stale]).toEqual([2, []])
    expect(fatal).toEqual([])
  }, 60_000)

  it('is whole when its registry has said so, not while it publishes for the first time', async () => {
    const mark = (value: TableMark) => producer.send(MORE, { key: Buffer.from('#'), value: Buffer.from(value) })
    const { follower, changes } = follow(MORE)
    expect(follower.isWhole).toBe(false)
    await follower.start()
    let told = false
    void follower.whole.then(() => (told = true))
    expect([follower.isUntouched, follower.isWhole]).toEqual([true, false])
    await mark('publishing')
    await put({ id: 'h', version: 1, name: 'h1' }, MORE)
    await follower.readToEnd()
    const begun = follow(MORE).follower
    await begun.start()
    for (const one of [follower, begun])
      expect([one.mark, one.isUntouched, one.isWhole, one.size]).toEqual(['publishing', false, false, 1])
    expect(told).toBe(false)
    await mark('published')
    await Promise.all([follower.whole, begun.whole])
    // Of a registry that was late.
    await mark('publishing')
    await follower.readToEnd()
    expect([follower.mark, follower.isWhole, changes.length]).toEqual(['publishing', true, 1])
  }, 20_000)

  it('is whole without a mark, when its registry wrote none', async () => {
    const { follower } = follow(WORK)
    await put({ id: 'i', version: 1, name: 'i1' }, WORK)
    await follower.start()
    await follower.whole
    expect([follower.mark, follower.isWhole]).toEqual([undefined, true])
  }, 20_000)

  it('newer frame: is fatal at a document of a newer grammar', async () => {
    const { follower, fatal } = follow()
    await follower.start()
    await putRaw('g', 'newer')
    await until(() => fatal.length > 0, 10_000)
    expect(fatal[0]!.message).toContain('update it')
  }, 20_000)

  it('is not whole by a document of another partition that is read before the mark', async () => {
    const parted = testConnection(testBrokers(), 2)
    await makeTopics(parted, WORK)
    const writer = new SafeProducer(parted)
    await writer.connect()
    const write = (partition: number, key: string, value: string) =>
      writer.send(WORK, { key: Buffer.from(key), value: Buffer.from(value) }, { partition })
    const first = holdFetches(0)
    const { follower } = follow(WORK, parted)
    await follower.start()
    let told = false
    void follower.whole.then(() => (told = true))
    await write(0, '#', 'publishing')
    await write(1, 'j', JSON.stringify({ id: 'j', version: 1, name: 'j1' }))
    expect(await follower.waitFor('j', 1, PATIENT_MS)).toBe(true)
    expect([follower.mark, follower.isWhole]).toEqual([undefined, false])
    first.letGo()
    await follower.readToEnd()
    expect([follower.mark, follower.isWhole, told]).toEqual(['publishing', false, false])
    await write(0, '#', 'published')
    await follower.whole
    await writer.close()
    await dropTopics(parted)
  }, 30_000)
})

/** What is fetched of one partition is handed out only once it is let go, as with a leader that is slow. */
function holdFetches(partition: number): { readonly letGo: () => void } {
  let letGo!: () => void
  const held = new Promise<void>(resolve => (letGo = resolve))
  const fetch = Reflect.get(PartitionReader.prototype, 'fetch')
  jest.spyOn(PartitionReader.prototype, 'fetch').mockImplementation(async function (this: PartitionReader, ...asked) {
    const fetched = await fetch.apply(this, asked)
    if (Reflect.get(this, 'partition') === partition) await held
    return fetched
  })
  return { letGo }
}
