import { createRequire } from 'node:module'
import { encodeEvent, EVENTS, partitionFor, type TopicRecord } from '@posthorn/topics'
import { Kafka, logLevel } from 'kafkajs'

/** ms since the epoch with fractions: one clock for all processes of the machine. */
export const nowMs = () => performance.timeOrigin + performance.now()

export const EVENT_TYPE = 'bench.event'

/** Makes the data of event number `n`: 1 KiB of JSON, or a real GitHub payload, with the time it was sent. */
export type Payload = (n: number) => Buffer

export function payloadOf(kind: string): Payload {
  if (kind === '1k') {
    const filler = 'x'.repeat(1024 - 60)
    return n => Buffer.from(`{"sentAt":${nowMs().toFixed(3).padEnd(17, '0')},"n":${n},"filler":"${filler}"}`)
  }
  if (kind !== 'github') throw new Error('--payload is 1k or github')
  const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as { examples: object[] }[]
  const examples = definitions
    .flatMap(definition => definition.examples)
    .map(example => JSON.stringify(example).slice(1))
  return n => Buffer.from(`{"sentAt":${nowMs().toFixed(3)},${examples[n % examples.length]}`)
}

/** 1 KiB of JSON without a time: the receiver keeps no age of it. */
export const AGELESS: Payload = n => Buffer.from(`{"n":${n},"filler":"${'x'.repeat(1000)}"}`)

/** Whose an event is, and what. */
export interface Way {
  readonly tenant?: string
  readonly type: string
}

const PLAIN: Way = { type: EVENT_TYPE }

/** The record of event number `n`, as a producer of the user's would write it. */
export function recordOf(run: string, n: number, data: Buffer, { tenant = 'default', type }: Way = PLAIN): TopicRecord {
  const event = {
    tenant,
    id: `${run}-${n}`,
    source: '/bench',
    type,
    time: new Date().toISOString(),
    contenttype: 'application/json',
  }
  return encodeEvent(event, data)
}

export function kafkaOf(brokers: string): Kafka {
  return new Kafka({
    clientId: 'bench',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 20 },
  })
}

export type Producer = (records: readonly TopicRecord[]) => Promise<void>

/** A plain kafkajs producer to the events topic, acks from all. */
export async function openProducer(
  kafka: Kafka,
): Promise<{ produce: Producer; close: () => Promise<void>; topic: string }> {
  const topic = `posthorn.${EVENTS.name}`
  const admin = kafka.admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  const partitions = topics[0]!.partitions.length
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  return {
    topic,
    produce: async records => {
      await producer.send({
        topic,
        acks: -1,
        messages: records.map(({ key, value, headers }) => ({
          key,
          value,
          headers: { ...headers },
          partition: partitionFor(key!, partitions),
        })),
      })
    },
    close: () => producer.disconnect(),
  }
}
