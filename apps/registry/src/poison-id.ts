import type { PoisonPlace } from '@posthorn/store'

const ID = /^poison_([A-Za-z0-9_-]{4,512})$/
const PLACE = /^(\d{1,16})\/(\d{1,10})\/(\d{1,16})\/([^\0\p{Surrogate}]+)$/u
/** The largest that Postgres has of each type; the year 9999. */
const [MAX_PARTITION, MAX_TIME] = [2 ** 31 - 1, Date.UTC(9999, 0)]

/** The id of a record that was set aside: where it stood, and when. */
export function poisonId({ at, partition, offset, topic }: PoisonPlace): string {
  return `poison_${Buffer.from(`${at}/${partition}/${offset}/${topic}`).toString('base64url')}`
}

/** The place that an id names; undefined for what no poisonId() makes. */
export function poisonPlace(id: string): PoisonPlace | undefined {
  const found = PLACE.exec(Buffer.from(ID.exec(id)?.[1] ?? '', 'base64url').toString('utf8'))
  if (!found) return undefined
  const [at, partition, offset] = found.slice(1, 4).map(Number) as [number, number, number]
  const place = { at, partition, offset, topic: found[4]! }
  const fits = at <= MAX_TIME && partition <= MAX_PARTITION && Number.isSafeInteger(offset)
  return fits && poisonId(place) === id ? place : undefined
}
