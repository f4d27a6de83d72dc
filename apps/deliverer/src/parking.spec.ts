import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SETTLED, SMALL, World } from './test-world.js'

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
