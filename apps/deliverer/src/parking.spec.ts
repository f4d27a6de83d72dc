import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { ParkedPlace } from '@posthorn/topics'
import type { Place } from './parked-place.js'
import { Parking, PARKING_LIMITS, type ParkingLimits } from './parking.js'

const SMALL: ParkingLimits = {
  ...PARKING_LIMITS,
  parkedKeys: 2,
  waiting: 6,
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
class World {
  now = 1_000_000
  readonly log: LogRecord[] = []
  /** Durable. */
  readonly finals = new Set<number>()
  readonly attempts = new Map<number, { attempt: number; due: number }>()
  readonly facets = new Map<string, Omit<ParkedPlace, 'version'>>()
  committed = new Set<number>()
  readonly paused = new Set<string>()
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
    const { webhook, order, at } = this.log[offset]!
    const delivery = { webhook, ...(order === undefined ? {} : { order }), attempt: 1, due: 0 }
    return { delivery, record: { offset, timestamp: at }, bytes: 1, live, place: undefined }
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
    if (from !== undefined) this.fetched = { from, to: Math.min(from + count, this.log.length), end: this.log.length }
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
    if (this.now - record.timestamp > SMALL.keptMs) return this.finalize(job)
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

const SETTLED = { unfinished: [], notDone: [], facets: [], isIdle: true }

/** Of each record, when it first arrived. */
function firstArrivals(offsets: readonly number[]): number[] {
  return [...new Set(offsets)]
}

const WEBHOOKS = ['ordered', 'one', 'free'] as const
const webhook = fc.constantFrom(...WEBHOOKS)
const small = fc.nat({ max: 12 })
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('produce' as const), webhook, key: fc.nat({ max: 3 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const), n: small }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('fetch' as const), n: small }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('start' as const), n: small }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('end' as const), n: small, ok: fc.boolean(), long: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), n: small }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(100, 3_000, 70_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), n: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), webhook }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resume' as const), webhook }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function apply(world: World, one: Step): void {
  switch (one.kind) {
    case 'produce': {
      const order = { ordered: `k${one.key}`, one: '', free: undefined }[one.webhook]
      return void world.log.push({ at: world.now, webhook: one.webhook, ...(order === undefined ? {} : { order }) })
    }
    case 'take':
      return world.take(one.n)
    case 'fetch':
      return world.fetch(one.n)
    case 'read':
      return world.read()
    case 'start':
      return world.start(one.n)
    case 'end':
      return world.end(one.n, one.ok, one.long ? 50_000 : 2_000)
    case 'acknowledge':
      return world.acknowledge(one.n)
    case 'pass':
      return world.pass(one.ms)
    case 'commit':
      return world.commit()
    case 'crash':
      return world.crash(one.n)
    case 'pause':
      return world.pause(one.webhook)
    case 'resume':
      return void world.paused.delete(one.webhook)
  }
}

describe('order and pauses, against a model of the world', () => {
  it('keeps first arrivals of a key in order and loses nothing, over failures, pauses, crashes and new owners', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 400, size: 'max' }), steps => {
        const world = new World()
        for (const one of steps) apply(world, one)
        world.settle()
        expect(world.open).toEqual(SETTLED)
        for (const [key, offsets] of world.arrivals)
          if (!key.startsWith('free/'))
            expect(firstArrivals(offsets)).toEqual(firstArrivals(offsets).toSorted((a, b) => a - b))
        if (world.crashes === 0) expect(world.repeats).toBe(0)
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    )
  })

  it('ends what a pause outlasts before the log loses it, and no more, and goes on with the rest', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 200, size: 'max' }), steps => {
        const world = new World()
        for (const one of steps) apply(world, one)
        for (const one of WEBHOOKS) world.pause(one)
        const old = world.log.length
        world.pass(SMALL.keptMs - 100_000)
        for (const one of WEBHOOKS) apply(world, { kind: 'produce', webhook: one, key: 1 })
        world.pass(100_001)
        for (let round = 0; round < 300; round++) world.goOn(round)
        expect(world.open.unfinished).toEqual(WEBHOOKS.map((_, n) => old + n))
        for (const { since } of world.facets.values()) expect(world.now - since).toBeLessThanOrEqual(SMALL.keptMs)
        world.settle()
        expect(world.open).toEqual(SETTLED)
        const arrived = new Set([...world.arrivals.values()].flat())
        expect(WEBHOOKS.every((_, n) => arrived.has(old + n))).toBe(true)
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    )
  })
})
