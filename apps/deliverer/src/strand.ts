import { Fifo } from './fifo.js'

/** The records of one key in memory: the first is attempted or waits to be so again, the others wait for it. */
export class Strand<W> {
  readonly waiting = new Fifo<W>()
  /** When the head had its turn, ms since the epoch. */
  since = 0
  private retryAt: number | undefined

  constructor(
    readonly key: string,
    public head: W | undefined,
  ) {}

  /** Whether the head waits for its time here; otherwise it is under way. */
  get isWaiting(): boolean {
    return this.retryAt !== undefined
  }

  begin(now: number): void {
    this.since = now
    this.retryAt = undefined
  }

  wait(due: number): void {
    this.retryAt = due
  }

  isDue(now: number): boolean {
    return this.retryAt !== undefined && now >= this.retryAt
  }

  sent(): void {
    this.retryAt = undefined
  }

  /** Takes out all that is not under way, in order; of the heads that were sent, those of `withdrawn` are not. */
  empty(withdrawn: ReadonlySet<W>): W[] {
    const works: W[] = []
    if (this.head !== undefined && (this.isWaiting || withdrawn.has(this.head))) {
      works.push(this.head)
      this.head = undefined
      this.retryAt = undefined
    }
    while (this.waiting.length > 0) works.push(this.waiting.shift())
    return works
  }
}
