import { describe, expect, it } from '@jest/globals'
import { SETTLED, SMALL, World } from './test-world.js'

const WHOLE = 'ordered/*whole*'
/** Longer than a key is retried in place. */
const LONG_MS = 50_000

/** The offsets of what is produced. */
function produce(world: World, webhook: string, orders: readonly (string | undefined)[], bytes?: number): number[] {
  return orders.map(order => {
    const record = { at: world.now, webhook, ...(order === undefined ? {} : { order }) }
    return world.log.push(bytes === undefined ? record : { ...record, bytes }) - 1
  })
}

const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value)
const parked = (world: World) => [...world.facets.keys()].sort()
const ascending = (offsets: readonly number[]) => offsets.toSorted((a, b) => a - b)
const arrived = (world: World, key: string) => [...new Set(world.arrivals.get(key) ?? [])]

function runFor(world: World, seconds: number): void {
  for (let second = 0; second < seconds; second++) world.goOn(second)
}

/** All that is under way fails, and is due again after so long. */
function failAll(world: World, delayMs: number): void {
  for (let i = 0; i < world.log.length; i++) world.start(0)
  for (let i = 0; i < world.log.length; i++) world.end(0, false, delayMs)
}

describe('a whole webhook is parked', () => {
  it('when one more key is to be parked than may be, and comes back in order when that key is due', () => {
    const world = new World()
    const keys = ['a', 'b', 'c']
    produce(world, 'ordered', [...keys, ...keys])
    world.take(6)
    failAll(world, LONG_MS)
    world.acknowledge(9)
    expect(parked(world)).toEqual([WHOLE, 'ordered/a', 'ordered/b'])
    const others = produce(world, 'one', times(10, ''))
    const late = produce(world, 'ordered', ['d'])
    runFor(world, LONG_MS / 1000 - 1)
    expect(keys.map(key => arrived(world, `ordered/${key}`))).toEqual([[0], [1], [2]])
    expect(arrived(world, 'ordered/d')).toEqual([])
    expect(arrived(world, 'one/')).toEqual(others)
    world.settle()
    expect(world.open).toEqual(SETTLED)
    expect(keys.map((key, n) => [arrived(world, `ordered/${key}`), n])).toEqual(keys.map((_, n) => [[n, n + 3], n]))
    expect(arrived(world, 'ordered/d')).toEqual(late)
    expect(world.repeats).toBe(0)
  })

  it.each([
    ['more records wait for their key than may', SMALL.waiting + 2, 1],
    ['their bytes are more than may wait', 3, SMALL.waitingBytes],
  ])('when %s: they leave memory, their offsets are done, and they come in order', (_what, count, bytes) => {
    const world = new World()
    const offsets = produce(world, 'ordered', times(count, 'a'), bytes)
    world.take(count)
    world.start(0)
    world.pass(1)
    world.acknowledge(9)
    expect(parked(world)).toEqual([WHOLE])
    expect(world.open.notDone).toEqual([0])
    world.settle()
    expect(world.open).toEqual(SETTLED)
    expect(arrived(world, 'ordered/a')).toEqual(offsets)
    expect(world.repeats).toBe(0)
  })

  it('when a record that is retried in place holds the window of its partition', () => {
    const world = new World()
    const held = produce(world, 'ordered', ['a', 'a'])
    const passing = produce(world, 'free', times(SMALL.distance + 1, undefined))
    world.take(2)
    failAll(world, 2_000)
    for (const _ of passing) {
      world.take(1)
      world.start(0)
      world.end(0, true, 0)
    }
    world.pass(1)
    world.acknowledge(9)
    expect(parked(world)).toEqual([WHOLE])
    expect(world.open.notDone).toEqual([])
    world.settle()
    expect(world.open).toEqual(SETTLED)
    expect(arrived(world, 'ordered/a')).toEqual(held)
  })

  it('while its circuit is open: nothing of it is sent before the probe is due', () => {
    const world = new World()
    const offsets = produce(world, 'ordered', ['a', 'b', 'a', 'b'])
    world.take(4)
    world.circuitOpens('ordered', world.now + LONG_MS)
    world.acknowledge(9)
    expect([parked(world), world.open.notDone]).toEqual([[WHOLE], []])
    runFor(world, LONG_MS / 1000 - 1)
    expect(world.arrivals.size).toBe(0)
    world.settle()
    expect(world.open).toEqual(SETTLED)
    expect([arrived(world, 'ordered/a'), arrived(world, 'ordered/b')]).toEqual([
      [offsets[0], offsets[2]],
      [offsets[1], offsets[3]],
    ])
  })
})

describe('what is parked', () => {
  it('goes on behind what the log has lost, and it is known how much that was', () => {
    const world = new World()
    produce(world, 'ordered', ['a', 'b'])
    world.take(2)
    failAll(world, LONG_MS)
    produce(world, 'free', times(4, undefined))
    world.take(4)
    world.pause('free')
    produce(world, 'free', times(4, undefined))
    produce(world, 'ordered', ['a', 'b'])
    runFor(world, 5)
    expect(parked(world)).toEqual(['free/*whole*', 'ordered/a', 'ordered/b'])
    world.kept = 8
    world.settle()
    expect(world.open).toEqual({ ...SETTLED, unfinished: [0, 1, 2, 3, 4, 5, 6, 7] })
    // Of the 4 that waited in memory; what came after them is parked as all from there on.
    expect(world.knownLost).toBe(4)
    expect(ascending(arrived(world, 'free/-'))).toEqual([8, 9])
    expect([arrived(world, 'ordered/a'), arrived(world, 'ordered/b')]).toEqual([
      [0, 10],
      [1, 11],
    ])
  })

  it('ends without a request when its webhook was deleted meanwhile, and nobody else waits for that', () => {
    const world = new World()
    produce(world, 'ordered', ['a', 'a', 'b'])
    world.take(3)
    failAll(world, LONG_MS)
    produce(world, 'ordered', ['a', 'b', 'c'])
    runFor(world, 1)
    const before = JSON.stringify([...world.arrivals])
    world.deleted.add('ordered')
    world.settle()
    expect(world.open).toEqual(SETTLED)
    expect(JSON.stringify([...world.arrivals])).toBe(before)
  })

  it('keeps the order that it was routed with when the ordering of its webhook is changed', () => {
    const world = new World()
    const keyed = produce(world, 'ordered', ['a', 'a', 'a'])
    world.take(3)
    failAll(world, LONG_MS)
    const free = produce(world, 'ordered', times(3, undefined))
    const all = produce(world, 'ordered', times(3, ''))
    runFor(world, LONG_MS / 1000 - 1)
    expect(arrived(world, 'ordered/a')).toEqual([0])
    expect(ascending(arrived(world, 'ordered/-'))).toEqual(free)
    expect(arrived(world, 'ordered/')).toEqual(all)
    world.pause('ordered')
    const later = produce(world, 'ordered', ['a', undefined, ''])
    runFor(world, 3)
    world.settle()
    expect(world.open).toEqual(SETTLED)
    expect(arrived(world, 'ordered/a')).toEqual([...keyed, later[0]])
    expect(ascending(arrived(world, 'ordered/-'))).toEqual([...free, later[1]])
    expect(arrived(world, 'ordered/')).toEqual([...all, later[2]])
  })

  it('takes over nothing on the ground of a place that somebody has removed, until it stands again', () => {
    const world = new World()
    produce(world, 'free', times(2, undefined))
    world.take(1)
    world.pause('free')
    world.acknowledge(1)
    expect(world.open.notDone).toEqual([1])
    world.facets.clear()
    world.parking.removed(world.parking.placeAt('free', undefined)!, world.now)
    world.take(1)
    expect(world.open.notDone).toEqual([1])
    world.acknowledge(1)
    expect([parked(world), world.open.notDone]).toEqual([['free/*whole*'], []])
    world.settle()
    expect(world.open).toEqual(SETTLED)
  })
})
