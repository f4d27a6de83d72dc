import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testBrokers, until } from '@posthorn/testkit'
import { partitionFor, MAX_RECORD_BYTES } from '@posthorn/topics'
import { KafkaConnection } from './connection.js'
import { ProducerClosed, ProduceTimeout, RecordRefused } from './produce-errors.js'
import { SafeProducer } from './safe-producer.js'
import { dropTopics, makeTopics, TABLE, testConnection, WORK } from './test-cluster.js'

describe('SafeProducer on a real broker', () => {
  let connection: KafkaConnection
  let producer: SafeProducer

  beforeAll(async () => {
    connection = testConnection(testBrokers(), 4)
    await makeTopics(connection, WORK, TABLE)
    producer = new SafeProducer(connection)
    await producer.connect()
  }, 30_000)

  afterAll(async () => {
    await producer.close()
    await dropTopics(connection)
  })

  it('puts a key where every client puts it and says where that is', async () => {
    expect(await producer.partitionsOf(WORK)).toBe(4)
    const positions = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        producer.send(WORK, { key: Buffer.from(`key ${i}`), value: Buffer.from(String(i)) }),
      ),
    )
    positions.forEach(({ partition }, i) => expect(partition).toBe(partitionFor(`key ${i}`, 4)))
    for (const partition of [0, 1, 2, 3]) {
      const offsets = positions.filter(position => position.partition === partition).map(({ offset }) => offset)
      expect(offsets).toEqual(offsets.map((_, i) => i))
    }
  })

  it('refuses what could never be accepted, and only that', async () => {
    const tooLarge = { key: Buffer.from('k'), value: Buffer.alloc(MAX_RECORD_BYTES) }
    await expect(producer.send(WORK, tooLarge)).rejects.toBeInstanceOf(RecordRefused)
    await expect(producer.send(TABLE, { key: null, value: Buffer.from('{}') })).rejects.toBeInstanceOf(RecordRefused)
    // This topic was made with the broker's limit of 1 MiB, which only the broker knows.
    const sends = [200, 1_500_000, 200].map(size =>
      producer.send(WORK, { key: null, value: Buffer.alloc(size) }, { partition: 0 }),
    )
    const results = await Promise.allSettled(sends)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(RecordRefused)
  })

  it('carries headers and a null value', async () => {
    await producer.send(TABLE, { key: Buffer.from('k'), value: null, headers: { 'content-type': 'text/plain' } })
    expect(producer.queuedBytes).toBe(0)
  })

  it('times out alone while Kafka is away, goes on trying, and rejects the rest when closed', async () => {
    const nowhere = new KafkaConnection({ ...connection.options, brokers: ['127.0.0.1:1'] })
    const away = new SafeProducer(nowhere, { maxQueuedBytes: 100 })
    const record = { key: Buffer.from('k'), value: Buffer.from('v') }
    const timedOut = away.send(WORK, record, { timeoutMs: 200 })
    const placed = away.send(WORK, record, { partition: 0, timeoutMs: 200 })
    const forEver = away.send(WORK, record)
    const outcome = Promise.allSettled([timedOut, placed, forEver])
    await expect(timedOut).rejects.toBeInstanceOf(ProduceTimeout)
    await expect(placed).rejects.toBeInstanceOf(ProduceTimeout)
    expect(away.queuedBytes).toBeGreaterThan(0)
    let room = false
    void away.room().then(() => (room = true))
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(room).toBe(false)
    await away.close()
    expect(((await outcome)[2] as PromiseRejectedResult).reason).toBeInstanceOf(ProducerClosed)
    await expect(away.send(WORK, record)).rejects.toBeInstanceOf(ProducerClosed)
    await until(() => room, 5000)
    nowhere.close()
  }, 20_000)
})
