import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, Kafka } from 'kafkajs'
import { cpuBetween, peakMemoryOf, readCpu } from './cpu.js'
import type { Platform } from './platform.js'
import { megabytes, printTable, round, type Row } from './table.js'

export interface Measured {
  /** Deliveries/s. */
  readonly rate: number
  /** µs for each delivery, by process. */
  readonly cpu: Readonly<Record<string, number>>
}

/**
 * What a load of so many deliveries costs until its history is written, too. `also`: pids of processes that the
 * stack does not count, by target and number ("router 2"); they are counted with their target.
 */
export async function measure(
  { stack, receiver, kafka }: Pick<Platform, 'stack' | 'receiver' | 'kafka'>,
  deliveries: number,
  drive: () => Promise<number>,
  also: Readonly<Record<string, number>> = {},
): Promise<Measured> {
  const pids = { ...stack.pids, ...also, receiver: receiver.pid }
  const before = readCpu(pids)
  const rate = await drive()
  await historyCaughtUp(kafka)
  const used = cpuBetween(before, readCpu(pids))
  const cpu: Record<string, number> = {}
  for (const [name, us] of Object.entries(used)) {
    const target = name.split(' ', 1)[0]!
    cpu[target] = (cpu[target] ?? 0) + us / deliveries
  }
  return { rate, cpu }
}

/** Of services, Kafka and Postgres. */
export function platformCpu({ cpu }: Measured): number {
  return Object.entries(cpu).reduce((sum, [name, us]) => (name === 'receiver' ? sum : sum + us), 0)
}

/** Rows of CPU for each delivery: the platform's, and by process; a column for each measurement. */
export function cpuRows(measured: readonly Measured[]): Row[] {
  const us = (value: number | undefined) => (value === undefined ? '' : `${round(value)} µs`)
  const names = [...new Set(measured.flatMap(({ cpu }) => Object.keys(cpu)))]
  return [
    ['CPU per delivery, platform (services, Kafka, Postgres)', ...measured.map(each => us(platformCpu(each)))],
    ...names.map((name): Row => [`- ${name}`, ...measured.map(({ cpu }) => us(cpu[name]))]),
  ]
}

export function printPeakMemory(pids: Readonly<Record<string, number>>): void {
  printTable(
    ['process', 'peak memory'],
    Object.entries(pids).map(([name, pid]): Row => [name, megabytes(peakMemoryOf(pid))]),
  )
}

const TOPICS = ['events.v1', 'deliveries.v1', 'attempts.v1'].map(name => `posthorn.${name}`)
const STUCK_MS = 120_000

/** Waits until the monitor's committed offsets reach the ends of its topics: history is then written. Throws when they do not move for two minutes. */
export async function historyCaughtUp(kafka: Kafka): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    for (let last = Infinity, since = Date.now(); ; await sleep(100)) {
      const behind = (await Promise.all(TOPICS.map(topic => recordsBehind(admin, topic)))).reduce((a, b) => a + b)
      if (behind === 0) return
      if (behind !== last) [last, since] = [behind, Date.now()]
      else if (Date.now() - since > STUCK_MS)
        throw new Error(`the history is ${behind} records behind and stands still`)
    }
  } finally {
    await admin.disconnect()
  }
}

async function recordsBehind(admin: Admin, topic: string): Promise<number> {
  const [ends, committed] = await Promise.all([
    admin.fetchTopicOffsets(topic),
    admin.fetchOffsets({ groupId: 'posthorn.monitor', topics: [topic] }),
  ])
  const done = new Map(committed[0]!.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  return ends.reduce(
    (sum, { partition, high }) => sum + Math.max(0, Number(high) - Math.max(0, done.get(partition) ?? 0)),
    0,
  )
}
