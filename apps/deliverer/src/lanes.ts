import { Fifo } from './fifo.js'
import { WORK_OVERHEAD, type Lane } from './work.js'

interface Laned {
  readonly lane: Lane
  readonly bytes: number
}

/** Every so many requests one comes from the bulk lane, so that replays get 5 % at least. */
export const BULK_EVERY = 20

/** The waiting work of one webhook. */
export class Lanes<W extends Laned> {
  private readonly due = new Fifo<W>()
  private readonly fresh = new Fifo<W>()
  private readonly bulk = new Fifo<W>()
  private taken = 0
  private probedFresh = false
  size = 0
  /** Of memory. */
  bytes = 0

  /** Whether nothing but bulk waits. */
  get isBulk(): boolean {
    return this.size === this.bulk.length
  }

  push(work: W): void {
    this[work.lane].push(work)
    this.size++
    this.bytes += work.bytes + WORK_OVERHEAD
  }

  /** Takes out the next to be served; there must be one. */
  next(): W {
    const { due, fresh, bulk } = this
    const bulkTurn = ++this.taken % BULK_EVERY === 0 && bulk.length > 0
    return this.left((bulkTurn ? bulk : due.length > 0 ? due : fresh.length > 0 ? fresh : bulk).shift())
  }

  /**
   * Takes out the next to find out with whether the webhook is back; there must be one. Fresh work has
   * every second turn: all that was moved may be what the webhook refuses, and each would have to fail
   * once more before anything new is tried.
   */
  probe(): W {
    const { due, fresh } = this
    this.probedFresh = fresh.length > 0 && !(this.probedFresh && due.length > 0)
    return this.probedFresh ? this.left(fresh.shift()) : this.next()
  }

  /** Takes out what would be served last; there must be one. */
  last(): W {
    const { due, fresh, bulk } = this
    return this.left((bulk.length > 0 ? bulk : fresh.length > 0 ? fresh : due).pop())
  }

  /** Takes out what the predicate does not want to keep. */
  remove(unwanted: (work: W) => boolean): W[] {
    return [this.due, this.fresh, this.bulk].flatMap(lane => lane.remove(unwanted).map(work => this.left(work)))
  }

  /** Takes out all that is fresh, in order. */
  withdraw(): W[] {
    return this.fresh.remove(() => true).map(work => this.left(work))
  }

  private left(work: W): W {
    this.size--
    this.bytes -= work.bytes + WORK_OVERHEAD
    return work
  }
}
