import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FinishedBitmap, MAX_BITS } from './finished-bitmap.js'
import { OffsetTracker } from './offset-tracker.js'

/** What the tracker has to be equal to, written as plainly as possible. */
class Model {
  received = new Map<number, number>()
  finishedEver = new Set<number>()
  constructor(
    public next: number,
    readonly restored: ReadonlySet<number>,
  ) {}

  receive(offset: number, bytes: number): boolean {
    if (offset < this.next) return false
    this.next = offset + 1
    if (this.restored.has(offset)) return false
    this.received.set(offset, bytes)
    return true
  }

  get position(): number {
    return Math.min(this.next, ...this.received.keys())
  }
}

type Step =
  | { readonly do: 'receive'; readonly gap: number; readonly count: number; readonly again: number }
  | { readonly do: 'finish'; readonly pick: number }
  | { readonly do: 'finishUnknown'; readonly offset: number }
  | { readonly do: 'pass'; readonly gap: number }
  | { readonly do: 'restart' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('receive' as const), gap: gaps(), count: fc.nat(40), again: fc.nat(5) }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('finish' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finishUnknown' as const), offset: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), gap: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)

function gaps(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.nat(9) },
    { weight: 1, arbitrary: fc.nat(1e9) },
  )
}

describe('OffsetTracker', () => {
  it('equals a set model over gaps, duplicates and restarts from commit and bitmap', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.array(step, { maxLength: 120 }), (start, steps) => {
        let tracker = new OffsetTracker(start)
        let model = new Model(start, new Set())
        /** Over all restarts: no record may be finished and handed out again while the bitmap can hold it. */
        const everFinished = new Set<number>()
        for (const one of steps) {
          switch (one.do) {
            case 'receive':
              for (let i = 0; i < one.count; i++) {
                const offset = Math.max(0, tracker.next + (i === 0 ? one.gap - one.again : 0))
                const handled = model.receive(offset, offset % 7)
                expect(tracker.receive(offset, offset % 7)).toBe(handled)
                // Again, when it was beyond what a bitmap holds.
                if (handled) everFinished.delete(offset)
              }
              break
            case 'finish': {
              const offset = [...model.received.keys()][one.pick % Math.max(1, model.received.size)]
              if (offset === undefined) break
              expect(tracker.finish(offset)).toBe(true)
              expect(tracker.finish(offset)).toBe(false)
              model.received.delete(offset)
              everFinished.add(offset)
              break
            }
            case 'finishUnknown':
              if (!model.received.has(one.offset)) expect(tracker.finish(one.offset)).toBe(false)
              break
            case 'pass':
              tracker.pass(tracker.next + one.gap)
              model.next += one.gap + 1
              break
            case 'restart': {
              const { position } = tracker
              const bitmap = FinishedBitmap.parse(position, tracker.metadata())
              const known = new Set(
                [...everFinished, ...model.restored].filter(o => o >= position && o < position + MAX_BITS),
              )
              for (const offset of known) expect(bitmap?.has(offset)).toBe(true)
              for (const offset of model.received.keys()) expect(bitmap?.has(offset) ?? false).toBe(false)
              tracker = new OffsetTracker(position, bitmap)
              model = new Model(position, new Set([...known, ...gapsBelow(model, position, bitmap)]))
              break
            }
          }
          expect(tracker.position).toBe(model.position)
          expect(tracker.next).toBe(model.next)
          expect(tracker.open).toBe(model.received.size)
          expect(tracker.bytes).toBe([...model.received.values()].reduce((sum, bytes) => sum + bytes, 0))
        }
      }),
      { numRuns: 400 },
    )
  })

  it('commits metadata of at most 4,096 characters however much is finished above a stuck record', () => {
    const tracker = new OffsetTracker(0)
    for (let offset = 0; offset < 60_000; offset++) tracker.receive(offset, 1)
    for (let offset = 1; offset < 60_000; offset++) tracker.finish(offset)
    const metadata = tracker.metadata()
    expect(metadata.length).toBeLessThanOrEqual(4096)
    const bitmap = FinishedBitmap.parse(0, metadata)!
    expect(bitmap.has(0)).toBe(false)
    expect(bitmap.has(16_384)).toBe(true)
    expect(tracker.position).toBe(0)
    expect(tracker.distance).toBe(60_000)
  })

  it('ignores metadata that is not its own', () => {
    for (const foreign of [null, undefined, '', 'p1:', 'p1:!!', 'p2:AAAA', '{"offset":1}', `p1:${'A'.repeat(5000)}`])
      expect(FinishedBitmap.parse(0, foreign)).toBeUndefined()
  })
})

/** Offsets that never came count as finished: the bitmap may say so, and nobody will ask. */
function gapsBelow(model: Model, position: number, bitmap: FinishedBitmap | undefined): number[] {
  const gaps: number[] = []
  for (let offset = position; bitmap && offset < Math.min(model.next, bitmap.end); offset++)
    if (bitmap.has(offset)) gaps.push(offset)
  return gaps
}
