import { describe, expect, it } from '@jest/globals'
import { createLogger } from '@posthorn/telemetry'
import { until } from '@posthorn/testkit'
import fc from 'fast-check'
import type { RecordMetadata, TopicMessages } from 'kafkajs'
import { RecordRefused } from './produce-errors.js'
import { ProduceLoop, type Sender } from './produce-loop.js'

const logger = createLogger('silent', 'test')

/** A log per partition behind a sender that answers as told. */
class FakeBroker {
  readonly logs = new Map<string, string[]>()
  sends: TopicMessages[][] = []
  inFlight = 0
  mostInFlight = 0

  constructor(private readonly treat: (send: number, topic: string, partition: number) => 'ack' | 'drop' | 'throw') {}

  readonly sender: Sender = async topicMessages => {
    const send = this.sends.push(topicMessages) - 1
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    await new Promise(resolve => setImmediate(resolve))
    this.inFlight--
    const answers: RecordMetadata[] = []
    let failed = false
    for (const { topic, messages } of topicMessages)
      for (const partition of new Set(messages.map(message => message.partition!))) {
        const treatment = this.treat(send, topic, partition)
        if (treatment === 'throw') failed = true
        if (treatment !== 'ack') continue
        const log = this.logs.get(`${topic}/${partition}`) ?? []
        answers.push({ topicName: topic, partition, errorCode: 0, baseOffset: String(log.length) })
        log.push(...messages.filter(message => message.partition === partition).map(message => String(message.value)))
        this.logs.set(`${topic}/${partition}`, log)
      }
    if (failed) throw Object.assign(new Error('the broker is away'), { retriable: true })
    return answers
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

function send(loop: ProduceLoop, topic: string, partition: number, value: string, bytes = value.length) {
  return new Promise<number>((resolve, reject) =>
    loop.add(topic, { key: null, value, partition, bytes, settled: false, resolve, reject }),
  )
}

describe('ProduceLoop', () => {
  it('has every acknowledged record in the log, in order, though the client drops partitions and says nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(3)), { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.constantFrom('ack' as const, 'ack' as const, 'drop' as const)),
        async (records, treatments) => {
          // Something is always answered, so that the test need not wait for the pauses.
          const broker = new FakeBroker((_send, topic, partition) =>
            topic === 'a' && partition === 0 ? 'ack' : treatments.next().value!,
          )
          const loop = new ProduceLoop(broker.sender, logger, 1e6)
          const keepsAlive = setInterval(() => void send(loop, 'a', 0, 'filler'), 1)
          const offsets = await Promise.all(
            records.map(([topic, partition], i) => send(loop, topic, partition, `r${i}`)),
          )
          clearInterval(keepsAlive)
          await loop.flush()
          records.forEach(([topic, partition], i) =>
            expect(broker.logs.get(`${topic}/${partition}`)![offsets[i]!]).toBe(`r${i}`),
          )
          for (const log of broker.logs.values()) {
            const ours = log.filter(value => value !== 'filler').map(value => Number(value.slice(1)))
            expect(ours).toEqual([...ours].sort((x, y) => x - y))
          }
          expect(broker.mostInFlight).toBe(1)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('sends at once when idle and gathers while a send is in flight, 500 records a partition at most', async () => {
    const broker = new FakeBroker(() => 'ack')
    const loop = new ProduceLoop(broker.sender, logger, 1e6)
    const first = send(loop, 'a', 0, 'first')
    await turn()
    expect(broker.sends.length).toBe(1)
    const rest = Array.from({ length: 1200 }, (_, i) => send(loop, 'a', 0, String(i)))
    await Promise.all([first, ...rest])
    expect(broker.sends.map(topics => topics[0]!.messages.length)).toEqual([1, 500, 500, 200])
  })

  it('sends together what comes in one turn of the event loop, however many promises are between', async () => {
    const broker = new FakeBroker(() => 'ack')
    const loop = new ProduceLoop(broker.sender, logger, 1e6)
    const sent: Promise<number>[] = []
    for (let i = 0; i < 20; i++) {
      sent.push(send(loop, 'a', i % 3, String(i)))
      await Promise.resolve()
    }
    await Promise.all(sent)
    expect(broker.sends).toHaveLength(1)
  })

  it('keeps a partition below 512 KiB a send, unless one record is larger', async () => {
    const broker = new FakeBroker(() => 'ack')
    const loop = new ProduceLoop(broker.sender, logger, 1e9)
    await Promise.all([700_000, 300_000, 200_000, 100_000].map((bytes, i) => send(loop, 'a', 0, String(i), bytes)))
    expect(broker.sends.map(topics => topics[0]!.messages.map(message => message.value))).toEqual([
      ['0'],
      ['1', '2'],
      ['3'],
    ])
  })

  it('waits for Kafka and keeps the order', async () => {
    const broker = new FakeBroker(send => (send < 3 ? 'throw' : 'ack'))
    const loop = new ProduceLoop(broker.sender, logger, 1e6)
    const offsets = await Promise.all(['x', 'y', 'z'].map(value => send(loop, 'a', 1, value)))
    expect(offsets).toEqual([0, 1, 2])
    expect(broker.logs.get('a/1')).toEqual(['x', 'y', 'z'])
  })

  it('refuses only the record that the broker refuses, and sends the others of its batch', async () => {
    const log: string[] = []
    const sender: Sender = async topicMessages => {
      const messages = topicMessages.flatMap(topic => topic.messages)
      if (messages.some(message => message.value === 'bad'))
        throw Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' })
      log.push(...messages.map(message => String(message.value)))
      return [{ topicName: 'a', partition: 0, errorCode: 0, baseOffset: String(log.length - messages.length) }]
    }
    const loop = new ProduceLoop(sender, logger, 1e6)
    const results = await Promise.allSettled(['u', 'bad', 'v', 'w'].map(value => send(loop, 'a', 0, value)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(RecordRefused)
    expect(log).toEqual(['u', 'v', 'w'])
  })

  it('has room below its limit of bytes and none above it', async () => {
    const broker = new FakeBroker(() => 'ack')
    const loop = new ProduceLoop(broker.sender, logger, 10)
    const sent = send(loop, 'a', 0, '0123456789')
    expect(loop.queuedBytes).toBe(10)
    let room = false
    const waiting = loop.room().then(() => (room = true))
    await Promise.resolve()
    expect(room).toBe(false)
    await Promise.all([sent, waiting])
    expect(loop.queuedBytes).toBe(0)
  })

  it('gathers for some milliseconds under load, and waits for nothing when the load is over', async () => {
    const gathered = async () => {
      const broker = new FakeBroker(() => 'ack')
      const loop = new ProduceLoop(broker.sender, logger, 1e6)
      await Promise.all(Array.from({ length: 20 }, (_, i) => send(loop, 'a', 0, String(i))))
      const early = send(loop, 'a', 0, 'early')
      await turn()
      const sendsMeanwhile = broker.sends.length
      await Promise.all([early, send(loop, 'a', 0, 'late')])
      const last = send(loop, 'a', 0, 'last')
      await turn()
      const sizes = broker.sends.map(topics => topics[0]!.messages.length)
      await last
      return `${sendsMeanwhile}: ${sizes.join()}`
    }
    // A process that gets no turn for those milliseconds has nothing left to wait for.
    await until(async () => (await gathered()) === '1: 20,2,1', 10_000)
  })

  it('gives up a record that waits and lets go of its bytes; one in flight is told only', async () => {
    const broker = new FakeBroker(() => 'ack')
    const loop = new ProduceLoop(broker.sender, logger, 1e6)
    const one = { key: null, value: 'in flight', partition: 0, bytes: 9, settled: false }
    const two = { ...one, value: 'waiting' }
    const outcome: string[] = []
    const add = (record: typeof one) => {
      const outgoing = { ...record, resolve: () => outcome.push('ok'), reject: (e: Error) => outcome.push(e.message) }
      loop.add('a', outgoing)
      return outgoing
    }
    const first = add(one)
    await turn()
    const second = add(two)
    loop.giveUp('a', first, new Error('late'))
    loop.giveUp('a', second, new Error('late'))
    await loop.flush()
    expect(outcome).toEqual(['late', 'late'])
    expect(broker.logs.get('a/0')).toEqual(['in flight'])
    expect(loop.queuedBytes).toBe(0)
  })
})
