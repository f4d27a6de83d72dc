import { afterAll, describe, expect, it } from '@jest/globals'
import { testBrokers, until } from '@posthorn/testkit'
import { ALL_TOPICS, EVENTS, WEBHOOKS } from '@posthorn/topics'
import kafkajs from 'kafkajs'
import { KafkaConnection } from './connection.js'
import { dropTopics, testConnection } from './test-cluster.js'
import { createTopics, planTopics, requireTopics, TopicsUnfit } from './topic-setup.js'

describe('topic set-up on a real broker', () => {
  const connection = testConnection(testBrokers(), 2)

  afterAll(() => dropTopics(connection))

  it('plans what is missing, creates it, and then has nothing to do', async () => {
    const plan = await planTopics(connection)
    expect(plan.missing).toEqual(ALL_TOPICS)
    await expect(requireTopics(connection)).rejects.toBeInstanceOf(TopicsUnfit)
    await createTopics(connection, plan)
    expect(await planTopics(connection)).toEqual({ missing: [], differences: [] })
    await requireTopics(connection)
    await createTopics(connection, plan)
  }, 60_000)

  it('says each difference, corrects it with the complete set, and keeps what an operator added', async () => {
    await connection.withAdmin(admin =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: connection.topic(EVENTS),
            configEntries: [
              { name: 'retention.ms', value: '1000' },
              { name: 'segment.bytes', value: '33554432' },
            ],
          },
        ],
      }),
    )
    // The controller answers before the broker knows.
    await until(async () => (await planTopics(connection)).differences.length >= 2, 10_000)
    const plan = await planTopics(connection)
    const sentences = plan.differences.map(({ sentence }) => sentence)
    expect(sentences).toContain(`${connection.topic(EVENTS)} has retention.ms=1000, 604800000 is wanted.`)
    expect(sentences.some(sentence => sentence.includes('message.timestamp.type=CreateTime'))).toBe(true)
    await expect(requireTopics(connection)).rejects.toThrow('run: posthorn topics --apply')
    await createTopics(connection, plan)
    await requireTopics(connection)
    const configs = await connection.withAdmin(admin =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: connection.topic(EVENTS) }],
      }),
    )
    const segment = configs.resources[0]!.configEntries.find(({ configName }) => configName === 'segment.bytes')
    expect(segment!.configValue).toBe('33554432')
  }, 60_000)

  it('adds partitions only when asked', async () => {
    const wider = new KafkaConnection({ ...connection.options, partitions: 3 })
    const plan = await planTopics(wider)
    expect(plan.differences.every(({ kind }) => kind === 'partitions')).toBe(true)
    expect(plan.differences.some(({ topic }) => topic === WEBHOOKS)).toBe(false)
    await createTopics(wider, plan)
    await expect(requireTopics(wider)).rejects.toThrow('has 2 partitions, 3 are wanted')
    await createTopics(wider, plan, { addPartitions: true })
    await requireTopics(wider)
    await expect(requireTopics(connection)).rejects.toThrow('partitions cannot be removed')
  }, 60_000)
})
