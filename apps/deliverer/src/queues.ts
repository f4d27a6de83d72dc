import type { CircuitChange, Reaction } from '@posthorn/webhook'
import { Calm } from './calm.js'
import { BULK_EVERY, Lanes } from './lanes.js'
import { Pace, type Turn, type WaitReason, type WebhookLimits } from './pace.js'
import { Slots } from './slots.js'
import { Turns } from './turns.js'
import type { Lane } from './work.js'

/** What a queue has to know of a piece of work. */
export interface Queued {
  /** `spills`: how often it was moved before. */
  readonly delivery: { readonly tenant: string; readonly webhook: string; readonly spills: number }
  readonly lane: Lane
  readonly bytes: number
  /** Set by push() and take(). */
  queuedAt?: number
  turn?: Turn
}

export interface QueueLimits {
  /** Requests in all. */
  readonly sockets: number
  /** Requests of one webhook. */
  readonly perWebhook: number
  /** Waiting records of one webhook: less than what a process may hold, to leave room for others. */
  readonly bytesPerWebhook: number
}

/** Work that has to leave memory, and when its webhook will have room for it (ms since the epoch). */
export interface Spill<W> {
  readonly work: W
  readonly due: number
  readonly reason: WaitReason
}

/** A webhook keeps in memory what it takes within this time at its present speed; the rest is spilled. */
const MAX_WAIT_MS = 2_000
/**
 * So long while nobody else needs the room: moving a delivery and fetching it back costs as much CPU
 * as making it, and a flood to one quick webhook would take twice as long.
 */
const MAX_LONE_WAIT_MS = 8_000
/**
 * A partition's window of 16,384 and the fetch that overfills it: who takes that many within its
 * time is slowed by the window, and need not spill. The webhooks with waiting work share it.
 */
const MAX_RECORDS = 20_000
/**
 * How far ahead work is moved the first time; each further time it may be twice as far. The speed is
 * a guess, made while a flood is moved: what it put too far off would come long after its turn.
 */
const FIRST_AHEAD_MS = 10_000
/** A longer backlog is moved again: its webhook may have become quicker. */
const MAX_AHEAD_MS = 600_000
/** Taken for the time of an attempt until one was measured. */
const FIRST_GUESS_MS = 5
/** A request that has been under way for longer counts before it ends. */
const HANGING_MS = 1_000
/** So many requests more than were under way with it have ended since it began: it is slow, and not we are. */
const OVERTAKEN_BY = 256
/** Share of the newest attempt in the mean. */
const NEWEST = 0.1
/** Moved work of a rate-limited webhook comes so much before its slot, to be served before fresh work. */
const BEFORE_SLOT_MS = 1_000
/** Webhooks whose time has come are looked for this often at most. */
const WAKE_MS = 10
/**
 * A tenant has at most so many requests for each socket that is left, 80 % of all: however many of its
 * webhooks hang, others get on. What waits for it gets its turn at the next refresh.
 */
const TENANT_SHARE = 4
/** Measures of a webhook without work are kept this long. */
const IDLE_MS = MAX_AHEAD_MS

interface Run {
  readonly startedAt: number
  readonly calmBefore: number
  /** Requests of other webhooks that had ended by then, and requests that were under way. */
  readonly endedBefore: number
  readonly besides: number
}

interface Queue<W extends Queued> {
  readonly tenant: string
  readonly webhook: string
  readonly lanes: Lanes<W>
  /** The oldest first. */
  readonly running: Map<W, Run>
  /** Moving mean of what an attempt occupies. */
  attemptMs: number
  readonly slots: Slots
  readonly pace: Pace
  ended: number
  touched: number
}

/**
 * Work in memory, a queue per webhook, served round robin: tenants first, then their webhooks; those that have
 * nothing but replays come last, but every twentieth time. All of it is plain bookkeeping: time is an argument,
 * and nothing here waits.
 */
export class WebhookQueues<W extends Queued> {
  private readonly queues = new Map<string, Queue<W>>()
  /** Of queues with waiting work that may be served, and of those among them that have bulk alone. */
  private readonly turns = new Turns<Queue<W>>()
  private readonly bulkTurns = new Turns<Queue<W>>()
  private taken = 0
  /** Queues with waiting work, whether they may be served or not. */
  private readonly crowded = new Set<Queue<W>>()
  private runningInAll = 0
  private readonly runningOf = new Map<string, number>()
  private waitingInAll = 0
  private ended = 0
  private readonly calm = new Calm()
  /** Queues with waiting work whose time has not come, and when it does for the first of them. */
  private readonly asleep = new Set<Queue<W>>()
  private wakes = Infinity
  /** Attempts that began in calm, until it is known whether they ended in it too. */
  private readonly unproven = new Map<Queue<W>, { count: number; sumMs: number }>()

  constructor(
    private readonly limits: QueueLimits,
    private readonly limitsOf: (webhook: string) => WebhookLimits | undefined,
  ) {}

  get running(): number {
    return this.runningInAll
  }

  get waiting(): number {
    return this.waitingInAll
  }

  /** When take() may have work again although nothing came or ended, ms since the epoch; Infinity for never. */
  get wakesAt(): number {
    return this.wakes
  }

  /** Webhooks whose circuit is open. */
  get openCircuits(): number {
    let open = 0
    for (const { pace } of this.queues.values()) if (pace.circuitOpen) open++
    return open
  }

  push(work: W, now: number): void {
    const queue = this.queueOf(work)
    work.queuedAt = now
    queue.lanes.push(work)
    queue.touched = now
    this.waitingInAll++
    this.crowded.add(queue)
    this.join(queue)
  }

  /** The next work to start, or undefined; it runs until finish(). */
  take(now: number): W | undefined {
    if (now >= this.wakes) this.wake()
    const free = this.limits.sockets - this.runningInAll
    if (free <= 0) return undefined
    const [first, second] =
      (this.taken + 1) % BULK_EVERY === 0 ? [this.bulkTurns, this.turns] : [this.turns, this.bulkTurns]
    return this.takeFrom(first, free, now) ?? this.takeFrom(second, free, now)
  }

  private takeFrom(turns: Turns<Queue<W>>, free: number, now: number): W | undefined {
    for (let queue = turns.next(); queue; queue = turns.next()) {
      if (queue.lanes.size === 0) continue
      if (!mayRun(queue, free) || this.tenantRuns(queue.tenant) >= TENANT_SHARE * free) continue
      if (queue.pace.startsAt > now) {
        this.sleep(queue, now)
        continue
      }
      const work = queue.pace.circuitOpen ? queue.lanes.probe() : queue.lanes.next()
      this.left(queue)
      this.taken++
      queue.running.set(work, {
        startedAt: now,
        calmBefore: this.calm.totalMs,
        endedBefore: this.ended - queue.ended,
        besides: this.runningInAll,
      })
      work.turn = queue.pace.started(queue.running.size - 1, now - work.queuedAt!, now)
      this.runningInAll++
      this.runningOf.set(queue.tenant, this.tenantRuns(queue.tenant) + 1)
      this.join(queue)
      return work
    }
    return undefined
  }

  /**
   * The request has ended; `reaction` undefined: none was made. `retryAfterMs` is what its answer asks
   * for. What it makes of the webhook's circuit is for the log.
   */
  finish(work: W, now: number, reaction?: Reaction, retryAfterMs?: number): CircuitChange | undefined {
    const queue = this.queueOf(work)
    const run = queue.running.get(work)
    if (!run) return undefined
    queue.running.delete(work)
    this.measure(queue, run, now - run.startedAt)
    this.ended++
    queue.ended++
    queue.touched = now
    this.runningInAll--
    this.tenantEnded(queue.tenant)
    const change = queue.pace.ended(reaction, retryAfterMs, run.startedAt, now)
    this.join(queue)
    return change
  }

  /** An attempt of a strained process may have waited for us; that it was quicker than the mean is true all the same. */
  private measure(queue: Queue<W>, run: Run, tookMs: number): void {
    if (tookMs < queue.attemptMs) queue.attemptMs += NEWEST * (tookMs - queue.attemptMs)
    else if (run.startedAt >= this.calm.since) {
      const { count, sumMs } = this.unproven.get(queue) ?? { count: 0, sumMs: 0 }
      this.unproven.set(queue, { count: count + 1, sumMs: sumMs + tookMs })
    }
  }

  /** To be told at short intervals whether this process has kept up since the last time. */
  observe(now: number, strained: boolean): void {
    this.calm.observe(now, strained)
    if (this.calm.since < Infinity)
      for (const [queue, { count, sumMs }] of this.unproven)
        queue.attemptMs += (1 - (1 - NEWEST) ** count) * (sumMs / count - queue.attemptMs)
    this.unproven.clear()
  }

  /** Gives every waiting queue a turn again and its webhook's present limits, and forgets webhooks that have long had no work. */
  refresh(now: number): void {
    for (const queue of this.queues.values()) {
      queue.pace.limit(this.limitsOf(queue.webhook))
      this.join(queue)
      if (queue.lanes.size === 0 && queue.running.size === 0 && now - queue.touched > IDLE_MS)
        this.queues.delete(queue.webhook)
    }
  }

  /**
   * Takes out what its webhook will not come to in time, the last come first: replays, then fresh
   * work, then what had already been moved once. Each gets the webhook's next free slot.
   */
  overflow(now: number): Spill<W>[] {
    const spills: Spill<W>[] = []
    for (const queue of this.crowded) {
      const everyMs = this.everyMs(queue, now)
      const keep = this.keepOf(queue, everyMs, now)
      const excess: W[] = []
      while (queue.lanes.size > keep || (queue.lanes.bytes > this.limits.bytesPerWebhook && queue.lanes.size > 1)) {
        excess.push(queue.lanes.last())
        this.left(queue)
      }
      queue.slots.replan(everyMs, now)
      if (excess.length === 0) continue
      const reason = queue.pace.waitsFor(now)
      // The first of them to come is the first to get a slot.
      for (const work of excess.reverse()) spills.push({ work, due: dueOf(work, queue, everyMs, now), reason })
    }
    return spills
  }

  /** How much may wait for a webhook that takes one every so many milliseconds. */
  private keepOf(queue: Queue<W>, everyMs: number, now: number): number {
    const waitMs = MAX_WAIT_MS - Math.max(0, queue.pace.startsAt - now)
    // Work that waits for its time keeps its offset open: none may do so for longer than that.
    if (waitMs < 0) return 0
    const share = isPaced(queue, everyMs) || this.hangingMs(queue, now) > 0 ? 0 : MAX_RECORDS / this.crowded.size
    const keep = Math.max(waitMs / everyMs, Math.min(MAX_LONE_WAIT_MS / everyMs, share))
    return Math.max(1, Math.floor(Math.min(MAX_RECORDS, keep)))
  }

  /** Takes out the webhook's waiting work of the fresh lane, in order. */
  withdraw(webhook: string): W[] {
    const queue = this.queues.get(webhook)
    if (!queue || queue.lanes.size === 0) return []
    const withdrawn = queue.lanes.withdraw()
    for (let i = 0; i < withdrawn.length; i++) this.left(queue)
    return withdrawn
  }

  /** Takes out the waiting work that the predicate does not want to keep. */
  remove(unwanted: (work: W) => boolean): W[] {
    const removed: W[] = []
    for (const queue of this.crowded)
      for (const work of queue.lanes.remove(unwanted)) {
        this.left(queue)
        removed.push(work)
      }
    return removed
  }

  /**
   * Time between two attempts when all that may run does. Those that run now are no measure: work
   * that was moved to the slots of a slow guess comes back slowly, few run, and the guess stays.
   */
  private everyMs(queue: Queue<W>, now: number): number {
    const others = this.runningInAll - queue.running.size
    // Half of what the others leave: see mayRun.
    const atOnce = Math.max(1, Math.min(queue.pace.expectedAtOnce, Math.ceil((this.limits.sockets - others) / 2)))
    return Math.max(Math.max(queue.attemptMs, this.hangingMs(queue, now), 0.1) / atOnce, queue.pace.spacingMs)
  }

  /**
   * How long half of the requests under way have been so at least: one straggler says nothing. In a
   * process that is strained itself every request seems slow; then it counts only when the requests
   * of other webhooks overtake it.
   */
  private hangingMs(queue: Queue<W>, now: number): number {
    const run = median(queue.running.values(), queue.running.size)
    if (!run) return 0
    const endedSince = this.ended - queue.ended - run.endedBefore
    if (endedSince > run.besides + OVERTAKEN_BY) return now - run.startedAt
    const calm = this.calm.totalMs - run.calmBefore
    return calm > HANGING_MS ? calm : 0
  }

  private tenantRuns(tenant: string): number {
    return this.runningOf.get(tenant) ?? 0
  }

  private tenantEnded(tenant: string): void {
    const left = this.tenantRuns(tenant) - 1
    if (left === 0) this.runningOf.delete(tenant)
    else this.runningOf.set(tenant, left)
  }

  private left(queue: Queue<W>): void {
    this.waitingInAll--
    if (queue.lanes.size === 0) this.crowded.delete(queue)
  }

  private sleep(queue: Queue<W>, now: number): void {
    queue.pace.holds(now)
    this.asleep.add(queue)
    this.wakes = Math.min(this.wakes, Math.max(queue.pace.startsAt, now + WAKE_MS))
  }

  private wake(): void {
    this.wakes = Infinity
    for (const queue of this.asleep) this.join(queue)
    this.asleep.clear()
  }

  private join(queue: Queue<W>): void {
    if (queue.lanes.size === 0) return
    if (queue.lanes.isBulk) this.bulkTurns.join(queue)
    else this.turns.join(queue)
  }

  private queueOf({ delivery: { tenant, webhook } }: W): Queue<W> {
    let queue = this.queues.get(webhook)
    if (!queue) {
      queue = {
        tenant,
        webhook,
        lanes: new Lanes(),
        running: new Map(),
        attemptMs: FIRST_GUESS_MS,
        slots: new Slots(),
        pace: new Pace(this.limits.perWebhook),
        ended: 0,
        touched: 0,
      }
      queue.pace.limit(this.limitsOf(webhook))
      this.queues.set(webhook, queue)
    }
    return queue
  }
}

/**
 * A webhook may not have more requests than there are sockets left: however many of them hang,
 * a share is left for the others (n hanging ones end at 1/(n+1) of the sockets each).
 */
function mayRun<W extends Queued>({ running, pace }: Queue<W>, free: number): boolean {
  return running.size < Math.min(pace.atOnce, free)
}

/** Its rate limit is what holds it up: its speed is known, not guessed. */
function isPaced<W extends Queued>({ pace }: Queue<W>, everyMs: number): boolean {
  return pace.spacingMs >= everyMs
}

/** When work that is moved is to come back: at the next free slot, or before it where that is not promised. */
function dueOf<W extends Queued>({ delivery }: W, queue: Queue<W>, everyMs: number, now: number): number {
  const paced = isPaced(queue, everyMs)
  const latest = now + (paced ? MAX_AHEAD_MS : Math.min(MAX_AHEAD_MS, FIRST_AHEAD_MS * 2 ** delivery.spills))
  // A time that is named for the next request is a slot itself.
  const from = Math.max(now, queue.pace.startsAt - everyMs) + queue.lanes.size * everyMs
  const slot = queue.slots.next(from, everyMs, latest, now) ?? latest
  return Math.ceil(paced ? slot - Math.min(BEFORE_SLOT_MS, everyMs / 2) : slot)
}

/** The one in the middle of `size` runs, which stand in the order of their start. */
function median(runs: Iterable<Run>, size: number): Run | undefined {
  let left = size >> 1
  for (const run of runs) if (left-- === 0) return run
  return undefined
}
