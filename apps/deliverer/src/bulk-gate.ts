import type { PartitionClaim } from '@posthorn/kafka'
import { BulkPace } from './bulk-pace.js'
import { Fifo } from './fifo.js'
import { WORK_OVERHEAD, type Work } from './work.js'

/** More than this much of a second's worth waits in Kafka, and so does more than the bytes. */
const AHEAD_S = 1
const LEAST_AHEAD = 200
/** Often enough, and what may pass in that time is no burst. */
const OPEN_EVERY_MS = 10

export interface BulkGateOptions {
  /** Of memory, that may wait here. */
  readonly bytes: number
  letIn(work: Work): void
}

/** Where replays wait so that live traffic need not: before they are in any queue, and in Kafka where they are many. */
export class BulkGate {
  private readonly pace = new BulkPace()
  private readonly waiting = new Fifo<Work>()
  private bytes = 0
  private readonly claims = new Set<PartitionClaim>()
  private isFull = false
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly options: BulkGateOptions) {}

  get size(): number {
    return this.waiting.length
  }

  /** Deliveries a second that are let in at present. */
  get rate(): number {
    return this.pace.rate
  }

  /** Of bulk. */
  assigned(claims: readonly PartitionClaim[]): void {
    for (const claim of claims) {
      this.claims.add(claim)
      if (this.isFull) claim.pause()
    }
  }

  /** What waits of them is dropped when its turn comes. */
  revoked(claims: readonly PartitionClaim[]): void {
    for (const claim of claims) this.claims.delete(claim)
  }

  add(work: Work): void {
    this.waiting.push(work)
    this.bytes += work.bytes + WORK_OVERHEAD
    this.open()
  }

  /** A live delivery came in, so long after its event was accepted. */
  live(ageMs: number): void {
    this.pace.live(ageMs)
  }

  /** To be called at short intervals. */
  tick(): void {
    this.pace.observe(performance.now())
    this.open()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.waiting.remove(() => true)
  }

  private open(): void {
    // Not the time of day: when that is put back, bulk must not wait until it is that late again.
    const now = performance.now()
    while (this.waiting.length > 0 && this.pace.opensAt <= now) {
      const work = this.waiting.shift()
      this.bytes -= work.bytes + WORK_OVERHEAD
      if (!work.completion.owned) continue
      this.pace.letIn(now)
      this.options.letIn(work)
    }
    this.fill()
    if (this.waiting.length > 0) this.timer ??= setTimeout(() => this.opened(), OPEN_EVERY_MS)
  }

  private opened(): void {
    this.timer = undefined
    this.open()
  }

  /** At 100 % of what may wait no more is fetched, until 50 %. */
  private fill(): void {
    const ahead = Math.max(LEAST_AHEAD, this.pace.rate * AHEAD_S)
    const share = Math.max(this.waiting.length / ahead, this.bytes / this.options.bytes)
    if (this.isFull ? share > 0.5 : share < 1) return
    this.isFull = !this.isFull
    for (const claim of this.claims)
      if (this.isFull) claim.pause()
      else claim.resume()
  }
}
