import 'reflect-metadata'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { testBrokers, until } from '@posthorn/testkit'
import type { ConsumerGroup } from '@posthorn/topics'
import type { KafkaConnection } from './connection.js'
import { KafkaBatchHandler, KafkaBatchStrategy } from './nest.js'
import type { RecordBatch } from './record.js'
import { SafeProducer } from './safe-producer.js'
import { dropTopics, makeTopics, MORE, testConnection, WORK } from './test-cluster.js'

const NEST: ConsumerGroup = { name: 'nest', topics: [MORE, WORK] }
const seen: string[] = []

@Controller()
class Edge {
  @KafkaBatchHandler(WORK)
  onWork({ claim, records }: RecordBatch): void {
    for (const record of records) {
      if (record.value!.toString() === 'bug') throw new Error('a bug')
      seen.push(`work ${record.value!}`)
      claim.done(record.offset)
    }
  }

  @KafkaBatchHandler(MORE)
  onMore({ claim, records }: RecordBatch): void {
    for (const record of records) {
      seen.push(`more ${record.value!}`)
      claim.done(record.offset)
    }
  }
}

@Module({ controllers: [Edge] })
class EdgeModule {}

describe('KafkaBatchStrategy in a Nest app', () => {
  let connection: KafkaConnection
  let producer: SafeProducer

  beforeAll(async () => {
    connection = testConnection(testBrokers(), 2)
    await makeTopics(connection, WORK, MORE)
    producer = new SafeProducer(connection)
    await producer.connect()
  }, 30_000)

  afterAll(async () => {
    await producer.close()
    await dropTopics(connection)
  })

  it('finds the handlers, gives them their batches in order, and is fatal when one throws', async () => {
    const fatal: Error[] = []
    const strategy = new KafkaBatchStrategy(connection, { group: NEST, fatal: error => fatal.push(error) })
    const app = await NestFactory.createMicroservice(EdgeModule, { strategy, logger: false, abortOnError: false })
    await app.listen()
    await until(() => strategy.consumer.healthyMembership(), 10_000)
    const send = (topic: typeof WORK, value: string) =>
      producer.send(topic, { key: null, value: Buffer.from(value) }, { partition: 0 })
    await Promise.all([send(WORK, '1'), send(MORE, '1'), send(WORK, '2')])
    await until(() => seen.length === 3, 10_000)
    expect(seen.filter(one => one.startsWith('work'))).toEqual(['work 1', 'work 2'])
    expect(seen).toContain('more 1')
    expect(fatal).toEqual([])
    await send(WORK, 'bug')
    await until(() => fatal.length > 0, 10_000)
    expect(fatal.map(error => error.message)).toEqual(['a bug'])
    await app.close()
    expect(strategy.consumer.readiness()).toBe('has left its group')
  }, 30_000)

  it('refuses to listen when the group is said to read other topics', () => {
    const group = { name: 'nest', topics: [WORK] }
    const strategy = new KafkaBatchStrategy(connection, { group, fatal: () => undefined })
    expect(() => strategy.listen(() => undefined)).toThrow('is said to read work.v1; there are handlers for ')
  })
})
