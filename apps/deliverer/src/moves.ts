import type { SpillReason } from './deliverer-metrics.js'
import { Fifo } from './fifo.js'
import { postpone, type Output } from './record.js'
import type { Work } from './work.js'

/**
 * Of work on its way to a delay topic, which is in memory twice meanwhile, as what it was and as what is
 * produced. A flood is moved at once, 20,000 deliveries: without a bound that took 80 MB more than keeping it.
 */
const MOVING_BYTES = 2 * 1024 * 1024

/** To be attempted at `due`, which was reckoned from `now`, ms. */
export interface Move {
  readonly work: Work
  readonly reason: SpillReason
  readonly due: number
  readonly now: number
}

export interface MovesParts {
  readonly output: Output
  /** If not, goOn() is to be called when it is. */
  mayBegin(): boolean
  /** It goes to its topic and not to the next owner. */
  moved(reason: SpillReason): void
  /** It leaves memory. */
  release(work: Work): void
  failed(work: Work, error: unknown): Promise<void>
  track(move: Promise<void>): void
}

/** Moves work to delay topics in the order in which it came, so much at a time; what waits is held as it is. */
export class Moves {
  private readonly waiting = new Fifo<Move>()
  private moving = 0

  constructor(private readonly parts: MovesParts) {}

  add(move: Move): void {
    this.waiting.push(move)
    this.goOn()
  }

  goOn(): void {
    while (this.waiting.length > 0 && this.moving < MOVING_BYTES && this.parts.mayBegin())
      this.parts.track(this.begin(this.waiting.shift()))
  }

  private async begin(move: Move): Promise<void> {
    const { bytes } = move.work
    this.moving += bytes
    try {
      await this.move(move)
    } finally {
      this.moving -= bytes
      this.goOn()
    }
  }

  private async move({ work, reason, due, now }: Move): Promise<void> {
    const { output, moved, release, failed } = this.parts
    try {
      if (work.completion.owned) {
        work.moving = true
        await postpone(output, work, due, now)
        moved(reason)
      }
      release(work)
      work.completion.done()
    } catch (error) {
      await failed(work, error)
    }
  }
}
