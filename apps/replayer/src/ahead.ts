import { KafkaAccessRefused, type GroupProgress, type IsFinished, type RecordPosition } from '@posthorn/kafka'
import type { Logger } from '@posthorn/telemetry'
import { BULK } from '@posthorn/topics'
import { LogAway } from './selector.js'

/** Deliveries that a replay has put into bulk.v1 and that the deliverers are not done with: at 5,000/s they are of 0.4 s. */
export const MOST_AHEAD = 2_000
/** Less is not worth a step of its own. */
const LEAST_ROOM = MOST_AHEAD / 8

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

  constructor(private readonly finished: Finished) {}

  sent(position: RecordPosition): void {
    this.open.push(position)
  }

  /** How many more may be sent now. Rejects with LogAway. */
  async room(): Promise<number> {
    if (MOST_AHEAD - this.open.length < LEAST_ROOM) {
      const isFinished = await this.finished()
      this.open = isFinished ? this.open.filter(({ partition, offset }) => !isFinished(partition, offset)) : []
    }
    const room = MOST_AHEAD - this.open.length
    return room < LEAST_ROOM ? 0 : room
  }
}
