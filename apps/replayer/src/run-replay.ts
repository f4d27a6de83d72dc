import { setTimeout as sleep } from 'node:timers/promises'
import { RecordRefused, type RecordPosition } from '@posthorn/kafka'
import type { ReplayOrders, ReplayRow, ReplayStep } from '@posthorn/store'
import { BULK, encodeDelivery, type TopicContract, type TopicRecord } from '@posthorn/topics'
import type { ReplayPosition } from '@posthorn/webhook'
import type { Ahead } from './ahead.js'
import type { ReplayerMetrics } from './replayer-metrics.js'
import type { Found, Selector, Step } from './selector.js'

export interface RunParts {
  select(replay: ReplayRow): Selector
  /** Resolves when the record is acknowledged. */
  send(topic: TopicContract, record: TopicRecord): Promise<RecordPosition>
  /** Of this replay, kept over its failures. */
  readonly ahead: Ahead
  begin(id: string, position: ReplayPosition, total: number): Promise<void>
  advance(id: string, step: ReplayStep): Promise<ReplayOrders>
  /** Whether others wait for the place that this replay takes. */
  makeRoom(): boolean
  readonly metrics: Pick<ReplayerMetrics, 'deliveries'>
}

/** What a step may hold in memory, as far as the events of the step before tell. */
const STEP_BYTES = 4 * 1024 * 1024
const MOST_AT_ONCE = 500
const FIRST_AT_ONCE = 10
/** A second's worth goes in parts of this, so that neither a receiver nor live traffic gets a burst a second. */
const PART_MS = 100

/**
 * Why the work on a replay ended: all was sent, its owner said so, it was another's turn, another process
 * has it, or this one stops.
 */
export type RunEnd = 'done' | 'ordered' | 'yielded' | 'lost' | 'stopped'

/**
 * Works on a replay from its saved position. A step is saved after Kafka has acknowledged it: killed in
 * between, the step is sent again, and its deliveries are dropped by the deliverer as seen, being of the
 * same run. Rejects with ReplayImpossible, or when Kafka or Postgres fail: then it can be run again.
 */
export async function runReplay(replay: ReplayRow, parts: RunParts, stop: AbortSignal): Promise<RunEnd> {
  const selector = parts.select(replay)
  try {
    let position = replay.position ?? (await begin(replay, selector, parts))
    let most = FIRST_AT_ONCE
    for (let { rate } = replay; !stop.aborted;) {
      const startedAt = performance.now()
      const wanted = replay.dryRun ? most : Math.min(most, Math.ceil((rate * PART_MS) / 1000))
      const limit = replay.dryRun ? wanted : Math.min(wanted, await parts.ahead.room())
      const step = limit > 0 ? await selector.step(position, limit) : nothingAt(position)
      const sent = replay.dryRun ? 0 : await sendAll(step.found, parts)
      const refused = replay.dryRun ? 0 : step.found.length - sent
      const { examined } = step
      const counts = { examined, matched: step.found.length, sent, skipped: step.skipped + refused }
      const orders = await parts.advance(replay.id, { position: step.position, ...counts })
      parts.metrics.deliveries(sent, counts.skipped)
      if (!orders) return 'lost'
      if (orders.status !== 'running') return 'ordered'
      if (step.over) return 'done'
      if (parts.makeRoom()) return 'yielded'
      ;({ rate } = orders)
      ;({ position } = step)
      if (limit > 0) most = mostAtOnce(step.found)
      const takesMs = Math.max((sent / rate) * 1000, limit < wanted ? PART_MS : 0)
      await pause(takesMs - (performance.now() - startedAt), stop)
    }
    return 'stopped'
  } finally {
    await selector.close()
  }
}

function nothingAt(position: ReplayPosition): Step {
  return { found: [], examined: 0, skipped: 0, position, over: false }
}

async function begin(replay: ReplayRow, selector: Selector, parts: RunParts): Promise<ReplayPosition> {
  const { position, total } = await selector.begin()
  await parts.begin(replay.id, position, total)
  return position
}

function mostAtOnce(found: readonly Found[]): number {
  if (found.length === 0) return FIRST_AT_ONCE
  const bytes = found.reduce((sum, { data }) => sum + data.length, 0)
  return Math.max(1, Math.min(MOST_AT_ONCE, Math.floor((STEP_BYTES * found.length) / Math.max(1, bytes))))
}

/** How many were taken: a record that Kafka refuses for its size is none. */
async function sendAll(found: readonly Found[], { send, ahead }: RunParts): Promise<number> {
  const results = await Promise.allSettled(
    found.map(({ delivery, data }) => send(BULK, encodeDelivery(delivery, data))),
  )
  let sent = 0
  for (const result of results)
    if (result.status === 'fulfilled') {
      ahead.sent(result.value)
      sent++
    } else if (!(result.reason instanceof RecordRefused)) throw result.reason
  return sent
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined)
}
