import type { Lane } from './work.js'

/** What a queue has to know of a piece of work. */
export interface Queued {
  /** `spills`: how often it was moved before. */
  readonly delivery: { readonly webhook: string; readonly spills: number }
  readonly lane: Lane
  readonly bytes: number
}

export interface QueueLimits {
  /** Requests in all. */
  readonly sockets: number
  /** Requests of one webhook. */
  readonly perWebhook: number
}

/** Work that has to leave memory, and when its webhook will have room for it (ms since the epoch). */
export interface Spill<W> {
  readonly work: W
  readonly due: number
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
/** Half of what may be unfinished in a process: one webhook with large events leaves room for others. */
const MAX_BYTES = 32 * 1024 * 1024
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
/** Observations in a row without strain until its after-effects are over. */
const CALM_AFTER = 4
/** So many requests more than were under way with it have ended since it began: it is slow, and not we are. */
const OVERTAKEN_BY = 256
/** Share of the newest attempt in the mean. */
const NEWEST = 0.1
/** Every so many requests of a webhook one comes from the bulk lane, so that replays get 5 % at least. */
const BULK_EVERY = 20
/** Measures of a webhook without work are kept this long. */
const IDLE_MS = MAX_AHEAD_MS

interface Run {
  readonly startedAt: number
  readonly calmBefore: number
  /** Requests of other webhooks that had ended by then, and requests that were under way. */
  readonly endedBefore: number
  readonly besides: number
}

interface Queue<W> {
  readonly webhook: string
  readonly lanes: { readonly [L in Lane]: W[] }
  waiting: number
  bytes: number
  /** The oldest first. */
  readonly running: Map<W, Run>
  /** Moving mean of what an attempt occupies. */
  attemptMs: number
  /** The last time promised to a spill, and the mean time between the promises until then. */
  slot: number
  slotEveryMs: number
  taken: number
  ended: number
  touched: number
}

/**
 * Work in memory, a queue per webhook, served round robin. All of it is plain bookkeeping: time
 * is an argument, and nothing here waits.
 */
export class WebhookQueues<W extends Queued> {
  private readonly queues = new Map<string, Queue<W>>()
  /** Queues with waiting work that may be served, in the order of their turns. */
  private ring: Queue<W>[] = []
  private readonly inRing = new Set<Queue<W>>()
  /** Queues with waiting work, whether they may be served or not. */
  private readonly crowded = new Set<Queue<W>>()
  private runningInAll = 0
  private waitingInAll = 0
  private ended = 0
  /** Time of this process in which it kept up with its own work: only then is a webhook's slowness its own. */
  private calmMs = 0
  private calmInARow = 0
  private calmSince = Infinity
  /** Attempts that began in calm, until it is known whether they ended in it too. */
  private readonly unproven = new Map<Queue<W>, { count: number; sumMs: number }>()
  private observedAt: number | undefined

  constructor(private readonly limits: QueueLimits) {}

  get running(): number {
    return this.runningInAll
  }

  get waiting(): number {
    return this.waitingInAll
  }

  push(work: W, now: number): void {
    const queue = this.queueOf(work.delivery.webhook)
    queue.lanes[work.lane].push(work)
    queue.waiting++
    queue.bytes += work.bytes
    queue.touched = now
    this.waitingInAll++
    this.crowded.add(queue)
    this.joinRing(queue)
  }

  /** The next work to start, or undefined; it runs until finish(). */
  take(now: number): W | undefined {
    for (let queue = this.ring.shift(); queue; queue = this.ring.shift()) {
      this.inRing.delete(queue)
      if (queue.waiting === 0) continue
      const free = this.limits.sockets - this.runningInAll
      if (free <= 0) {
        this.ring.unshift(queue)
        this.inRing.add(queue)
        return undefined
      }
      if (!this.mayRun(queue, free)) continue
      const work = this.next(queue)
      queue.running.set(work, {
        startedAt: now,
        calmBefore: this.calmMs,
        endedBefore: this.ended - queue.ended,
        besides: this.runningInAll,
      })
      this.runningInAll++
      this.joinRing(queue)
      return work
    }
    return undefined
  }

  finish(work: W, now: number): void {
    const queue = this.queueOf(work.delivery.webhook)
    const run = queue.running.get(work)
    if (!run) return
    queue.running.delete(work)
    this.measure(queue, run, now - run.startedAt)
    this.ended++
    queue.ended++
    queue.touched = now
    this.runningInAll--
    this.joinRing(queue)
  }

  /** An attempt of a strained process may have waited for us; that it was quicker than the mean is true all the same. */
  private measure(queue: Queue<W>, run: Run, tookMs: number): void {
    if (tookMs < queue.attemptMs) queue.attemptMs += NEWEST * (tookMs - queue.attemptMs)
    else if (run.startedAt >= this.calmSince) {
      const { count, sumMs } = this.unproven.get(queue) ?? { count: 0, sumMs: 0 }
      this.unproven.set(queue, { count: count + 1, sumMs: sumMs + tookMs })
    }
  }

  /** To be told at short intervals whether this process has kept up since the last time. */
  observe(now: number, strained: boolean): void {
    this.calmInARow = strained ? 0 : this.calmInARow + 1
    if (!this.isCalm) this.calmSince = Infinity
    else {
      this.calmSince = Math.min(this.calmSince, now)
      this.calmMs += now - (this.observedAt ?? now)
      for (const [queue, { count, sumMs }] of this.unproven)
        queue.attemptMs += (1 - (1 - NEWEST) ** count) * (sumMs / count - queue.attemptMs)
    }
    this.unproven.clear()
    this.observedAt = now
  }

  /** Gives every waiting queue a turn again, and forgets webhooks that have long had no work. */
  refresh(now: number): void {
    for (const queue of this.queues.values()) {
      this.joinRing(queue)
      if (queue.waiting === 0 && queue.running.size === 0 && now - queue.touched > IDLE_MS)
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
      while (queue.waiting > keep || (queue.bytes > MAX_BYTES && queue.waiting > 1)) excess.push(this.last(queue))
      this.replan(queue, everyMs, now)
      // The first of them to come is the first to get a slot.
      for (const work of excess.reverse()) spills.push({ work, due: this.slotFor(work, queue, everyMs, now) })
    }
    return spills
  }

  /** How much may wait for a webhook that takes one every so many milliseconds. */
  private keepOf(queue: Queue<W>, everyMs: number, now: number): number {
    const share = this.hangingMs(queue, now) > 0 ? 0 : MAX_RECORDS / this.crowded.size
    const keep = Math.max(MAX_WAIT_MS / everyMs, Math.min(MAX_LONE_WAIT_MS / everyMs, share))
    return Math.max(1, Math.floor(Math.min(MAX_RECORDS, keep)))
  }

  /**
   * The next free slot. One that is too far ahead is not promised: the work comes before it, and is
   * planned then; kept for it, the slot would pass unused.
   */
  private slotFor(work: W, queue: Queue<W>, everyMs: number, now: number): number {
    const last = Math.max(queue.slot, now + queue.waiting * everyMs)
    const latest = now + aheadOf(work)
    if (last + everyMs > latest) return Math.ceil(latest)
    const promised = (last - now) / (queue.slot > now ? queue.slotEveryMs : everyMs)
    queue.slot = last + everyMs
    queue.slotEveryMs = (queue.slot - now) / (promised + 1)
    return Math.ceil(queue.slot)
  }

  /**
   * As many promises as there are, at the present speed, when that is higher. When it is lower they
   * are not put off: the work comes when it was told to, and is planned anew.
   */
  private replan(queue: Queue<W>, everyMs: number, now: number): void {
    if (queue.slot <= now || everyMs >= queue.slotEveryMs) return
    queue.slot = now + ((queue.slot - now) * everyMs) / queue.slotEveryMs
    queue.slotEveryMs = everyMs
  }

  /** Takes out the waiting work that the predicate does not want to keep. */
  remove(unwanted: (work: W) => boolean): W[] {
    const removed: W[] = []
    for (const queue of this.crowded)
      for (const lane of Object.values(queue.lanes)) {
        const kept = lane.filter(work => !unwanted(work))
        if (kept.length === lane.length) continue
        for (const work of lane.filter(unwanted)) {
          this.leave(queue, work)
          removed.push(work)
        }
        lane.splice(0, lane.length, ...kept)
      }
    return removed
  }

  /**
   * A webhook may not have more requests than there are sockets left: however many of them hang,
   * a share is left for the others (n hanging ones end at 1/(n+1) of the sockets each).
   */
  private mayRun(queue: Queue<W>, free: number): boolean {
    return queue.running.size < Math.min(this.limits.perWebhook, free)
  }

  /**
   * Time between two attempts when all that may run does. Those that run now are no measure: work
   * that was moved to the slots of a slow guess comes back slowly, few run, and the guess stays.
   */
  private everyMs(queue: Queue<W>, now: number): number {
    const others = this.runningInAll - queue.running.size
    // Half of what the others leave: see mayRun.
    const atOnce = Math.max(1, Math.min(this.limits.perWebhook, Math.ceil((this.limits.sockets - others) / 2)))
    return Math.max(queue.attemptMs, this.hangingMs(queue, now), 0.1) / atOnce
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
    const calm = this.calmMs - run.calmBefore
    return calm > HANGING_MS ? calm : 0
  }

  private get isCalm(): boolean {
    return this.calmInARow >= CALM_AFTER
  }

  private next(queue: Queue<W>): W {
    const { due, fresh, bulk } = queue.lanes
    const bulkTurn = ++queue.taken % BULK_EVERY === 0 && bulk.length > 0
    const work = (bulkTurn ? bulk : due.length > 0 ? due : fresh.length > 0 ? fresh : bulk).shift()!
    this.leave(queue, work)
    return work
  }

  private last(queue: Queue<W>): W {
    const { due, fresh, bulk } = queue.lanes
    const work = (bulk.length > 0 ? bulk : fresh.length > 0 ? fresh : due).pop()!
    this.leave(queue, work)
    return work
  }

  private leave(queue: Queue<W>, work: W): void {
    queue.waiting--
    queue.bytes -= work.bytes
    this.waitingInAll--
    if (queue.waiting === 0) this.crowded.delete(queue)
  }

  private joinRing(queue: Queue<W>): void {
    if (queue.waiting === 0 || this.inRing.has(queue)) return
    this.ring.push(queue)
    this.inRing.add(queue)
  }

  private queueOf(webhook: string): Queue<W> {
    let queue = this.queues.get(webhook)
    if (!queue) {
      queue = {
        webhook,
        lanes: { due: [], fresh: [], bulk: [] },
        waiting: 0,
        bytes: 0,
        running: new Map(),
        attemptMs: FIRST_GUESS_MS,
        slot: 0,
        slotEveryMs: 1,
        taken: 0,
        ended: 0,
        touched: 0,
      }
      this.queues.set(webhook, queue)
    }
    return queue
  }
}

function aheadOf({ delivery }: Queued): number {
  return Math.min(MAX_AHEAD_MS, FIRST_AHEAD_MS * 2 ** delivery.spills)
}

/** The one in the middle of `size` runs, which stand in the order of their start. */
function median(runs: Iterable<Run>, size: number): Run | undefined {
  let left = size >> 1
  for (const run of runs) if (left-- === 0) return run
  return undefined
}
