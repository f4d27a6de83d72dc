// Longer than files are here: all of it needs foreign topics, a reader of what came of them, and processes that are started over again.
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { commitPositions, createTopics, KafkaConnection, kafkaOptionsFrom, planTopics } from '@posthorn/kafka'
import { Health, readSettings, type RunningService } from '@posthorn/process'
import { createLogger } from '@posthorn/telemetry'
import { testBrokers, until } from '@posthorn/testkit'
import {
  decodeEvent,
  decodePoison,
  encodeSource,
  encodeTenant,
  EVENTS,
  POISON,
  sourceGroup,
  SOURCES,
  TENANTS,
  type PoisonHead,
  type TopicRecord,
} from '@posthorn/topics'
import type { Source, WebhookEvent } from '@posthorn/webhook'
import { Kafka, logLevel, Partitioners, type Admin, type Consumer, type Message, type Producer } from 'kafkajs'
import { ingestService } from './service.js'

const WAIT_MS = 40_000
const KEY = 'a-platform-key-for-this-test'
/** Names of this run's topics: they are foreign, so nothing of Posthorn's prefix is in them. */
const OWN = `shop${randomBytes(4).toString('hex')}`
const env = {
  POSTHORN_KAFKA_BROKERS: testBrokers().join(),
  POSTHORN_KAFKA_PREFIX: `t-${randomBytes(5).toString('hex')}.`,
  POSTHORN_KAFKA_PARTITIONS: '2',
  POSTHORN_LOG_LEVEL: 'silent',
  POSTHORN_LISTEN_HOST: '127.0.0.1',
  POSTHORN_INGEST_PORT: '0',
  POSTHORN_INGEST_GRPC_PORT: '0',
  POSTHORN_AUTH_PLATFORM_KEY: KEY,
  POSTHORN_INGEST_SOURCES_REFRESH_MS: '300',
}
const settings = readSettings(env)
const log = createLogger('silent', 'test')
const connection = new KafkaConnection(kafkaOptionsFrom(settings, log, 'sources-test'))

/** As a team with Kafka has it: a client that knows nothing of Posthorn. */
const theirs = new Kafka({ brokers: testBrokers(), clientId: 'shop', logLevel: logLevel.NOTHING })
const events: { readonly event: WebhookEvent; readonly data: Buffer }[] = []
const poison: { readonly head: PoisonHead; readonly body: Buffer }[] = []
const running = new Set<RunningService>()
let admin: Admin
let producer: Producer
let reader: Consumer

async function startIngest(sources: readonly object[]): Promise<RunningService> {
  const health = new Health({ scrape: () => undefined, shutdown: async () => undefined })
  const fatal = (error: Error) => {
    throw error
  }
  const own = readSettings({ ...env, POSTHORN_INGEST_SOURCES: JSON.stringify(sources) })
  const ingest = await ingestService.start({ settings: own, logger: log, health, fatal })
  running.add(ingest)
  return ingest
}

async function stop(ingest: RunningService): Promise<void> {
  running.delete(ingest)
  await ingest.stop()
}

const nameOf = (topic: string) => `${OWN}-${topic}`

async function makeTopic(topic: string, numPartitions = 2): Promise<string> {
  const name = nameOf(topic)
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic: name, numPartitions, replicationFactor: 1 }] })
  // kafkajs's own wait fails when the broker does not know the topic yet; this asks each leader.
  await until(async () => {
    const offsets = await admin.fetchTopicOffsets(name).catch(() => [])
    return offsets.length === numPartitions
  }, WAIT_MS)
  return name
}

async function produce(topic: string, messages: (Message | string)[]): Promise<void> {
  await producer.send({
    topic: nameOf(topic),
    messages: messages.map(message => (typeof message === 'string' ? { value: message } : message)),
  })
}

/** A source of one topic whose events have the topic's name as their source. */
function source(topic: string, changes: object = {}, event: object = {}) {
  return {
    id: topic,
    topic: nameOf(topic),
    start: 'earliest',
    ...changes,
    event: { tenant: 'acme', type: `${topic}.happened`, ...event },
  }
}

const accepted = (type: string) => events.filter(({ event }) => event.type === type)
const dataOf = (type: string) => accepted(type).map(({ data }) => data.toString())
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => String(from + i))

async function untilAccepted(type: string, count: number): Promise<void> {
  await until(
    () => new Set(dataOf(type)).size >= count,
    WAIT_MS,
    () => `${accepted(type).length} of ${count} events of ${type} were accepted`,
  )
}

/** What the registry does when a source is changed over the API. */
async function publishSource(document: Source): Promise<void> {
  await send(connection.topic(SOURCES), encodeSource(document))
}

async function send(topic: string, { key, value }: TopicRecord): Promise<void> {
  await producer.send({ topic, messages: [{ key, value }] })
}

async function committed(id: string, topic: string): Promise<number> {
  const groupId = sourceGroup(connection.prefix, id)
  const [found] = await admin.fetchOffsets({ groupId, topics: [nameOf(topic)] })
  return found!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
}

beforeAll(async () => {
  await createTopics(connection, await planTopics(connection))
  admin = theirs.admin()
  producer = theirs.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false })
  reader = connection.kafka.consumer({ groupId: `${connection.prefix}reader`, maxWaitTimeInMs: 100 })
  await Promise.all([admin.connect(), producer.connect(), reader.connect()])
  await send(connection.topic(TENANTS), encodeTenant({ id: 'acme', version: 1, status: 'active' }))
  await reader.subscribe({ topics: [connection.topic(EVENTS), connection.topic(POISON)], fromBeginning: true })
  await reader.run({
    eachMessage: async ({ topic, message: { key, value, headers, timestamp } }) => {
      if (topic === connection.topic(POISON)) {
        const read = decodePoison(value)
        if (read.kind !== 'poison') throw new Error(read.kind)
        poison.push(read)
      } else {
        const read = decodeEvent({ key, value, headers: headers ?? {}, timestamp: Number(timestamp) }, undefined)
        if (read.kind === 'bad') throw new Error(JSON.stringify(read.problems))
        events.push(read)
      }
    },
  })
}, 60_000)

afterEach(() => Promise.all([...running].map(stop)), 30_000)

afterAll(async () => {
  const topics = (await admin.listTopics()).filter(name => name.startsWith(OWN))
  await admin.deleteTopics({ topics })
  await Promise.all([reader.disconnect(), producer.disconnect(), admin.disconnect()])
}, 30_000)

describe("topics of the user's own", () => {
  it('S4 make events of the records of plain producers, with their exact bytes and in the order of a key', async () => {
    await makeTopic('orders')
    const value = (i: number) => `{ "n" : ${i}, "big": 12345678901234567890,\n"kind":"order.paid" }`
    const event = {
      type: { pointer: '/kind' },
      id: { header: 'message-id' },
      key: { record: 'key' },
      source: { record: 'topic' },
    }
    const message = (i: number) => ({ key: `k${i % 3}`, value: value(i), headers: { 'message-id': `m-${i}` } })
    await produce('orders', numbers(60).map(Number).map(message))
    await startIngest([source('orders', {}, event)])
    await untilAccepted('order.paid', 60)
    const found = accepted('order.paid')
    expect(found.map(({ event }) => event.id).sort()).toEqual(
      numbers(60)
        .map(i => `m-${i}`)
        .sort(),
    )
    expect(found[0]!.event).toMatchObject({ tenant: 'acme', source: nameOf('orders'), contenttype: 'application/json' })
    for (const key of ['k0', 'k1', 'k2']) {
      const ofKey = found.filter(({ event }) => event.partitionkey === key).map(({ data }) => data.toString())
      expect(ofKey).toEqual(
        numbers(60)
          .map(Number)
          .filter(i => `k${i % 3}` === key)
          .map(value),
      )
    }
    await until(async () => (await committed('orders', 'orders')) === 60, WAIT_MS)
  }, 60_000)

  it('put a record that cannot be an event aside with its place and reason, skip tombstones, and go on', async () => {
    const topic = await makeTopic('mixed', 1)
    await startIngest([source('mixed', {}, { tenant: { header: 'tenant' }, type: { pointer: '/type' } })])
    const headers = { tenant: 'acme' }
    await produce('mixed', [
      { value: 'not JSON', headers },
      { value: '{}', headers },
      { value: '{"type":"a b"}', headers },
      { value: '{"type":"mixed.done"}', headers: { tenant: 'nobody' } },
      { value: '{"type":"mixed.done"}' },
      { value: JSON.stringify({ type: 'x', text: 'x'.repeat(settings.ingestMaxEventBytes) }), headers },
      { key: 'gone', value: null },
      // Kafka takes a header without a value; kafkajs's types do not know it.
      { value: '{"type":"mixed.done"}', headers: { ...headers, traceparent: null as unknown as string } },
    ])
    await untilAccepted('mixed.done', 1)
    await until(() => poison.filter(({ head }) => head.topic === topic).length === 6, WAIT_MS)
    const found = poison.filter(({ head }) => head.topic === topic).sort((a, b) => a.head.offset - b.head.offset)
    expect(found.map(({ head }) => [head.offset, head.reason, head.pointers?.join()])).toEqual([
      [0, 'undecodable', ''],
      [1, 'invalid_event', '/type'],
      [2, 'invalid_event', '/type'],
      [3, 'invalid_event', '/tenant'],
      [4, 'invalid_event', '/tenant'],
      [5, 'too_large', undefined],
    ])
    expect(found[0]).toMatchObject({ head: { source: 'mixed', partition: 0, headers }, body: Buffer.from('not JSON') })
    expect(accepted('mixed.done')).toHaveLength(1)
    await until(async () => (await committed('mixed', 'mixed')) === 8, WAIT_MS)
  }, 60_000)

  it('lose nothing over restarts in the middle of a stream', async () => {
    await makeTopic('stream', 3)
    const definition = [source('stream')]
    let ingest = await startIngest(definition)
    for (let round = 0; round < 3; round++) {
      await produce('stream', numbers(500, round * 500))
      await untilAccepted('stream.happened', round * 500 + 1)
      await stop(ingest)
      ingest = await startIngest(definition)
    }
    await untilAccepted('stream.happened', 1500)
    expect(new Set(dataOf('stream.happened'))).toEqual(new Set(numbers(1500)))
  }, 90_000)

  it('give a record that is read again the same identity, so that its delivery is dropped as seen', async () => {
    const topic = await makeTopic('again', 1)
    await produce('again', numbers(20))
    let ingest = await startIngest([source('again')])
    await until(async () => (await committed('again', 'again')) === 20, WAIT_MS)
    await stop(ingest)
    // As after a kill before the commit.
    const groupId = sourceGroup(connection.prefix, 'again')
    await commitPositions(connection, groupId, [{ topic, partition: 0, offset: 5 }])
    ingest = await startIngest([source('again')])
    await until(() => accepted('again.happened').length === 35, WAIT_MS)
    const ids = new Map(accepted('again.happened').map(({ event, data }) => [data.toString(), event.id]))
    expect(new Set(accepted('again.happened').map(({ event }) => event.id))).toEqual(new Set(ids.values()))
    expect(ids.size).toBe(20)
  }, 60_000)

  it('are shared by two processes, and taken over by the one that is left', async () => {
    await makeTopic('shared', 4)
    const [one] = await Promise.all([startIngest([source('shared')]), startIngest([source('shared')])])
    const groupId = sourceGroup(connection.prefix, 'shared')
    await until(async () => {
      const { groups } = await admin.describeGroups([groupId])
      return groups[0]!.state === 'Stable' && groups[0]!.members.length === 2
    }, WAIT_MS)
    await produce('shared', numbers(200))
    await untilAccepted('shared.happened', 200)
    expect(accepted('shared.happened')).toHaveLength(200)
    await Promise.all([stop(one), produce('shared', numbers(200, 200))])
    await untilAccepted('shared.happened', 400)
  }, 60_000)

  it('that do not exist yet stop neither the others nor HTTP, and are read from their start when they appear', async () => {
    await makeTopic('present', 1)
    const ingest = await startIngest([source('late', { start: 'latest' }), source('present')])
    await produce('present', ['1'])
    await untilAccepted('present.happened', 1)
    const response = await fetch(`http://${ingest.addresses.http}/v1/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: '{"type":"http.happened","data":1}',
    })
    expect(response.status).toBe(202)
    await makeTopic('late', 1)
    await produce('late', ['1', '2'])
    await untilAccepted('late.happened', 2)
  }, 60_000)

  it('that are deleted stop neither the others nor HTTP, and made anew they are read anew', async () => {
    const topic = await makeTopic('brief', 1)
    await makeTopic('lasting', 1)
    const ingest = await startIngest([source('brief'), source('lasting')])
    await Promise.all([produce('brief', numbers(5)), produce('lasting', ['1'])])
    await Promise.all([untilAccepted('brief.happened', 5), untilAccepted('lasting.happened', 1)])
    await until(async () => (await committed('brief', 'brief')) === 5, WAIT_MS)
    await admin.deleteTopics({ topics: [topic] })
    await produce('lasting', ['2'])
    await untilAccepted('lasting.happened', 2)
    await makeTopic('brief', 1)
    await produce(
      'brief',
      ['new'].map(text => JSON.stringify(text)),
    )
    await untilAccepted('brief.happened', 6)
    const response = await fetch(`http://${ingest.addresses.http}/v1/publish`, { method: 'POST' })
    expect(response.status).toBe(401)
  }, 60_000)

  it("are found by a pattern, new ones too, and never Posthorn's own", async () => {
    await makeTopic('eu-1', 1)
    const prefix = connection.prefix.replaceAll('.', '\\.')
    const pattern = `(${OWN}-(eu|us)-\\d|${prefix}.*|__.*)`
    const definition = {
      ...source('regions'),
      topic: undefined,
      pattern,
      event: { tenant: 'acme', type: 'regions.happened' },
    }
    await startIngest([definition])
    await produce('eu-1', ['1'])
    await untilAccepted('regions.happened', 1)
    await makeTopic('us-1', 1)
    await makeTopic('asia-1', 1)
    await produce('asia-1', ['99'])
    await produce('us-1', ['2', '3'])
    await produce('eu-1', ['4'])
    await untilAccepted('regions.happened', 4)
    expect(dataOf('regions.happened').sort()).toEqual(['1', '2', '3', '4'])
  }, 60_000)

  it('whose pattern takes for ever stop neither the others nor HTTP', async () => {
    await makeTopic('a'.repeat(32), 1)
    await makeTopic('quick', 1)
    const { topic: _, ...slow } = source('slow')
    const ingest = await startIngest([{ ...slow, pattern: `${OWN}-(a+)+b` }, source('quick')])
    await produce('quick', ['1'])
    await untilAccepted('quick.happened', 1)
    const response = await fetch(`http://${ingest.addresses.http}/v1/publish`, { method: 'POST' })
    expect(response.status).toBe(401)
  }, 60_000)

  it('given to a source whose group others still read by its older definition, begin where their start says', async () => {
    await Promise.all([makeTopic('old', 1), makeTopic('new', 1)])
    await produce('new', ['"last week"'])
    const moved = (topic: string) => source('moved', { topic: nameOf(topic), start: 'latest' })
    const before = await startIngest([moved('old')])
    await until(async () => (await groupState('moved')) === 'Stable', WAIT_MS)
    await startIngest([moved('new'), source('beside', { topic: nameOf('old') })])
    await produce('old', ['1'])
    await Promise.all([untilAccepted('moved.happened', 1), untilAccepted('beside.happened', 1)])
    await stop(before)
    await until(async () => (await committed('moved', 'new')) === 1, WAIT_MS)
    await produce('new', ['2'])
    await untilAccepted('moved.happened', 2)
    expect(dataOf('moved.happened')).toEqual(['1', '2'])
  }, 60_000)

  it('may grow: new partitions are read from their start', async () => {
    const topic = await makeTopic('growing', 1)
    await startIngest([source('growing', { start: 'latest' })])
    await until(async () => (await groupState('growing')) === 'Stable', WAIT_MS)
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    await until(async () => (await admin.fetchTopicOffsets(topic).catch(() => [])).length === 3, WAIT_MS)
    await produceAnew(
      'growing',
      [0, 1, 2].map(partition => ({ partition, value: String(partition) })),
    )
    await untilAccepted('growing.happened', 3)
  }, 60_000)

  it('begin where their start says, once and for all', async () => {
    await makeTopic('begin', 2)
    await produce('begin', numbers(10))
    const noon = Date.now() + 1
    await until(() => Date.now() > noon + 5, WAIT_MS)
    await produce('begin', numbers(10, 10))
    const latest = source('latest', { topic: nameOf('begin'), start: 'latest' })
    const since = source('since', { topic: nameOf('begin'), start: new Date(noon).toISOString() })
    const ingest = await startIngest([latest, since])
    await untilAccepted('since.happened', 10)
    await until(async () => (await groupState('latest')) === 'Stable', WAIT_MS)
    await stop(ingest)
    // Nothing was read as "latest" yet: still the position stands, and what comes meanwhile is not skipped.
    await produce('begin', numbers(10, 20))
    await startIngest([latest, since])
    await Promise.all([untilAccepted('since.happened', 20), untilAccepted('latest.happened', 10)])
    expect(dataOf('latest.happened').sort()).toEqual(numbers(10, 20))
    expect(dataOf('since.happened').sort()).toEqual(numbers(20, 10))
  }, 60_000)

  it('are added, changed, paused and removed at run time, and keep their place meanwhile', async () => {
    await makeTopic('live', 1)
    await startIngest([])
    const { id: _id, ...definition } = source('live')
    const document = { id: 'source_live', status: 'active', value: 'json', ...definition } as unknown as Omit<
      Source,
      'version'
    >
    await publishSource({ ...document, version: 1 })
    await produce('live', ['1'])
    await untilAccepted('live.happened', 1)
    await publishSource({ ...document, version: 2, event: { ...document.event, type: { constant: 'live.changed' } } })
    await until(async () => {
      await produce('live', ['2'])
      return accepted('live.changed').length > 0
    }, WAIT_MS)
    await publishSource({ ...document, version: 3, status: 'paused' })
    await until(async () => (await groupState('source_live')) === 'Empty', WAIT_MS)
    await produce('live', ['3'])
    await publishSource({ ...document, version: 4, event: { ...document.event, type: { constant: 'live.resumed' } } })
    await untilAccepted('live.resumed', 1)
    expect(dataOf('live.resumed')).toContain('3')
    await publishSource({ ...document, version: 5, status: 'deleted' })
    await until(async () => (await groupState('source_live')) === 'Empty', WAIT_MS)
    expect(dataOf('live.happened').filter(data => data === '1')).toHaveLength(1)
  }, 60_000)
})

async function groupState(id: string): Promise<string> {
  const { groups } = await admin.describeGroups([sourceGroup(connection.prefix, id)])
  return groups[0]!.state
}

/** With a producer that sees new partitions. */
async function produceAnew(topic: string, messages: Message[]): Promise<void> {
  const fresh = theirs.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await fresh.connect()
  await fresh.send({ topic: nameOf(topic), messages })
  await fresh.disconnect()
}
