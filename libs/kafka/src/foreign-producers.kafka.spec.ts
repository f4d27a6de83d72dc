import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testBrokers, until } from '@posthorn/testkit'
import kafkajs from 'kafkajs'
import type { KafkaConnection } from './connection.js'
import { GroupConsumer } from './group-consumer.js'
import { dropTopics, makeTopics, testConnection, WORK } from './test-cluster.js'

describe('What producers of others write', () => {
  let connection: KafkaConnection

  beforeAll(async () => {
    connection = testConnection(testBrokers(), 1)
    await makeTopics(connection, WORK)
  }, 30_000)

  afterAll(() => dropTopics(connection))

  it('is read compressed by gzip and zstd, with headers, and past transactions committed and aborted', async () => {
    const topic = connection.topic(WORK)
    const plain = connection.kafka.producer({ allowAutoTopicCreation: false })
    const transactional = connection.kafka.producer({
      transactionalId: `${connection.prefix}tx`,
      maxInFlightRequests: 1,
      idempotent: true,
    })
    await Promise.all([plain.connect(), transactional.connect()])
    const values = (name: string) => Array.from({ length: 20 }, (_, i) => ({ value: `${name} ${i}` }))
    for (const [name, compression] of [
      ['gzip', kafkajs.CompressionTypes.GZIP],
      ['zstd', kafkajs.CompressionTypes.ZSTD],
    ] as const)
      await plain.send({ topic, compression, messages: values(name).map(one => ({ ...one, headers: { via: name } })) })
    for (const end of ['abort', 'commit'] as const) {
      const transaction = await transactional.transaction()
      await transaction.send({ topic, messages: values(end) })
      await transaction[end]()
    }
    await Promise.all([plain.disconnect(), transactional.disconnect()])

    const seen: string[] = []
    const fatal: Error[] = []
    const consumer = new GroupConsumer(connection, {
      group: 'foreign',
      topics: [WORK],
      fatal: error => fatal.push(error),
      onBatch: ({ claim, records }) => {
        for (const record of records) {
          seen.push(`${record.value} ${record.headers?.via ?? ''}`.trim())
          claim.done(record.offset)
        }
      },
    })
    await consumer.start()
    const wanted = ['gzip', 'zstd'].flatMap(name => values(name).map(({ value }) => `${value} ${name}`))
    wanted.push(...values('commit').map(({ value }) => value))
    await until(() => seen.length >= wanted.length, 10_000)
    // The markers at the end are never handed out, yet the commit passes them.
    await until(async () => {
      const { end, committed } = await positions(topic)
      return committed === end
    }, 5000)
    await consumer.stop()
    expect(seen).toEqual(wanted)
    expect(fatal).toEqual([])
  }, 60_000)

  function positions(topic: string) {
    return connection.withAdmin(async admin => {
      const [group] = await admin.fetchOffsets({ groupId: `${connection.prefix}foreign`, topics: [topic] })
      const [end] = await admin.fetchTopicOffsets(topic)
      return { committed: Number(group!.partitions[0]!.offset), end: Number(end!.high) }
    })
  }
})
