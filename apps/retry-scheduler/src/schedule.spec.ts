import { describe, expect, it } from '@jest/globals'
import { ManualClock } from '@posthorn/testkit'
import { DELAYS, encodeDelivery, partitionFor } from '@posthorn/topics'
import {
  decideOutcome,
  LIVE_RUN,
  RETRY_POLICY_LIMITS,
  tierFor,
  TIERS,
  type Delivery,
  type RetryPolicy,
  type TierName,
  type Verdict,
} from '@posthorn/webhook'
import fc from 'fast-check'
import { Lane, type Claim } from './lane.js'
import { ReadAhead } from './read-ahead.js'
import { Schedule, type Release } from './schedule.js'

const PARTITIONS = 2
const WEBHOOKS = ['webhook_a', 'webhook_b', 'webhook_c']
const FAILURE: Verdict = { kind: 'failure', class: 'server.processing', advice: '…' }
const UNBOUNDED = 1e9

/** One partition of a delay topic, as the broker keeps it. */
interface Log {
  readonly tier: TierName
  readonly partition: number
  readonly records: { readonly timestamp: number; readonly value: Buffer }[]
  readonly done: Set<number>
}

class LogClaim implements Claim {
  paused = false
  constructor(readonly log: Log) {}
  done(offset: number): void {
    this.log.done.add(offset)
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
}

type LogLane = Lane<LogClaim>

/** Delay topics, one scheduler over them, and what arrived in due.v1: all by one clock. */
class World {
  readonly clock = new ManualClock()
  /** When each delivery left for due.v1, by id. */
  readonly arrivals = new Map<string, number[]>()
  private readonly logs: Log[] = TIERS.flatMap(({ name }) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({
      tier: name,
      partition,
      records: [],
      done: new Set<number>(),
    })),
  )
  private schedule!: Schedule<LogLane>
  private readAhead!: ReadAhead
  private lanes: { readonly lane: LogLane; next: number }[] = []
  /** Handed to the producer, not acknowledged. */
  private sent: Release<LogLane>[] = []

  constructor(
    private readonly perSecond: number,
    private readonly held: number,
  ) {
    this.restart()
  }

  /** The process is killed and starts again from what was committed: the lowest offset that is not done. */
  restart(): void {
    // What was on its way may have arrived although nobody was told.
    for (const [i, release] of this.sent.entries()) if (i % 2 === 0) this.deliver(release)
    this.sent = []
    this.schedule = new Schedule(this.clock.now, this.perSecond)
    this.readAhead = new ReadAhead({ records: this.held, bytes: UNBOUNDED })
    this.lanes = this.logs.map(log => {
      const { delayMs } = TIERS.find(({ name }) => name === log.tier)!
      let next = 0
      while (log.done.has(next)) next++
      return { lane: new Lane(new LogClaim(log), DELAYS[log.tier].name, log.partition, delayMs), next }
    })
    for (const { lane } of this.lanes) this.readAhead.open(lane)
  }

  /** A deliverer writes a retry. */
  retry(id: string, webhook: string, due: number): void {
    this.append(
      tierFor(due - this.clock.now()).name,
      webhook,
      encodeDelivery(delivery(id, webhook, due), Buffer.from('1')).value!,
    )
  }

  /** Lets time pass, waking the scheduler when it asks for it. */
  advance(ms: number, acknowledge: boolean): void {
    const end = this.clock.now() + ms
    for (;;) {
      this.turn(acknowledge)
      const wake = this.schedule.nextWake()
      if (wake === undefined || wake > end) break
      this.sleepUntil(wake, acknowledge)
    }
    this.clock.advance(Math.max(0, end - this.clock.now()))
  }

  acknowledgeAll(): void {
    const { sent } = this
    this.sent = []
    for (const release of sent) {
      this.deliver(release)
      release.lane.claim.done(release.record.offset)
      this.readAhead.free(release.lane, release.record.value!.length)
    }
  }

  /** Runs until nothing waits; the number of turns is bounded, so that a scheduler that never gets there fails. */
  finish(): void {
    for (let turns = 0; ; turns++) {
      if (turns > 100_000) throw new Error('the scheduler does not come to an end')
      this.turn(true)
      const wake = this.schedule.nextWake()
      if (wake === undefined) return
      this.sleepUntil(wake, true)
    }
  }

  /** As setTimeout does it: sometimes a ms early. */
  private sleepUntil(wake: number, acknowledge: boolean): void {
    if (wake - 1 > this.clock.now()) {
      this.clock.advance(wake - 1 - this.clock.now())
      this.turn(acknowledge)
    }
    this.clock.advance(Math.max(0, wake - this.clock.now()))
  }

  private turn(acknowledge: boolean): void {
    for (let taken = 1; taken > 0;) {
      this.fetch()
      const released = this.schedule.take(this.clock.now())
      taken = released.length
      this.sent.push(...released)
      if (acknowledge) this.acknowledgeAll()
    }
    this.fetch()
  }

  private fetch(): void {
    for (const entry of this.lanes) {
      const { lane } = entry
      const { records } = lane.claim.log
      while (!lane.claim.paused && entry.next < records.length) {
        const { timestamp, value } = records[entry.next]!
        this.schedule.add(lane, { offset: entry.next++, timestamp, value })
        this.readAhead.hold(lane, value.length)
      }
    }
  }

  private deliver({ to, record }: Release<LogLane>): void {
    if (to.kind === 'tier') this.append(to.tier, to.webhook, record.value!)
    else if (to.kind !== 'due') throw new Error(`it became ${to.kind}`)
    else {
      const { id, due } = JSON.parse(record.value!.toString('utf8', 5, record.value!.length - 1)) as Delivery
      if (due !== to.due) throw new Error(`${id} is due at ${due}, not at ${to.due}`)
      const times = this.arrivals.get(id) ?? []
      this.arrivals.set(id, [...times, this.clock.now()])
    }
  }

  private append(tier: TierName, webhook: string, value: Buffer): void {
    const partition = partitionFor(webhook, PARTITIONS)
    const log = this.logs.find(one => one.tier === tier && one.partition === partition)!
    log.records.push({ timestamp: this.clock.now(), value })
  }
}

function delivery(id: string, webhook: string, due: number): Delivery {
  const event = {
    tenant: 't',
    id,
    source: '/',
    type: 'a',
    time: '2026-01-31T12:00:00Z',
    contenttype: 'application/json',
  }
  const rest = { webhookVersion: 1, tenant: 't', run: LIVE_RUN, attempt: 2, acceptedAt: 0, spills: 0 }
  return { id, webhook, due, event, origin: { partition: 0, offset: 0 }, ...rest }
}

const limit = (name: keyof typeof RETRY_POLICY_LIMITS) => RETRY_POLICY_LIMITS[name]
const whole = (name: keyof typeof RETRY_POLICY_LIMITS) => fc.integer({ min: limit(name)[0], max: limit(name)[1] })
const policy: fc.Arbitrary<RetryPolicy> = fc.record({
  attempts: fc.constant(100),
  timeoutMs: fc.constant(10_000),
  intervalMs: fc.oneof(fc.integer({ min: 100, max: 60_000 }), whole('intervalMs')),
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  maxDelayMs: whole('maxDelayMs'),
  maxAgeMs: fc.constant(limit('maxAgeMs')[1]),
})
const retryAfterMs = fc.option(
  fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 86_400 })).map(s => s * 1000),
  { nil: undefined },
)
interface Failure {
  readonly policy: RetryPolicy
  readonly retryAfterMs: number | undefined
  readonly webhook: string
  readonly attempt: number
}
const fail: fc.Arbitrary<Failure> = fc.record({
  policy,
  retryAfterMs,
  webhook: fc.constantFrom(...WEBHOOKS),
  attempt: fc.integer({ min: 1, max: 6 }),
})
const pause = fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 100_000_000 }))

/** When a failed attempt is due again, by the policy or by the receiver. */
function dueOf({ policy, retryAfterMs, webhook, attempt }: Failure, id: string, now: number): number {
  const verdict = retryAfterMs === undefined ? FAILURE : { ...FAILURE, retryAfterMs }
  const outcome = decideOutcome(policy, { ...delivery(id, webhook, 0), acceptedAt: now, attempt }, verdict, now)
  if (outcome.kind !== 'retry') throw new Error(`it was ${outcome.kind}`)
  return outcome.due
}

describe('Schedule', () => {
  it('S5 releases every retry at its due time to the ms, by any policy and any Retry-After', () => {
    const steps = fc.array(fc.record({ fail, pause }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(steps, all => {
        const world = new World(UNBOUNDED, UNBOUNDED)
        const due = new Map<string, number>()
        for (const [i, step] of all.entries()) {
          due.set(`d${i}`, dueOf(step.fail, `d${i}`, world.clock.now()))
          world.retry(`d${i}`, step.fail.webhook, due.get(`d${i}`)!)
          world.advance(step.pause, true)
        }
        world.finish()
        for (const [id, time] of due) expect([id, world.arrivals.get(id)]).toEqual([id, [time]])
      }),
      { numRuns: 1000 },
    )
  })

  it('S5 releases none early and loses none, over restarts, downtimes, late acknowledgements and little memory', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ fail }) },
      { weight: 4, arbitrary: fc.record({ advance: pause, acknowledge: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ down: pause }) },
      { weight: 1, arbitrary: fc.constant('acknowledge' as const) },
    )
    const world = fc.record({ perSecond: fc.integer({ min: 1, max: 1000 }), held: fc.integer({ min: 14, max: 60 }) })
    fc.assert(
      fc.property(world, fc.array(step, { maxLength: 40 }), ({ perSecond, held }, steps) => {
        const world = new World(perSecond, held)
        const due = new Map<string, number>()
        let restarted = false
        for (const [i, one] of steps.entries()) {
          if (one === 'acknowledge') world.acknowledgeAll()
          else if ('advance' in one) world.advance(one.advance, one.acknowledge)
          else if ('fail' in one) {
            due.set(`d${i}`, dueOf(one.fail, `d${i}`, world.clock.now()))
            world.retry(`d${i}`, one.fail.webhook, due.get(`d${i}`)!)
          } else {
            world.clock.advance(one.down)
            world.restart()
            restarted = true
          }
        }
        world.acknowledgeAll()
        world.finish()
        for (const [id, time] of due) {
          const arrivals = world.arrivals.get(id) ?? []
          expect([id, arrivals.length > 0]).toEqual([id, true])
          if (!restarted) expect([id, arrivals.length]).toEqual([id, 1])
          for (const arrival of arrivals) expect(arrival).toBeGreaterThanOrEqual(time)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('lets overdue records leave by the earliest head of all partitions, at a bounded rate, starving none', () => {
    const partition = fc
      .array(fc.nat({ max: 5000 }), { minLength: 1, maxLength: 60 })
      .map(ages => ages.sort((a, b) => b - a))
    fc.assert(
      fc.property(
        fc.array(partition, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 5, max: 50 }),
        (ages, perSecond) => {
          const clock = new ManualClock()
          const start = clock.now()
          const schedule = new Schedule(clock.now, perSecond)
          for (const [p, list] of ages.entries()) {
            const lane = new Lane(
              new LogClaim({ tier: '5s', partition: p, records: [], done: new Set() }),
              't',
              p,
              5_000,
            )
            for (const [offset, age] of list.entries()) {
              const value = encodeDelivery(delivery('d', 'w', start), Buffer.from('1')).value
              schedule.add(lane, { offset, timestamp: start - 5_000 - age, value })
            }
          }
          const left: number[] = []
          for (let wake = schedule.nextWake(); wake !== undefined; wake = schedule.nextWake()) {
            clock.advance(Math.max(0, wake - clock.now()))
            left.push(...schedule.take(clock.now()).map(({ record }) => record.timestamp))
            expect(left.length).toBeLessThanOrEqual(perSecond + ((clock.now() - start) * perSecond) / 1000 + 1e-6)
          }
          expect(left).toEqual(
            ages
              .flat()
              .map(age => start - 5_000 - age)
              .sort((a, b) => a - b),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  it('does not let the rate of overdue records delay those whose due time is known', () => {
    const clock = new ManualClock()
    const schedule = new Schedule(clock.now, 1)
    const lane = (p: number, delayMs: number) =>
      new Lane(new LogClaim({ tier: '0s', partition: p, records: [], done: new Set() }), 't', p, delayMs)
    const add = (to: Lane<LogClaim>, id: string, due: number) =>
      schedule.add(to, {
        offset: 0,
        timestamp: clock.now(),
        value: encodeDelivery(delivery(id, 'w', due), Buffer.of()).value,
      })
    add(lane(0, 0), 'soon', clock.now() + 3)
    expect(schedule.take(clock.now())).toEqual([])
    add(lane(1, 0), 'overdue', clock.now() - 60_000)
    expect(schedule.take(clock.now())).toEqual([])
    expect(schedule.nextWake()).toBe(clock.now() + 3)
    clock.advance(3)
    expect(schedule.take(clock.now())).toHaveLength(1)
  })

  it('does not make records late because the clock of a broker is ahead', () => {
    const clock = new ManualClock()
    const schedule = new Schedule(clock.now, UNBOUNDED)
    const lane = new Lane(new LogClaim({ tier: '5s', partition: 0, records: [], done: new Set() }), 't', 0, 5_000)
    const { value } = encodeDelivery(delivery('d', 'w', clock.now() + 5_000), Buffer.of())
    schedule.add(lane, { offset: 0, timestamp: clock.now() + 60_000, value })
    expect(schedule.nextWake()).toBe(clock.now() + 5_000)
  })

  it('forgets a partition with all that came from it', () => {
    const clock = new ManualClock()
    const schedule = new Schedule(clock.now, UNBOUNDED)
    const lanes = [0, 1].map(
      p => new Lane(new LogClaim({ tier: '0s', partition: p, records: [], done: new Set() }), 't', p, 0),
    )
    for (const [p, lane] of lanes.entries())
      for (const [offset, wait] of [1000, 2000].entries())
        schedule.add(lane, {
          offset,
          timestamp: clock.now(),
          value: encodeDelivery(delivery(`${p}`, 'w', clock.now() + wait), Buffer.of()).value,
        })
    expect(schedule.take(clock.now())).toEqual([])
    schedule.drop(lanes[0]!)
    clock.advance(10_000)
    const left = schedule.take(clock.now())
    expect(left.map(({ lane, record }) => [lane.partition, record.offset])).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(schedule.nextWake()).toBeUndefined()
  })

  it.each([
    ['nothing', null, 'poison'],
    ['no frame', Buffer.from('nonsense'), 'poison'],
    ['a frame that is no delivery', Buffer.from('\x01\0\0\0\x02{}'), 'poison'],
    ['a newer frame', Buffer.from('\x02\0\0\0\x02{}'), 'newer'],
  ])('judges %s', (_what, value, kind) => {
    const clock = new ManualClock()
    const schedule = new Schedule(clock.now, UNBOUNDED)
    const lane = new Lane(new LogClaim({ tier: '0s', partition: 0, records: [], done: new Set() }), 't', 0, 0)
    schedule.add(lane, { offset: 7, timestamp: clock.now(), value })
    expect(schedule.take(clock.now())).toMatchObject([{ record: { offset: 7 }, to: { kind } }])
  })
})
