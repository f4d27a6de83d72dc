import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testBrokers, until } from '@posthorn/testkit'
import { groupName, type ConsumerGroup } from '@posthorn/topics'
import kafkajs from 'kafkajs'
import { commitPositions } from './group-positions.js'
import { readOldestUnfinished } from './oldest-unfinished.js'
import { SafeProducer } from './safe-producer.js'
import { dropTopics, makeTopics, MORE, testConnection, WORK } from './test-cluster.js'

const GROUP: ConsumerGroup = { name: 'late', topics: [WORK, MORE] }

describe('readOldestUnfinished on a real broker', () => {
  const connection = testConnection(testBrokers(), 2)
  let producer: SafeProducer

  beforeAll(async () => {
    await makeTopics(connection, WORK, MORE)
    producer = new SafeProducer(connection)
    await producer.connect()
  }, 30_000)

  afterAll(async () => {
    await producer.close()
    await dropTopics(connection)
  })

  const send = (partition: number, value: string) =>
    producer.send(WORK, { key: null, value: Buffer.from(value) }, { partition })
  const commit = (partition: number, offset: number) =>
    commitPositions(connection, groupName(connection.prefix, GROUP), [
      { topic: connection.topic(WORK), partition, offset },
    ])
  const recordOf = async () => {
    const found = await readOldestUnfinished(connection, [GROUP])
    expect(found.map(({ topic }) => topic)).toEqual([WORK, MORE])
    expect(found[1]!.record).toBeUndefined()
    return found[0]!.record
  }

  it('finds the record at the committed offset that is the oldest of all partitions', async () => {
    expect(await recordOf()).toBeUndefined()
    const before = Date.now()
    await send(1, 'first')
    await new Promise(resolve => setTimeout(resolve, 20))
    // One batch: the committed offset may stand in its middle.
    await Promise.all([send(0, 'a'), send(0, 'b'), send(0, 'c'.repeat(100_000))])
    // Nothing was ever committed: all there is is unfinished.
    const first = await recordOf()
    expect(first).toMatchObject({ partition: 1, offset: 0 })
    expect(first!.timestamp).toBeGreaterThanOrEqual(before)
    expect(first!.timestamp).toBeLessThanOrEqual(Date.now())
    await commit(1, 1)
    const second = await recordOf()
    expect(second).toMatchObject({ partition: 0, offset: 0 })
    expect(second!.timestamp).toBeGreaterThan(first!.timestamp)
    await commit(0, 2)
    expect(await recordOf()).toMatchObject({ partition: 0, offset: 2 })
    await commit(0, 3)
    expect(await recordOf()).toBeUndefined()
  }, 30_000)

  it('passes over what is no record, such as the marker of a transaction', async () => {
    const other = connection.kafka.producer({
      transactionalId: `${connection.prefix}t`,
      maxInFlightRequests: 1,
      idempotent: true,
    })
    await other.connect()
    const transaction = await other.transaction()
    await transaction.send({ topic: connection.topic(WORK), messages: [{ value: 'd', partition: 0 }] })
    await transaction.commit()
    await other.disconnect()
    // The marker is written after the answer.
    await until(async () => (await recordOf()) !== undefined, 10_000)
    expect(await recordOf()).toMatchObject({ partition: 0, offset: 3 })
    await commit(0, 4)
    expect(await recordOf()).toBeUndefined()
    await send(0, 'e')
    expect(await recordOf()).toMatchObject({ partition: 0, offset: 5 })
  }, 60_000)

  it('says for how long the broker keeps each topic, as it is set there now', async () => {
    const retentions = async () => (await readOldestUnfinished(connection, [GROUP])).map(one => one.retentionMs)
    const set = (value: string) =>
      connection.withAdmin(admin =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: kafkajs.ConfigResourceTypes.TOPIC,
              name: connection.topic(MORE),
              configEntries: [{ name: 'retention.ms', value }],
            },
          ],
        }),
      )
    // The controller answers before the broker knows.
    await set('7200000')
    await until(async () => (await retentions())[1] === 7_200_000, 10_000)
    await set('-1')
    await until(async () => (await retentions())[1] === undefined, 10_000)
  }, 30_000)
})
