import { KafkaAccessRefused, type GroupProgress, type IsFinished, type RecordPosition } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { BULK } from '@posthorn/topics'
import { LogAway } from './selector.js'

/**
 * Deliveries that a replay has put into bulk.v1 and that the deliverers are not done with: as many as they lately
 * finished in so long, within these. More would wait there, and come to them in heaps, which live work feels; with
 * less than receivers take to answer, or with a small least, many slow webhooks would be idle in turn.
 */
const AHEAD_S = 2
const LEAST_AHEAD = 500
export const MOST_AHEAD = 2_000
/** Of what it may be ahead, put in at once at most, and what is not worth a step of its own. */
const MOST_AT_ONCE = 1 / 2
const LEAST_AT_ONCE = 1 / 20
/** How long what was finished counts: some commits of the deliverers. */
const LATELY_MS = 1_000

/** What the deliverers have finished of bulk.v1; undefined: this user may not know. */
export type Finished = () => Promise<IsFinished | undefined>

/** Rejects with LogAway. */
export function finishedBy(deliverers: GroupProgress, logger: Logger): Finished {
  let isTold = false
  return async () => {
    try {
      return await deliverers.finishedOf(BULK)
    } catch (error) {
      if (!(error instanceof KafkaAccessRefused))
        throw new LogAway('Kafka does not say how far the deliverers are', { cause: error })
      if (!isTold)
        logger.warn(
          { err: error },
          'replays do not wait for the deliverers: give the replayer the ACL to describe their group (docs/kafka.md)',
        )
      isTold = true
      return undefined
    }
  }
}

/**
 * How far one replay is ahead of the deliverers, which let bulk in as live traffic leaves room for it.
 * Each replay counts its own, so that one to a slow webhook keeps no other waiting.
 */
export class Ahead {
  private open: RecordPosition[] = []
  /** What the deliverers finish a second. */
  private perSecond = 0
  private askedAt: number | undefined

  constructor(
    private readonly finished: Finished,
    private readonly now: () => number = () => performance.now(),
  ) {}

  sent(position: RecordPosition): void {
    this.open.push(position)
  }

  /** How many more may be sent now; Infinity: nobody can tell. Rejects with LogAway. */
  async room(): Promise<number> {
    if (this.open.length >= LEAST_AHEAD / 2 && !(await this.ask())) return Infinity
    const most = Math.min(MOST_AHEAD, Math.max(LEAST_AHEAD, AHEAD_S * this.perSecond))
    const room = Math.floor(Math.min(most - this.open.length, most * MOST_AT_ONCE))
    return room < most * LEAST_AT_ONCE ? 0 : room
  }

  private async ask(): Promise<boolean> {
    const isFinished = await this.finished()
    const before = this.open.length
    this.open = isFinished ? this.open.filter(({ partition, offset }) => !isFinished(partition, offset)) : []
    const now = this.now()
    const elapsedMs = now - (this.askedAt ?? now)
    this.askedAt = now
    if (elapsedMs <= 0) return isFinished !== undefined
    const share = 1 - Math.exp(-elapsedMs / LATELY_MS)
    this.perSecond += share * (((before - this.open.length) * 1000) / elapsedMs - this.perSecond)
    return isFinished !== undefined
  }
}
