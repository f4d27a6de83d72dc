import { expect } from '@jest/globals'
import type { ParkedPlace } from '@posthorn/topics'
import type { Place } from './parked-place.js'
import { Parking } from './parking.js'
import { PARKING_LIMITS, type ParkingLimits } from './parking-limits.js'

export const SMALL: ParkingLimits = {
  ...PARKING_LIMITS,
  parkedKeys: 2,
  waiting: 6,
  waitingBytes: 100,
  distance: 20,
  joinWithin: 4,
  held: 6,
  running: 4,
  keptMs: 1_000_000,
}
const ATTEMPTS = 4

interface LogRecord {
  /** When the log took it. */
  readonly at: number
  readonly webhook: string
  readonly order?: string
  readonly bytes?: number
}
interface Job {
  delivery: { webhook: string; order?: string; attempt: number; due: number }
  readonly record: { readonly offset: number; readonly timestamp: number }
  readonly bytes: number
  readonly live: boolean
  place: Place<Job> | undefined
}
interface Write {
  readonly place: Place<Job>
  readonly state: Omit<ParkedPlace, 'version'> | undefined
}

const idOf = ({ webhook, key }: Pick<ParkedPlace, 'webhook' | 'key'>) => `${webhook}/${key ?? '*whole*'}`

/** One partition with its log, topics and receivers; a deliverer works on it, and is replaced when it crashes. */
export class World {
  now = 1_000_000
  readonly log: LogRecord[] = []
  /** Durable. */
  readonly finals = new Set<number>()
  readonly attempts = new Map<number, { attempt: number; due: number }>()
  readonly facets = new Map<string, Omit<ParkedPlace, 'version'>>()
  committed = new Set<number>()
  readonly paused = new Set<string>()
  /** What comes of these ends without a request. */
  readonly deleted = new Set<string>()
  /** The log has lost what is below. */
  kept = 0
  /** How many lost records the parking knew of. */
  knownLost = 0
  /** What receivers saw, by webhook and key: offsets, and of each the attempts. */
  readonly arrivals = new Map<string, number[]>()
  readonly requests = new Set<string>()
  crashes = 0
  repeats = 0
  /** Of the deliverer that runs now. */
  parking!: Parking<Job>
  private done = new Set<number>()
  private at = 0
  private fetched: { readonly from: number; readonly to: number; readonly end: number } | undefined
  private queued: Job[] = []
  private started: Job[] = []
  private writes: Write[] = []
  private underWay = new Map<number, Job>()

  constructor() {
    this.begin()
  }

  begin(): void {
    this.done = new Set(this.committed)
    this.at = 0
    this.fetched = undefined
    this.queued = []
    this.started = []
    this.writes = []
    this.underWay = new Map()
    const { done, log } = this
    this.parking = new Parking<Job>(
      0,
      {
        send: job => void this.queued.push(job),
        withdraw: webhook => {
          const found = this.queued.filter(({ delivery }) => delivery.webhook === webhook)
          this.queued = this.queued.filter(job => !found.includes(job))
          return found
        },
        drop: job => {
          if (this.underWay.get(job.record.offset) === job) this.underWay.delete(job.record.offset)
        },
        finish: job => this.finish(job, done),
        admits: (job, tried) => this.admits(job, tried, done),
        isPaused: webhook => this.paused.has(webhook),
        write: (place, state) => void this.writes.push({ place, state }),
      },
      SMALL,
    )
    this.parking.restore([...this.facets.values()].map(facet => ({ ...facet, version: 1 })))
    // The committed offset: what was finished below never comes again.
    while (this.at < log.length && done.has(this.at)) this.at++
  }

  private finish(job: Job, done: Set<number>): void {
    if (job.live) done.add(job.record.offset)
    else if (job.place) this.parking.finished(job.place, job, this.now)
  }

  private admits(job: Job, tried: { attempt: number; due: number } | undefined, done: Set<number>): boolean {
    const { offset } = job.record
    if (this.underWay.has(offset)) throw new Error(`record ${offset} is read again while it is under way`)
    if (this.finals.has(offset)) {
      this.finish(job, done)
      return false
    }
    const known = this.attempts.get(offset)
    const next = known && known.attempt > (tried?.attempt ?? 0) ? known : tried
    if (next) job.delivery = { ...job.delivery, ...next }
    this.underWay.set(offset, job)
    return true
  }

  private job(offset: number, live: boolean): Job {
    const { webhook, order, at, bytes = 1 } = this.log[offset]!
    const delivery = { webhook, ...(order === undefined ? {} : { order }), attempt: 1, due: 0 }
    return { delivery, record: { offset, timestamp: at }, bytes, live, place: undefined }
  }

  take(count: number): void {
    for (; count > 0 && this.at < this.log.length; count--) {
      const offset = this.at++
      if (this.done.has(offset)) continue
      this.parking.passed = offset + 1
      this.parking.live(this.job(offset, true), this.now)
    }
  }

  /** Asks the broker; its answer is told later. */
  fetch(count: number): void {
    const from = this.parking.readFrom(this.now)
    if (from !== undefined && from < this.kept) this.knownLost += this.parking.readLost(this.kept, this.now)
    else if (from !== undefined)
      this.fetched = { from, to: Math.min(from + count, this.log.length), end: this.log.length }
  }

  read(): void {
    if (!this.fetched) return
    const { from, to, end } = this.fetched
    this.fetched = undefined
    this.parking.open(from, this.log[from]?.at ?? this.now, this.now)
    for (let offset = from; offset < to; offset++)
      if (this.parking.wants(this.log[offset]!.webhook, offset)) this.parking.again(this.job(offset, false), this.now)
    this.parking.readTo(Math.max(from, to), end, this.now)
  }

  start(pick: number): void {
    if (this.queued.length === 0) return
    const [job] = this.queued.splice(pick % this.queued.length, 1) as [Job]
    const { delivery, record } = job
    // No delivery is sent that is so old: it ends, whether its webhook is paused or not.
    if (this.now - record.timestamp > SMALL.keptMs || this.deleted.has(delivery.webhook)) return this.finalize(job)
    // Its deliverer asks the table once more right before the request.
    if (this.paused.has(delivery.webhook)) return this.parking.parkWhole(delivery.webhook, this.now, this.now, [job])
    expect(this.now).toBeGreaterThanOrEqual(delivery.due)
    this.started.push(job)
    const key = `${delivery.webhook}/${delivery.order ?? '-'}`
    this.arrivals.set(key, [...(this.arrivals.get(key) ?? []), record.offset])
    const request = `${record.offset}/${delivery.attempt}`
    if (this.requests.has(request)) this.repeats++
    this.requests.add(request)
  }

  end(pick: number, ok: boolean, delayMs: number): void {
    if (this.started.length === 0) return
    const [job] = this.started.splice(pick % this.started.length, 1) as [Job]
    const { delivery, record } = job
    // A retry of what is not ordered goes through a delay topic, which is not of this model.
    if (ok || delivery.attempt === ATTEMPTS || delivery.order === undefined) {
      return this.finalize(job)
    }
    const next = { attempt: delivery.attempt + 1, due: this.now + delayMs }
    this.attempts.set(record.offset, next)
    job.delivery = { ...delivery, ...next }
    this.parking.retry(job, next.due, this.now)
  }

  private finalize(job: Job): void {
    this.finals.add(job.record.offset)
    this.underWay.delete(job.record.offset)
    this.finish(job, this.done)
    if (job.delivery.order !== undefined) this.parking.ended(job, this.now)
  }

  acknowledge(count: number): void {
    for (const { place, state } of this.writes.splice(0, count)) {
      this.store(place, state)
      this.parking.written(place, this.now)
    }
  }

  private store(place: Place<Job>, state: Write['state']): void {
    if (state) this.facets.set(idOf(place), JSON.parse(JSON.stringify(state)))
    else this.facets.delete(idOf(place))
  }

  pass(ms: number): void {
    this.now += ms
    this.parking.tick(this.now)
  }

  commit(): void {
    this.committed = new Set(this.done)
  }

  /** `landed` of the writes under way reached the topic, and nobody heard of it. */
  crash(landed: number): void {
    this.crashes++
    for (const { place, state } of this.writes.slice(0, landed)) this.store(place, state)
    this.begin()
  }

  pause(webhook: string): void {
    this.paused.add(webhook)
    this.parking.parkWhole(webhook, this.now, this.now)
  }

  /** What waits in the queues cannot be sent before `due`. */
  circuitOpens(webhook: string, due: number): void {
    const stuck = this.queued.filter(({ delivery }) => delivery.webhook === webhook)
    this.queued = this.queued.filter(job => !stuck.includes(job))
    this.parking.parkWhole(webhook, due, this.now, stuck)
  }

  /** All that can be done without a failure, until nothing is left to do. */
  settle(rounds = 3000): void {
    this.paused.clear()
    for (let round = 0; round < rounds && !this.isSettled; round++) this.goOn(round)
  }

  /** What can be done in a second. */
  goOn(round: number): void {
    this.take(3)
    this.acknowledge(9)
    this.fetch(5)
    this.read()
    for (let i = 0; i < 4; i++) this.start(round + i)
    for (let i = 0; i < 4; i++) this.end(round + i, true, 0)
    this.pass(1_000)
  }

  get isSettled(): boolean {
    return this.done.size === this.log.length && this.facets.size === 0 && this.parking.isIdle
  }

  get open() {
    return {
      unfinished: this.log.map((_, offset) => offset).filter(offset => !this.finals.has(offset)),
      notDone: this.log.map((_, offset) => offset).filter(offset => !this.done.has(offset)),
      facets: [...this.facets.keys()],
      isIdle: this.parking.isIdle,
    }
  }
}

export const SETTLED = { unfinished: [], notDone: [], facets: [], isIdle: true }
