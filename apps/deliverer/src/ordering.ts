import type { ConsumedRecord, PartitionClaim } from '@posthorn/kafka'
import { DELIVERIES, type ParkedPlace } from '@posthorn/topics'
import type { Intake } from './intake.js'
import type { Place } from './parked-place.js'
import type { PlaceWrite } from './parked-places.js'
import { Parking } from './parking.js'
import type { OffsetOwner, Work } from './work.js'

/** Where places are kept. */
export interface PlaceStore {
  /** Every place that stands on the topic now. */
  all(): Promise<readonly ParkedPlace[]>
  write(write: PlaceWrite, revoked: AbortSignal): Promise<void>
  overwritten: (place: ParkedPlace) => void
  removed: (webhook: string, key: string | undefined) => void
}

export interface Rereading {
  wake(): Promise<void>
  close(): Promise<void>
}

export interface OrderingParts {
  readonly places: PlaceStore
  readonly intake: Intake
  /** A reader of a partition for what is parked there. */
  reader(
    partition: number,
    parking: Parking<Work>,
    revoked: AbortSignal,
    toWork: (record: ConsumedRecord) => Work | undefined,
  ): Rereading
  send(work: Work): void
  withdraw(webhook: string): Work[]
  isPaused(webhook: string): boolean
  /** A promise of ours that must not be lost. */
  track(work: Promise<void>): void
}

interface Owned {
  readonly parking: Parking<Work>
  readonly claim: PartitionClaim
  readonly reader: Rereading
  /** Whether it is known what earlier owners have parked; until then the topic is right and memory is not. */
  restored: boolean
  /** What an earlier owner wrote over until then. */
  readonly overwritten: ParkedPlace[]
}

/** The order and the pauses of the partitions that are owned: their parking, with hands and a second reader. */
export class Ordering {
  private readonly partitions = new Map<number, Owned>()

  constructor(private readonly parts: OrderingParts) {
    parts.places.overwritten = place => this.overwritten(place)
    parts.places.removed = (webhook, key) => this.removed(webhook, key)
  }

  /**
   * Resolves when it is known what earlier owners have parked. It is read again from then on, and not
   * before `recalled`: what they have delivered of it would be sent once more. Nor is it asked before:
   * an earlier owner may remove a place meanwhile, and what leans on it would be lost with this process.
   */
  async assigned(claims: readonly PartitionClaim[], recalled: Promise<unknown>): Promise<void> {
    const fresh = claims.filter(({ topic }) => topic.name === DELIVERIES.name)
    for (const claim of fresh) this.partitions.set(claim.partition, this.own(claim))
    await recalled
    if (fresh.length === 0) return
    const places = await this.parts.places.all()
    for (const claim of fresh) {
      const owned = this.ownedBy(claim)
      if (!owned) continue
      owned.parking.restore(places.filter(({ partition }) => partition === claim.partition))
      owned.restored = true
      for (const place of owned.overwritten.splice(0)) this.overwritten(place)
    }
  }

  revoked(claims: readonly PartitionClaim[]): void {
    for (const claim of claims) {
      const owned = this.ownedBy(claim)
      if (!owned) continue
      this.partitions.delete(claim.partition)
      // Should we get the partition back, these must not pass for work of that time: nobody retries them.
      for (const work of [...owned.parking.works()]) this.parts.intake.release(work)
      this.parts.track(owned.reader.close())
    }
  }

  /** Undefined: the claim is of another topic, or others' by now. */
  of(claim: PartitionClaim): Parking<Work> | undefined {
    return this.ownedBy(claim)?.parking
  }

  tick(now: number): void {
    for (const { parking, reader } of this.partitions.values()) {
      if (parking.isIdle) continue
      parking.tick(now)
      this.parts.track(reader.wake())
    }
  }

  /** Every place that is parked. */
  *places(): Iterable<Place<Work>> {
    for (const { parking } of this.partitions.values()) yield* parking.places()
  }

  /** The webhook was paused: what waits for it is parked. */
  paused(webhook: string, now: number): void {
    const waiting = this.parts.withdraw(webhook)
    const partition = waiting[0]?.partition
    for (const [number, { parking }] of this.partitions)
      if (number === partition || parking.concerns(webhook))
        parking.parkWhole(webhook, now, now, number === partition ? waiting : [])
  }

  /** Fresh work of a webhook that cannot be sent to before `due` (ms). */
  parkWhole(works: readonly Work[], due: number, now: number): void {
    const { partition, delivery } = works[0]!
    this.partitions.get(partition)?.parking.parkWhole(delivery.webhook, due, now, works)
  }

  /** Ordered work is to be attempted again, or still for the first time. */
  retry(work: Work, due: number, now: number): void {
    this.partitions.get(work.partition)?.parking.retry(work, due, now)
  }

  /** Ordered work is over. */
  ended(work: Work, now: number): void {
    this.partitions.get(work.partition)?.parking.ended(work, now)
  }

  /** Ordered work that had to wait for another copy. */
  goOn(work: Work, now: number): void {
    const owned = this.partitions.get(work.partition)
    if (owned) owned.parking.goOn(work, now)
    else this.parts.intake.release(work)
  }

  private ownedBy(claim: PartitionClaim): Owned | undefined {
    const owned = this.partitions.get(claim.partition)
    return owned?.claim === claim ? owned : undefined
  }

  private own(claim: PartitionClaim): Owned {
    const { parts } = this
    const parking: Parking<Work> = new Parking<Work>(claim.partition, {
      send: work => parts.send(work),
      withdraw: webhook => parts.withdraw(webhook),
      drop: work => {
        parts.intake.release(work)
        work.completion.drop()
      },
      finish: work => work.completion.done(),
      admits: (work, tried) => {
        if (tried) work.delivery = { ...work.delivery, ...tried }
        return parts.intake.isNew(work)
      },
      isPaused: webhook => parts.isPaused(webhook),
      write: (place, state) => parts.track(this.write(claim, parking, place, state)),
    })
    const reader = parts.reader(claim.partition, parking, claim.revoked, record => this.again(claim, parking, record))
    return { parking, claim, reader, restored: false, overwritten: [] }
  }

  private async write(
    claim: PartitionClaim,
    parking: Parking<Work>,
    place: Place<Work>,
    state: PlaceWrite['state'],
  ): Promise<void> {
    await this.parts.places.write({ webhook: place.webhook, key: place.key, state }, claim.revoked)
    if (!claim.revoked.aborted) parking.written(place, Date.now())
  }

  private again({ revoked }: PartitionClaim, parking: Parking<Work>, record: ConsumedRecord): Work | undefined {
    const owner: OffsetOwner = {
      revoked,
      done: () => {
        if (work?.place) parking.finished(work.place, work, Date.now())
      },
      dropped: () => {
        if (work?.place) parking.returned(work.place, work)
      },
    }
    const work = this.parts.intake.read(owner, record, false)
    return work
  }

  /** An earlier owner, late: what is so is written again. */
  private overwritten(by: ParkedPlace): void {
    const { partition, webhook, key } = by
    const owned = this.partitions.get(partition)
    if (!owned) return
    if (!owned.restored) return void owned.overwritten.push(by)
    const place = owned.parking.placeAt(webhook, key)
    if (place) owned.parking.save(place, Date.now())
    else this.parts.track(this.parts.places.write({ webhook, key, state: undefined }, owned.claim.revoked))
  }

  /** By us, or by an earlier owner, late: what stands there is written again. */
  private removed(webhook: string, key: string | undefined): void {
    for (const { parking, restored } of this.partitions.values()) {
      const place = restored ? parking.placeAt(webhook, key) : undefined
      if (place && !place.clearing) parking.removed(place, Date.now())
    }
  }
}
