import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { PartitionClaim } from '@posthorn/kafka'
import { DELIVERIES, type ParkedPlace } from '@posthorn/topics'
import { DelivererMetrics } from './deliverer-metrics.js'
import { Intake } from './intake.js'
import { Ordering, type PlaceStore } from './ordering.js'
import type { PlaceWrite } from './parked-places.js'

const PLACE: ParkedPlace = {
  webhook: 'webhook_1',
  version: 4,
  partition: 2,
  next: 7,
  left: [],
  tried: [],
  due: 0,
  since: Date.now(),
}

function setUp() {
  const writes: PlaceWrite[] = []
  let stand: (places: ParkedPlace[]) => void = () => undefined
  const standing = new Promise<ParkedPlace[]>(resolve => (stand = resolve))
  const places: PlaceStore = {
    all: () => standing,
    write: async write => void writes.push(write),
    overwritten: () => undefined,
    removed: () => undefined,
  }
  const claim: PartitionClaim = {
    topic: DELIVERIES,
    partition: 2,
    done: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    revoked: new AbortController().signal,
  }
  const nothing = () => undefined
  const intake = new Intake({ metrics: new DelivererMetrics(), undecodable: nothing, newer: nothing, ready: nothing })
  const ordering = new Ordering({
    places,
    intake,
    reader: () => ({ wake: () => Promise.resolve(), close: () => Promise.resolve() }),
    send: nothing,
    withdraw: () => [],
    isPaused: () => true,
    track: nothing,
  })
  return { ordering, places, writes, stand, claim }
}

describe('a new owner of a partition', () => {
  it('removes no place that it has not taken over yet, although an older generation wrote it', async () => {
    const { ordering, places, writes, stand, claim } = setUp()
    const assigned = ordering.assigned([claim], Promise.resolve())
    places.overwritten(PLACE)
    stand([PLACE])
    await assigned
    await nextTurn()
    expect(writes).toMatchObject([{ webhook: 'webhook_1', state: { next: 7 } }])
    expect([...ordering.places()]).toMatchObject([{ webhook: 'webhook_1', next: 7 }])
  })

  it('reads nothing again before it knows what earlier owners have delivered', async () => {
    const { ordering, stand, claim } = setUp()
    let recalled: () => void = () => undefined
    const assigned = ordering.assigned([claim], new Promise<void>(resolve => (recalled = resolve)))
    stand([PLACE])
    await nextTurn()
    expect([...ordering.places()]).toEqual([])
    recalled()
    await assigned
    expect([...ordering.places()]).toMatchObject([{ webhook: 'webhook_1', next: 7 }])
  })

  it('takes over what stands when earlier attempts are known, and writes again what was written over until then', async () => {
    const { ordering, places, writes, stand, claim } = setUp()
    let asked = 0
    const { all } = places
    places.all = () => {
      asked++
      return all()
    }
    let recalled: () => void = () => undefined
    const assigned = ordering.assigned([claim], new Promise<void>(resolve => (recalled = resolve)))
    await nextTurn()
    // A place that is removed until then would be taken over all the same.
    expect(asked).toBe(0)
    places.overwritten({ ...PLACE, version: 3, next: 1 })
    recalled()
    stand([PLACE])
    await assigned
    await nextTurn()
    expect(writes).toMatchObject([{ webhook: 'webhook_1', key: undefined, state: { next: 7 } }])
  })

  it('writes its own again where an earlier one writes, or removes, late', async () => {
    const { ordering, places, writes, stand, claim } = setUp()
    stand([PLACE])
    await ordering.assigned([claim], Promise.resolve())
    places.overwritten({ ...PLACE, version: 3, next: 1 })
    await nextTurn()
    expect(writes).toMatchObject([{ webhook: 'webhook_1', key: undefined, state: { next: 7 } }])
    places.removed('webhook_1', undefined)
    await nextTurn()
    expect(writes).toHaveLength(2)
    expect(writes[1]).toEqual(writes[0])
    places.removed('webhook_1', 'k')
    places.overwritten({ ...PLACE, key: 'k' })
    await nextTurn()
    expect(writes.slice(2)).toEqual([{ webhook: 'webhook_1', key: 'k', state: undefined }])
  })
})
