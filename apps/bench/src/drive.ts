import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs, recordOf, type Payload, type Producer, type Way } from './load.js'
import type { Platform } from './platform.js'
import type { Counts } from './receiver.js'

/** Records of one send: those of one partition must fit what a broker takes in one request. */
const BATCH = 500
/** Of a steady load: what is due within it goes in one send. */
const TICK_MS = 2

export interface Load {
  readonly payload: Payload
  /** Of event number `n`; one type for all unless given. */
  readonly wayOf?: (n: number) => Way
}

/** Unique, so that no event of another run is taken for a repeat. */
const runOf = (label: string) => `${label}-${randomBytes(4).toString('hex')}`

/** Produces so many events as fast as they are acknowledged. */
export async function produceAll(produce: Producer, events: number, { payload, wayOf }: Load): Promise<void> {
  const run = runOf('burst')
  for (let at = 0; at < events; at += BATCH)
    await produce(
      Array.from({ length: Math.min(BATCH, events - at) }, (_, i) =>
        recordOf(run, at + i, payload(at + i), wayOf?.(at + i)),
      ),
    )
}

/**
 * Produces events, of each of which `deliveriesEach` come, as fast as it goes, and waits for all;
 * resolves with deliveries/s from the first to the last. Throws when one is missing, or came twice.
 */
export async function burst(platform: Platform, events: number, load: Load, deliveriesEach = 1): Promise<number> {
  const { receiver, produce } = platform
  await receiver.reset()
  await produceAll(produce, events, load)
  const counts = await arrived(platform, events * deliveriesEach)
  return ((events * deliveriesEach) / (counts.lastAt - counts.firstAt)) * 1000
}

/** Waits for so many deliveries since the last reset. Throws when there are more, or repeats. */
export async function arrived({ receiver }: Platform, deliveries: number): Promise<Counts> {
  const counts = await receiver.waitForIds(deliveries)
  if (counts.ids > deliveries) throw new Error(`${counts.ids} deliveries arrived where ${deliveries} were due`)
  if (counts.requests > counts.ids) throw new Error(`${counts.requests - counts.ids} deliveries came twice`)
  return counts
}

/** Sends events number `from` to `to` - 1. */
export type Send = (from: number, to: number) => Promise<unknown>

/** Sends by producing to the events topic. */
export function producing(produce: Producer, { payload, wayOf }: Load): Send {
  const run = runOf('steady')
  return (from, to) =>
    produce(Array.from({ length: to - from }, (_, i) => recordOf(run, from + i, payload(from + i), wayOf?.(from + i))))
}

/** Asked before each send, with the ms since the first. */
export type GoesOn = (ms: number) => boolean

export const forSeconds =
  (seconds: number): GoesOn =>
  ms =>
    ms < seconds * 1000

/**
 * Sends at a steady rate (events/s), each event at its own time (2 ms apart at the least, or together)
 * and no send waiting for another; resolves with the number of events when all are acknowledged.
 */
export async function steadily(rate: number, goesOn: GoesOn, send: Send): Promise<number> {
  const started = nowMs()
  const open = new Set<Promise<unknown>>()
  const failures: unknown[] = []
  let sent = 0
  for (let passed = 0; goesOn(passed) && failures.length === 0; passed = nowMs() - started) {
    const due = Math.min(sent + BATCH, Math.floor((passed * rate) / 1000) + 1)
    if (due > sent) {
      const sending: Promise<unknown> = send(sent, due)
        .catch((error: unknown) => failures.push(error))
        .finally(() => open.delete(sending))
      open.add(sending)
      sent = due
    }
    await sleep(Math.max(TICK_MS, started + (sent * 1000) / rate - nowMs()))
  }
  await Promise.all(open)
  if (failures.length > 0) throw failures[0]
  return sent
}
