import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { request, Agent } from 'undici'
import { barePipe, bareUndici } from './baseline.js'
import { cpuBetween, peakMemoryOf, readCpu, type CpuReading } from './cpu.js'
import { EVENT_TYPE, kafkaOf, nowMs, openProducer, payloadOf, recordOf, type Payload } from './load.js'
import { startReceiver, type Receiver } from './receiver.js'
import { callApi, startStack, type Stack } from '@posthorn/testkit'
import { megabytes, perSecond, printTable, round, type Row } from './table.js'

export interface ThroughputOptions {
  readonly events: number
  readonly payload: string
}

interface Result {
  readonly rate: number
  readonly cpu: Record<string, number>
}

/**
 * Deliveries per second to one webhook: events that are already on the topic, then events
 * published one by one over HTTP; history written in both. Beside them, in the same run, a bare
 * undici loop and bare kafkajs pipes, so that a ratio can be quoted whatever the machine.
 */
export async function throughput({ events, payload: kind }: ThroughputOptions): Promise<void> {
  const payload = payloadOf(kind)
  const receiver = await startReceiver()
  const stack = await startStack()
  try {
    await callApi(stack, 'POST', '/v1/webhooks', { url: `${receiver.url}/hook`, events: [EVENT_TYPE] })
    await produce(stack, receiver, payload, Math.min(5000, events), 'warm')
    const kafka = await measure(stack, receiver, () => produce(stack, receiver, payload, events, 'kafka'), events)
    const http = await measure(
      stack,
      receiver,
      () => publish(stack, receiver, payload, Math.ceil(events / 2)),
      Math.ceil(events / 2),
    )
    const undiciRate = await bareUndici(receiver, payload, Math.min(20_000, events))
    const own = kafkaOf(stack.kafka)
    const copyRate = await barePipe(own, ['posthorn.events.v1', 'bench.copy'], events)
    const pipeRate = await barePipe(own, ['posthorn.events.v1', 'bench.copies', 'bench.results'], events)
    report(kind, events, kafka, http, { undici: undiciRate, copy: copyRate, pipe: pipeRate }, stack)
  } finally {
    await stack.stop()
    receiver.stop()
  }
}

async function measure(
  stack: Stack,
  receiver: Receiver,
  drive: () => Promise<number>,
  events: number,
): Promise<Result> {
  const pids = { ...stack.pids, receiver: receiver.pid }
  const before = readCpu(pids)
  const rate = await drive()
  await historyCaughtUp(stack)
  return { rate, cpu: perDelivery(cpuBetween(before, readCpu(pids)), events) }
}

async function produce(
  stack: Stack,
  receiver: Receiver,
  payload: Payload,
  events: number,
  label: string,
): Promise<number> {
  await receiver.reset()
  const { produce, close } = await openProducer(kafkaOf(stack.kafka))
  const run = `${label}-${randomBytes(4).toString('hex')}`
  for (let at = 0; at < events; at += 500)
    await produce(Array.from({ length: Math.min(500, events - at) }, (_, i) => recordOf(run, at + i, payload(at + i))))
  await close()
  const counts = await receiver.waitForIds(events)
  return (events / (counts.lastAt - counts.firstAt)) * 1000
}

async function publish(stack: Stack, receiver: Receiver, payload: Payload, events: number): Promise<number> {
  await receiver.reset()
  const dispatcher = new Agent({ connections: 32 })
  const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
  let next = 0
  const started = nowMs()
  const loop = async () => {
    while (next < events) {
      const body = Buffer.concat([Buffer.from(`{"type":"${EVENT_TYPE}","data":`), payload(next++), Buffer.from('}')])
      const answer = await request(`${stack.publish}/v1/publish`, { method: 'POST', dispatcher, headers, body })
      if (answer.statusCode !== 202)
        throw new Error(`publish answered ${answer.statusCode}: ${await answer.body.text()}`)
      await answer.body.dump()
    }
  }
  await Promise.all(Array.from({ length: 32 }, loop))
  const counts = await receiver.waitForIds(events)
  await dispatcher.close()
  return (events / (counts.lastAt - started)) * 1000
}

/** Waits until the monitor's committed offsets reach the ends of its topics: history is then written. */
async function historyCaughtUp(stack: Stack): Promise<void> {
  const admin = kafkaOf(stack.kafka).admin()
  await admin.connect()
  const topics = ['events.v1', 'deliveries.v1', 'attempts.v1'].map(name => `posthorn.${name}`)
  for (let behind = 1; behind > 0;) {
    await sleep(100)
    behind = 0
    for (const topic of topics) {
      const [ends, committed] = await Promise.all([
        admin.fetchTopicOffsets(topic),
        admin.fetchOffsets({ groupId: 'posthorn.monitor', topics: [topic] }),
      ])
      for (const { partition, high } of ends) {
        const at = committed[0]!.partitions.find(entry => entry.partition === partition)?.offset ?? '-1'
        if (Number(high) > 0) behind += Math.max(0, Number(high) - Math.max(0, Number(at)))
      }
    }
  }
  await admin.disconnect()
}

function perDelivery(cpu: CpuReading, deliveries: number): Record<string, number> {
  return Object.fromEntries(Object.entries(cpu).map(([name, us]) => [name, us / deliveries]))
}

function report(
  kind: string,
  events: number,
  kafka: Result,
  http: Result,
  bare: { readonly undici: number; readonly copy: number; readonly pipe: number },
  stack: Stack,
): void {
  const platform = (result: Result) =>
    Object.entries(result.cpu).reduce((sum, [name, us]) => (name === 'receiver' ? sum : sum + us), 0)
  console.log(
    `\nthroughput to one webhook: ${events.toLocaleString('en-US')} events, payload ${kind}, history written\n`,
  )
  printTable(
    ['', 'events on the topic', 'published by HTTP'],
    [
      ['deliveries', perSecond(kafka.rate), perSecond(http.rate)],
      ['of the bare kafkajs pipe of that shape', round(kafka.rate / bare.pipe, 2), round(http.rate / bare.pipe, 2)],
      ['of the bare kafkajs copy', round(kafka.rate / bare.copy, 2), round(http.rate / bare.copy, 2)],
      ['of the bare undici loop', round(kafka.rate / bare.undici, 2), round(http.rate / bare.undici, 2)],
      [
        'CPU per delivery, platform (services, Kafka, Postgres)',
        `${round(platform(kafka))} µs`,
        `${round(platform(http))} µs`,
      ],
      ...Object.keys(kafka.cpu).map((name): Row => [
        `- ${name}`,
        `${round(kafka.cpu[name]!)} µs`,
        `${round(http.cpu[name]!)} µs`,
      ]),
    ],
  )
  printTable(
    ['baseline', 'rate'],
    [
      ['bare kafkajs pipe: topic to copies to results, and a reader of all three', perSecond(bare.pipe)],
      ['bare kafkajs copy: topic to topic', perSecond(bare.copy)],
      ['bare undici loop, signed', perSecond(bare.undici)],
    ],
  )
  printTable(
    ['process', 'peak memory'],
    Object.entries(stack.pids).map(([name, pid]): Row => [name, megabytes(peakMemoryOf(pid))]),
  )
}
