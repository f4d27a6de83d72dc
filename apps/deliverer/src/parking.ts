// Longer than files are here: what is parked, read again and handed back is one state machine.
import type { ParkedPlace } from '@posthorn/topics'
import { Place, type Parkable, type Tried } from './parked-place.js'
import { PARKING_LIMITS, type ParkingLimits } from './parking-limits.js'
import { Strand } from './strand.js'

/** A place that advanced is written so often; what finished since is known from attempts.v1 after a crash. */
const SAVE_MS = 2_000

/** What parking does to the world; nothing of it answers at once. */
export interface Hands<W> {
  /** It is its turn: attempt it. Its end is told by ended() or retry(), if it is ordered. */
  send(work: W): void
  /** Takes the webhook's fresh work that waits for an attempt out of the queues. */
  withdraw(webhook: string): W[]
  /** It leaves memory without an attempt; its offset stays open. */
  drop(work: W): void
  /** Its own offset is done: another record, or a place, stands for it. */
  finish(work: W): void
  /** False: it was seen before, and its offset is done with what did so. `tried`: its next attempt. */
  admits(work: W, tried: Tried | undefined): boolean
  isPaused(webhook: string): boolean
  /** Makes a place durable, or removes it (undefined); written() is to be told then. */
  write(place: Place<W>, state: Omit<ParkedPlace, 'version'> | undefined): void
}

interface Web<W> {
  readonly webhook: string
  whole: Place<W> | undefined
  readonly keys: Map<string, Place<W>>
  readonly strands: Map<string, Strand<W>>
  /** Of the live loop, behind the heads of their keys. */
  waiting: number
  waitingBytes: number
}

const NOBODY: ReadonlySet<never> = new Set()

/**
 * Order and pauses in one partition of deliveries.v1: which record of a key is sent next, when a key or
 * a webhook is parked, what is read again and when the live loop goes on. Pure: time is an argument, and
 * everything else is done by the hands.
 */
export class Parking<W extends Parkable<Place<W>>> {
  private readonly webs = new Map<string, Web<W>>()
  /** The live loop has taken in everything below; -1: not known yet. */
  passed = -1
  /** Ends of the log that the reader saw: the first one, below which an earlier owner may have finished records, and the last. */
  private firstEnd: number | undefined
  private end = -1
  private turns = 0
  private reading: Place<W>[] = []

  constructor(
    private readonly partition: number,
    private readonly hands: Hands<W>,
    private readonly limits: ParkingLimits = PARKING_LIMITS,
  ) {}

  /** What an earlier owner left; before the first record. */
  restore(facets: Iterable<ParkedPlace>): void {
    for (const facet of facets) this.keep(this.webOf(facet.webhook), Place.restored<W>(facet))
  }

  /** Whether fresh records of the webhook are to be given to live() although they are not ordered. */
  concerns(webhook: string): boolean {
    return this.webs.has(webhook)
  }

  get isIdle(): boolean {
    return this.webs.size === 0
  }

  *places(): Iterable<Place<W>> {
    for (const { whole, keys } of this.webs.values()) {
      if (whole) yield whole
      yield* keys.values()
    }
  }

  /** Ordered work that was admitted and is not over. */
  *works(): Iterable<W> {
    for (const { strands } of this.webs.values())
      for (const { head, waiting } of strands.values()) {
        if (head !== undefined) yield head
        yield* waiting.all()
      }
  }

  /** A record of deliveries.v1, in the order of the log. */
  live(work: W, now: number): void {
    const { webhook, order } = work.delivery
    const web = this.webs.get(webhook)
    const place = web && placeOf(web, order)
    if (place) this.arrive(place, work, now)
    else if (this.hands.isPaused(webhook)) this.parkWhole(webhook, now, now, [work])
    else if (this.hands.admits(work, undefined)) this.goOn(work, now)
  }

  /** Ordered work is over: its outcome is durable. */
  ended(work: W, now: number): void {
    if (work.place) this.finished(work.place, work, now)
    const found = this.strandOf(work)
    if (found) this.advance(found.web, found.strand, now)
  }

  /** Ordered work is to be attempted again at `due` (ms), or still for the first time. */
  retry(work: W, due: number, now: number): void {
    const found = this.strandOf(work)
    if (!found) return
    const { web, strand } = found
    strand.wait(due)
    if (this.hands.isPaused(web.webhook)) this.parkWhole(web.webhook, now, now)
    else if (due - strand.since > this.limits.inPlaceMs) this.parkKey(web, strand, due, now)
  }

  /** The webhook was paused, or cannot be sent to before `due`; `more`: fresh work of its that is nowhere else. */
  parkWhole(webhook: string, due: number, now: number, more: readonly W[] = []): void {
    const idle = new Set([...this.hands.withdraw(webhook), ...more])
    if (idle.size === 0 && !this.webs.has(webhook)) return
    const web = this.webOf(webhook)
    for (const strand of web.strands.values()) for (const work of strand.empty(idle)) idle.add(work)
    const place = (web.whole ??= new Place<W>(webhook, undefined, Math.max(0, this.passed), due, now))
    this.leave(place)
    for (const strand of web.strands.values()) this.takeOver(place, strand.head)
    this.tidy(web)
    for (const work of [...idle].sort((a, b) => a.record.offset - b.record.offset)) this.shelve(place, work)
    place.due = due
    this.save(place, now)
  }

  /** Where the reader is to read next; undefined: nowhere. */
  readFrom(now: number): number | undefined {
    let next: Place<W> | undefined
    for (const place of this.places())
      if (this.hasRoom(place, 2) && this.mayRead(place, now) && (!next || place.turn < next.turn)) next = place
    if (next) next.turn = ++this.turns
    return next?.readAt
  }

  /** The records from this offset on are about to be told, of which the log took the first at `time` (ms). */
  open(from: number, time: number, now: number): void {
    this.reading = [...this.places()].filter(
      place => place.readAt >= from && this.mayRead(place, now) && !this.isKept(place, time, now),
    )
    for (const place of this.reading) place.blocked = false
  }

  /** Whether a record that was read again is worth decoding. */
  wants(webhook: string, offset: number): boolean {
    return this.webs.has(webhook) && this.reading.some(place => place.webhook === webhook && place.takes(offset))
  }

  /** A record that was read again, in the order of the log. */
  again(work: W, now: number): void {
    const { webhook, order } = work.delivery
    const { offset } = work.record
    const web = this.webs.get(webhook)
    if (!web) return
    const key = order === undefined ? undefined : web.keys.get(order)
    if (key && web.whole) this.passKey(web.whole, key, offset)
    const place = key ?? web.whole
    if (!place || !this.reading.includes(place) || !place.takes(offset)) return
    if (!this.hasRoom(place, 1) || this.isKept(place, work.record.timestamp, now)) return void (place.blocked = true)
    place.run(offset, work, work.bytes)
    place.readAt = offset + 1
    place.next = Math.max(place.next, place.readAt)
    work.place = place
    if (this.hands.admits(work, place.tried.get(offset))) this.goOn(work, now)
  }

  /** Everything from open() to below `next` was told; the log ended at `end`. */
  readTo(next: number, end: number, now: number): void {
    this.firstEnd ??= end
    this.end = Math.max(this.end, end)
    const reading = this.reading.splice(0)
    for (const place of reading) if (!place.blocked && place.readAt <= next) place.passed(next)
    for (const place of reading) this.settle(place, now)
  }

  /** Retention has taken everything below `start`: how many of the lost records are known. */
  readLost(start: number, now: number): number {
    let lost = 0
    for (const place of this.places())
      if (place.readAt < start) {
        lost += place.lost(start)
        this.settle(place, now)
      }
    return lost
  }

  /** A re-read record is done with, by whatever did so. */
  finished(place: Place<W>, work: W, now: number): void {
    // Of an earlier time of owning the partition.
    if (this.placeAt(place.webhook, place.key) !== place) return
    place.finished(work.record.offset, work.bytes)
    this.settle(place, now)
  }

  /** The place, as it was last given to write(), is acknowledged. */
  written(place: Place<W>, now: number): void {
    place.writing = false
    place.acked = true
    for (const { work, from } of place.awaiting.splice(0)) {
      this.hands.finish(work)
      if (from) this.finished(from, work, now)
    }
    if (place.clearing && place.isReadUp && place.adopted.length === 0) return this.handOver(place, now)
    if (place.clearing) return this.removed(place, now)
    if (place.stale) this.save(place, now)
    else this.settle(place, now)
  }

  /** The place is parked still, and does not stand on the topic: nothing may lean on it until it does again. */
  removed(place: Place<W>, now: number): void {
    place.clearing = place.acked = false
    this.save(place, now)
  }

  /** It was not finished with what was to finish it. */
  returned(place: Place<W>, work: W): void {
    place.back(work.record.offset, work.bytes, undefined)
  }

  /** Undefined: nothing is parked there. */
  placeAt(webhook: string, key: string | undefined): Place<W> | undefined {
    const web = this.webs.get(webhook)
    return key === undefined ? web?.whole : web?.keys.get(key)
  }

  /** Writes the place again. */
  save(place: Place<W>, now: number): void {
    if (place.writing) return void (place.stale = true)
    place.writing = true
    place.stale = place.dirty = false
    place.savedAt = now
    place.awaiting = place.adopted.splice(0)
    this.hands.write(place, place.clearing ? undefined : place.state(this.partition))
  }

  /** To be called a few times a second. */
  tick(now: number): void {
    for (const web of [...this.webs.values()]) {
      for (const strand of [...web.strands.values()]) if (strand.isDue(now)) this.resend(strand)
      if (this.isPressing(web)) this.parkWhole(web.webhook, now, now)
    }
    for (const place of [...this.places()]) {
      if (place.held.length > 0 && this.passed - place.held[0]!.record.offset > this.limits.distance) this.leave(place)
      this.settle(place, now)
      if (place.dirty && !place.writing && now - place.savedAt >= SAVE_MS) this.save(place, now)
    }
  }

  /** The log is known to have records below. */
  private get readable(): number {
    return Math.max(this.end, this.passed)
  }

  private webOf(webhook: string): Web<W> {
    let web = this.webs.get(webhook)
    if (!web) {
      web = { webhook, whole: undefined, keys: new Map(), strands: new Map(), waiting: 0, waitingBytes: 0 }
      this.webs.set(webhook, web)
    }
    return web
  }

  private keep(web: Web<W>, place: Place<W>): void {
    if (place.key === undefined) web.whole = place
    else web.keys.set(place.key, place)
  }

  private strandOf(work: W): { web: Web<W>; strand: Strand<W> } | undefined {
    const { webhook, order } = work.delivery
    const web = this.webs.get(webhook)
    const strand = web && order !== undefined ? web.strands.get(order) : undefined
    return web && strand?.head === work ? { web, strand } : undefined
  }

  /** A live record of what is parked: it is read again later, unless the reader leaves it to the live loop. */
  private arrive(place: Place<W>, work: W, now: number): void {
    const { offset, timestamp } = work.record
    if (place.joinAt !== undefined && offset >= place.joinAt) {
      place.held.push(work)
      if (place.held.length > this.limits.held) this.leave(place)
      return
    }
    place.since = Math.min(place.since, timestamp)
    this.hands.drop(work)
    if (place.acked && place.covers(offset)) return this.hands.finish(work)
    // The first write is under way, and counts it.
    if (place.writing && offset >= place.next) return void place.awaiting.push({ work, from: undefined })
    // Where the place does not count it, it was under way when the webhook was parked, and then its process died.
    if (!place.covers(offset)) place.left.add(offset)
    place.readAt = Math.min(place.readAt, offset)
    place.adopted.push({ work, from: undefined })
    this.save(place, now)
  }

  /** The work was admitted. */
  goOn(work: W, now: number): void {
    const { webhook, order } = work.delivery
    if (order === undefined) return this.hands.send(work)
    const web = this.webOf(webhook)
    const strand = web.strands.get(order)
    if (!strand) {
      const begun = new Strand<W>(order, work)
      web.strands.set(order, begun)
      return this.start(web, begun, now)
    }
    strand.waiting.push(work)
    if (!work.live) return
    web.waiting++
    web.waitingBytes += work.bytes
  }

  private start(web: Web<W>, strand: Strand<W>, now: number): void {
    const { attempt, due } = strand.head!.delivery
    strand.begin(now)
    if (attempt === 1 || due <= now) return this.hands.send(strand.head!)
    strand.wait(due)
    if (due - now > this.limits.inPlaceMs) this.parkKey(web, strand, due, now)
  }

  private resend(strand: Strand<W>): void {
    strand.sent()
    this.hands.send(strand.head!)
  }

  private advance(web: Web<W>, strand: Strand<W>, now: number): void {
    strand.head = undefined
    if (strand.waiting.length === 0) {
      web.strands.delete(strand.key)
      return this.forgetIfEmpty(web)
    }
    const work = (strand.head = strand.waiting.shift())
    if (work.live) {
      web.waiting--
      web.waitingBytes -= work.bytes
    }
    this.start(web, strand, now)
  }

  /** The head of the strand waits for `due`. */
  private parkKey(web: Web<W>, strand: Strand<W>, due: number, now: number): void {
    const known = web.keys.get(strand.key)
    if (!known && web.keys.size >= this.limits.parkedKeys) return this.parkWhole(web.webhook, due, now)
    const { delivery, record } = strand.head!
    const place = known ?? new Place<W>(web.webhook, strand.key, record.offset, due, now)
    this.leave(place)
    for (const work of strand.empty(NOBODY)) {
      this.hands.drop(work)
      if (work.place !== place) place.adopted.push({ work, from: work.place })
    }
    this.tidy(web)
    place.restart(record.offset)
    place.since = record.timestamp
    if (delivery.attempt > 1) place.tried.set(record.offset, { attempt: delivery.attempt, due })
    place.due = due
    place.blocked = true
    this.keep(web, place)
    this.save(place, now)
  }

  /** Puts work that waited into the place: it is read again. */
  private shelve(whole: Place<W>, work: W): void {
    const { delivery, record, bytes, place = whole } = work
    const tried = delivery.attempt > 1 ? { attempt: delivery.attempt, due: delivery.due } : undefined
    this.hands.drop(work)
    place.since = Math.min(place.since, record.timestamp)
    if (place === whole) {
      whole.left.add(record.offset)
      whole.next = Math.max(whole.next, record.offset + 1)
      if (work.live) whole.adopted.push({ work, from: undefined })
    }
    place.back(record.offset, bytes, tried)
  }

  /** What is under way cannot be taken back: the place counts it as unfinished until it ends. */
  private takeOver(whole: Place<W>, head: W | undefined): void {
    if (!head || head.place) return
    head.place = whole
    whole.run(head.record.offset, head, head.bytes)
    whole.next = Math.max(whole.next, head.record.offset + 1)
  }

  /** After strands were emptied. */
  private tidy(web: Web<W>): void {
    web.waiting = web.waitingBytes = 0
    for (const [key, strand] of web.strands) {
      if (!strand.head) web.strands.delete(key)
      for (const { live, bytes } of strand.waiting.all())
        if (live) {
          web.waiting++
          web.waitingBytes += bytes
        }
    }
  }

  private forgetIfEmpty({ webhook, whole, keys, strands }: Web<W>): void {
    if (!whole && keys.size === 0 && strands.size === 0) this.webs.delete(webhook)
  }

  /** With `share` 2: half empty, and worth another fetch. */
  private hasRoom({ running, runningBytes }: Place<W>, share: 1 | 2): boolean {
    return running.size < this.limits.running / share && runningBytes < this.limits.runningBytes / share
  }

  private mayRead(place: Place<W>, now: number): boolean {
    if (!place.acked || place.clearing || !(this.isOpen(place, now) || this.isOutlasting(place, now))) return false
    if (place.joinAt !== undefined) return place.readAt < place.joinAt
    return this.firstEnd === undefined || place.readAt < this.readable
  }

  /** Its time has come, and its webhook's. */
  private isOpen({ webhook, key, due }: Place<W>, now: number): boolean {
    const whole = key === undefined ? undefined : this.webs.get(webhook)?.whole
    return now >= due && (whole === undefined || now >= whole.due) && !this.hands.isPaused(webhook)
  }

  /** It is paused, and the log does not keep its records for much longer. */
  private isOutlasting({ webhook, due, since }: Place<W>, now: number): boolean {
    return now >= due && now - since > this.limits.keptMs && this.hands.isPaused(webhook)
  }

  /** Whether what came at `time`, and all after it, is left where it is: only what is too old is read of a paused one. */
  private isKept(place: Place<W>, time: number, now: number): boolean {
    if (now - time > this.limits.keptMs || this.isOpen(place, now)) return false
    if (place.running.size === 0) place.keeps(time)
    return true
  }

  /** The record is of a key with a place of its own, which counts it. */
  private passKey(whole: Place<W>, key: Place<W>, offset: number): void {
    if (!this.reading.includes(whole) || !whole.takes(offset) || !whole.left.has(offset)) return
    if (key.acked) whole.finished(offset, 0)
    else whole.blocked = true
  }

  /** Should a record have come by now, the live loop brings it. */
  private hasNothing({ left, readAt }: Place<W>): boolean {
    return this.firstEnd !== undefined && left.size === 0 && readAt >= this.readable
  }

  /** Looks whether the live loop can go on soon, or now. */
  private settle(place: Place<W>, now: number): void {
    place.skip()
    if (this.hasNothing(place) && this.isOutlasting(place, now)) place.keeps(now)
    if (place.joinAt === undefined && this.mayJoin(place, now)) place.joinAt = this.joinOf(place)
    if (!place.isReadUp || place.clearing || place.adopted.length > 0 || place.writing) return
    place.clearing = true
    this.save(place, now)
  }

  private mayJoin(place: Place<W>, now: number): boolean {
    if (!place.acked || this.firstEnd === undefined || !this.hasRoom(place, 2) || !this.isOpen(place, now)) return false
    // The live loop goes on with the whole webhook first.
    if (place.key !== undefined && this.webs.get(place.webhook)?.whole) return false
    return this.joinOf(place) - place.readAt <= this.limits.joinWithin
  }

  private joinOf({ readAt, next }: Place<W>): number {
    return Math.max(readAt, next, this.passed, this.firstEnd!)
  }

  /** The reader takes over again what the live loop was to go on with. */
  private leave(place: Place<W>): void {
    if (place.clearing || place.joinAt === undefined) return
    place.joinAt = undefined
    for (const work of place.held.splice(0)) {
      this.hands.drop(work)
      if (place.acked) this.hands.finish(work)
      // The write under way counts it.
      else place.awaiting.push({ work, from: undefined })
    }
  }

  /** The place is removed from the topic: the live loop goes on where the reader ended. */
  private handOver(place: Place<W>, now: number): void {
    const web = this.webs.get(place.webhook)!
    if (place.key === undefined) web.whole = undefined
    else web.keys.delete(place.key)
    this.forgetIfEmpty(web)
    for (const work of place.held.splice(0)) this.live(work, now)
  }

  private isPressing({ whole, waiting, waitingBytes, strands }: Web<W>): boolean {
    if (waiting > this.limits.waiting || waitingBytes > this.limits.waitingBytes) return true
    for (const { head, isWaiting } of strands.values())
      if (
        head?.live &&
        isWaiting &&
        head.place === undefined &&
        this.passed - head.record.offset > this.limits.distance
      )
        return whole === undefined || !whole.clearing
    return false
  }
}

/** Where a record of the key counts. */
function placeOf<W>({ whole, keys }: Web<W>, key: string | undefined): Place<W> | undefined {
  return (key === undefined ? undefined : keys.get(key)) ?? whole
}
