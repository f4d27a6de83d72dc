import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Seen, type AttemptName, type Sighting } from './seen.js'

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

  it('forgets the oldest beyond its limit, and never one within it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), quarter => {
        const limit = 4 * quarter
        const seen = new Seen<string>(limit)
        for (let n = 0; n < 5 * limit; n++) {
          seen.admit(name(1, `d${n}`), 'w')
          seen.finish(name(1, `d${n}`), 'final', 'w')
        }
        const kinds = (from: number, to: number) =>
          new Set(Array.from({ length: to - from }, (_, i) => seen.admit(name(1, `d${from + i}`), 'again').kind))
        expect([...kinds(4 * limit, 5 * limit)]).toEqual(['settled'])
        expect([...kinds(0, 4 * limit - quarter)]).toEqual(['new'])
      }),
    )
  })

  it('never forgets what is in flight', () => {
    const seen = new Seen<string>(3)
    seen.admit(name(1, 'flying'), 'w')
    for (let n = 0; n < 100; n++) seen.recall({ delivery: `d${n}`, run: '0', attempt: 1, outcome: 'delivered' })
    expect(seen.admit(name(1, 'flying'), 'x')).toEqual({ kind: 'in_flight', work: 'w' })
  })

  it('takes none of its 100,000 for another', () => {
    const seen = new Seen<string>()
    for (let n = 0; n < 130_000; n++) seen.recall({ delivery: `d${n}`, run: '0', attempt: 1, outcome: 'delivered' })
    const count = (kind: string, from: number, to: number) => {
      let count = 0
      for (let n = from; n < to; n++) if (seen.admit(name(1, `d${n}`), 'w').kind === kind) count++
      return count
    }
    expect([count('settled', 30_000, 130_000), count('new', 130_000, 150_000)]).toEqual([100_000, 20_000])
  })

  it('agrees with a model that keeps all that was ever said', () => {
    const step = fc.record({
      what: fc.constantFrom('admit', 'final', 'tier', 'release', 'tail_final', 'tail_tier', 'tail_place'),
      id: fc.constantFrom('d1', 'd2'),
      run: fc.constantFrom('0', 'replay_1'),
      attempt: fc.integer({ min: 1, max: 4 }),
      work: fc.constantFrom('a', 'b', 'c'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(60, 240), (steps, limit) => {
        // All that is said is held, in one generation or in several.
        const seen = new Seen<string>(limit)
        const model = new Model()
        for (const { what, work, ...named } of steps)
          switch (what) {
            case 'admit':
              expect(seen.admit(named, work)).toEqual(model.admit(named, work))
              break
            case 'final':
            case 'tier':
              seen.finish(named, what, work)
              model.finish(named, what, work)
              break
            case 'release':
              seen.release(named, work)
              model.release(named, work)
              break
            default: {
              const outcome = what === 'tail_final' ? 'delivered' : 'retry'
              const next = what === 'tail_place' ? 'in_place' : 'tier'
              const next_attempt_at = new Date(named.attempt * 1000).toISOString()
              seen.recall({ delivery: named.id, ...named, outcome, next, next_attempt_at })
              model.say(named, what === 'tail_final' ? 'final' : next)
            }
          }
      }),
      { numRuns: 1000 },
    )
  })
})

/** What is documented, looked up by reading everything from the start. */
class Model {
  private readonly said: { run: string; kind: string; attempt: number }[] = []
  private readonly flights = new Map<string, { attempt: number; work: string }>()

  admit(named: AttemptName, work: string): Sighting<string> {
    const run = runOf(named)
    const flight = this.flights.get(run)
    if (flight) return { kind: named.attempt > flight.attempt ? 'behind' : 'in_flight', work: flight.work }
    const said = this.said.filter(each => each.run === run)
    const last = said.reduce<(typeof said)[number] | undefined>(
      (most, each) => (most && most.attempt >= each.attempt ? most : each),
      undefined,
    )
    if (said.some(({ kind }) => kind === 'final')) return { kind: 'settled' }
    if (last?.kind === 'tier' && named.attempt <= last.attempt) return { kind: 'settled' }
    const goesOn = last?.kind === 'in_place' && named.attempt <= last.attempt
    const attempt = goesOn ? last.attempt + 1 : named.attempt
    this.flights.set(run, { attempt, work })
    return goesOn ? { kind: 'in_place', attempt, due: last.attempt * 1000 } : { kind: 'new' }
  }

  finish(named: AttemptName, how: 'final' | 'tier', work: string): void {
    this.release(named, work)
    this.say(named, how)
  }

  release(named: AttemptName, work: string): void {
    if (this.flights.get(runOf(named))?.work === work) this.flights.delete(runOf(named))
  }

  say(named: AttemptName, kind: string): void {
    this.said.push({ run: runOf(named), kind, attempt: named.attempt })
  }
}

const runOf = ({ id, run }: AttemptName) => `${id} ${run}`
