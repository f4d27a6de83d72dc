import { describe, expect, it } from '@jest/globals'
import { Seen } from './seen.js'

const name = (attempt: number, id = 'd1', run = '0') => ({ id, run, attempt })

describe('S9 seen', () => {
  it('lets a new attempt in once, and points a second copy to the first', () => {
    const seen = new Seen<string>()
    expect(seen.admit(name(1), 'first')).toEqual({ kind: 'new' })
    expect(seen.admit(name(1), 'copy')).toEqual({ kind: 'in_flight', work: 'first' })
  })

  it('has a retry that is due before its attempt is recorded wait for that', () => {
    const seen = new Seen<string>()
    seen.admit(name(1), 'first')
    expect(seen.admit(name(2), 'retry')).toEqual({ kind: 'behind', work: 'first' })
    seen.finish(name(1), 'tier', 'first')
    expect(seen.admit(name(2), 'retry')).toEqual({ kind: 'new' })
    expect(seen.admit(name(1), 'late copy')).toEqual({ kind: 'in_flight', work: 'retry' })
  })

  it('drops everything of a run that ended', () => {
    const seen = new Seen<string>()
    seen.admit(name(1), 'w')
    seen.finish(name(1), 'final', 'w')
    expect(seen.admit(name(1), 'w')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(2), 'w')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(1, 'd1', 'replay_1'), 'w')).toEqual({ kind: 'new' })
  })

  it('drops the numbers up to the one that waits in a tier, not the next', () => {
    const seen = new Seen<string>()
    seen.admit(name(2), 'w')
    seen.finish(name(2), 'tier', 'w')
    expect(seen.admit(name(1), 'w')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(2), 'w')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(3), 'w')).toEqual({ kind: 'new' })
  })

  it('released without an attempt, the same number may come again; older ones still may not', () => {
    const seen = new Seen<string>()
    seen.admit(name(1), 'a')
    seen.finish(name(1), 'tier', 'a')
    seen.admit(name(2), 'b')
    seen.release(name(2), 'another copy')
    expect(seen.admit(name(2), 'c')).toEqual({ kind: 'in_flight', work: 'b' })
    seen.release(name(2), 'b')
    expect(seen.admit(name(1), 'c')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(2), 'c')).toEqual({ kind: 'new' })
  })

  it('takes over attempt records: final, tier, and in place, which never drops', () => {
    const seen = new Seen<string>()
    const record = { run: '0', attempt: 1 }
    seen.recall({ ...record, delivery: 'done', outcome: 'delivered' })
    seen.recall({ ...record, delivery: 'tier', outcome: 'retry', next: 'tier' })
    seen.recall({ ...record, delivery: 'place', outcome: 'retry', next: 'in_place' })
    expect(seen.admit(name(1, 'done'), 'w')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(1, 'tier'), 'w')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(2, 'tier'), 'w')).toEqual({ kind: 'new' })
    expect(seen.admit(name(1, 'place'), 'w')).toEqual({ kind: 'new' })
  })

  it('an older record does not take back what a newer one said', () => {
    const seen = new Seen<string>()
    seen.recall({ delivery: 'd1', run: '0', attempt: 3, outcome: 'retry', next: 'tier' })
    seen.recall({ delivery: 'd1', run: '0', attempt: 2, outcome: 'retry', next: 'tier' })
    expect(seen.admit(name(3), 'w')).toEqual({ kind: 'settled' })
  })

  it('keeps what others recorded while a copy was in flight: a run that ended stays so', () => {
    const seen = new Seen<string>()
    seen.admit(name(1), 'slow copy')
    seen.recall({ delivery: 'd1', run: '0', attempt: 1, outcome: 'delivered' })
    expect(seen.admit(name(2), 'w')).toEqual({ kind: 'behind', work: 'slow copy' })
    seen.finish(name(1), 'tier', 'slow copy')
    expect(seen.admit(name(2), 'w')).toEqual({ kind: 'settled' })
  })

  it('does not lose sight of what is in flight when a copy of an earlier time ends', () => {
    const seen = new Seen<string>()
    seen.recall({ delivery: 'd1', run: '0', attempt: 1, outcome: 'retry', next: 'tier' })
    seen.admit(name(2), 'now')
    seen.finish(name(1), 'tier', 'earlier time')
    expect(seen.admit(name(2), 'copy')).toEqual({ kind: 'in_flight', work: 'now' })
    seen.finish(name(2), 'final', 'earlier time')
    seen.release(name(2), 'now')
    expect(seen.admit(name(2), 'copy')).toEqual({ kind: 'settled' })
  })

  it('forgets many at once, so that each costs little, and never one within its limit', () => {
    const seen = new Seen<string>(160)
    for (let n = 0; n < 1000; n++) {
      seen.admit(name(1, `d${n}`), 'w')
      seen.finish(name(1, `d${n}`), 'final', 'w')
      expect(seen.size).toBeGreaterThanOrEqual(Math.min(n + 1, 160))
      expect(seen.size).toBeLessThan(170)
      expect(seen.admit(name(1, `d${Math.max(0, n - 159)}`), 'x')).toEqual({ kind: 'settled' })
    }
  })

  it('forgets the oldest beyond its limit, but never what is in flight', () => {
    const seen = new Seen<string>(3)
    seen.admit(name(1, 'flying'), 'w')
    for (const id of ['a', 'b', 'c', 'd']) {
      seen.admit(name(1, id), id)
      seen.finish(name(1, id), 'final', id)
    }
    expect(seen.size).toBe(3)
    expect(seen.admit(name(1, 'flying'), 'x')).toEqual({ kind: 'in_flight', work: 'w' })
    expect(seen.admit(name(1, 'd'), 'x')).toEqual({ kind: 'settled' })
    expect(seen.admit(name(1, 'a'), 'x')).toEqual({ kind: 'new' })
  })
})
