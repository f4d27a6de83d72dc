import { barePipe, bareUndici } from './baseline.js'
import { burst } from './drive.js'
import { EVENT_TYPE, nowMs, payloadOf, type Payload } from './load.js'
import { cpuRows, measure, printPeakMemory, type Measured } from './measure.js'
import { onPlatform, register, type Platform } from './platform.js'
import { CONNECTIONS, openPublisher } from './publisher.js'
import { perSecond, printTable, round } from './table.js'
import { compareTrust } from './trust.js'

export interface ThroughputOptions {
  readonly events: number
  readonly payload: string
  /** Events for each way to sign, to encrypt and to connect; 0: they are not compared. */
  readonly trust: number
}

interface Bare {
  readonly undici: number
  readonly copy: number
  readonly pipe: number
}

/**
 * Deliveries per second to one webhook: events that are already on the topic, then events
 * published one by one over HTTP; history written in both. Beside them, in the same run, a bare
 * undici loop and bare kafkajs pipes, so that a ratio can be quoted whatever the machine.
 */
export function throughput({ events, payload: kind, trust }: ThroughputOptions): Promise<void> {
  const payload = payloadOf(kind)
  return onPlatform(async platform => {
    const { kafka, receiver } = platform
    await register(platform, 1, () => ({ path: '/hook', events: [EVENT_TYPE] }))
    await burst(platform, Math.min(5000, events), { payload })
    const half = Math.ceil(events / 2)
    const measured = [
      await measure(platform, events, () => burst(platform, events, { payload })),
      await measure(platform, half, () => publish(platform, payload, half)),
    ] as const
    const bare = {
      undici: await bareUndici(receiver, payload, Math.min(20_000, events)),
      copy: await barePipe(kafka, ['posthorn.events.v1', 'bench.copy'], events),
      pipe: await barePipe(kafka, ['posthorn.events.v1', 'bench.copies', 'bench.results'], events),
    }
    console.log(
      `\nthroughput to one webhook: ${events.toLocaleString('en-US')} events, payload ${kind}, history written\n`,
    )
    report(measured, bare)
    if (trust > 0) await compareTrust(platform, payload, trust)
    printPeakMemory(platform.stack.pids)
  })
}

async function publish({ stack, receiver }: Platform, payload: Payload, events: number): Promise<number> {
  await receiver.reset()
  const publisher = openPublisher(stack)
  let next = 0
  const started = nowMs()
  const loop = async () => {
    while (next < events) await publisher.publish(payload(next++))
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, loop))
  const counts = await receiver.waitForIds(events)
  await publisher.close()
  return (events / (counts.lastAt - started)) * 1000
}

function report(measured: readonly [Measured, Measured], bare: Bare): void {
  const of = (rate: number) => measured.map(each => round(each.rate / rate, 2))
  printTable(
    ['', 'events on the topic', 'published by HTTP'],
    [
      ['deliveries', ...measured.map(({ rate }) => perSecond(rate))],
      ['of the bare kafkajs pipe of that shape', ...of(bare.pipe)],
      ['of the bare kafkajs copy', ...of(bare.copy)],
      ['of the bare undici loop', ...of(bare.undici)],
      ...cpuRows(measured),
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
}
