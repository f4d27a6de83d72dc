import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Lane, type Claim } from './lane.js'
import { ReadAhead } from './read-ahead.js'

class SwitchedClaim implements Claim {
  paused = false
  done(): void {}
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
}

const lanes = (n: number) =>
  Array.from({ length: n }, (_, partition) => new Lane(new SwitchedClaim(), 'delay.5s.v1', partition, 5_000))

describe('ReadAhead', () => {
  it('pauses a partition when the common room is used, and resumes it when half of that is free', () => {
    const readAhead = new ReadAhead({ records: 8, bytes: 1000 })
    const [one, other] = lanes(2) as [Lane<SwitchedClaim>, Lane<SwitchedClaim>]
    readAhead.open(one)
    readAhead.open(other)
    for (let i = 0; i < 3; i++) readAhead.hold(one, 1)
    expect(one.claim.paused).toBe(false)
    readAhead.hold(one, 1)
    expect([one.claim.paused, other.claim.paused]).toEqual([true, false])
    readAhead.free(one, 1)
    expect(one.claim.paused).toBe(true)
    readAhead.free(one, 1)
    expect(one.claim.paused).toBe(false)
  })

  it('counts bytes likewise: one large record fills a share', () => {
    const readAhead = new ReadAhead({ records: 1000, bytes: 100 })
    const [lane] = lanes(1) as [Lane<SwitchedClaim>]
    readAhead.open(lane)
    readAhead.hold(lane, 2_000_000)
    expect(lane.claim.paused).toBe(true)
    readAhead.free(lane, 2_000_000)
    expect(lane.claim.paused).toBe(false)
  })

  it('shares anew when partitions come and go', () => {
    const readAhead = new ReadAhead({ records: 12, bytes: 1000 })
    const [one, other] = lanes(2) as [Lane<SwitchedClaim>, Lane<SwitchedClaim>]
    readAhead.open(one)
    for (let i = 0; i < 5; i++) readAhead.hold(one, 1)
    readAhead.open(other)
    readAhead.hold(other, 1)
    expect([one.claim.paused, other.claim.paused]).toEqual([false, false])
    readAhead.hold(one, 1)
    expect([one.claim.paused, other.claim.paused, readAhead.records]).toEqual([true, false, 7])
    readAhead.close(one)
    expect([other.claim.paused, readAhead.records]).toEqual([false, 1])
    readAhead.free(one, 1)
    expect(readAhead.records).toBe(1)
  })

  it('lets one partition have half of the room while the others need none', () => {
    const readAhead = new ReadAhead({ records: 1000, bytes: 1e9 })
    const all = lanes(84)
    for (const lane of all) readAhead.open(lane)
    for (let i = 0; i < 499; i++) readAhead.hold(all[0]!, 1)
    expect(all[0]!.claim.paused).toBe(false)
    readAhead.hold(all[0]!, 1)
    expect(all[0]!.claim.paused).toBe(true)
    readAhead.hold(all[1]!, 1)
    expect(all[1]!.claim.paused).toBe(false)
  })

  it('never has a partition that holds little paused, and never holds more than there is room for', () => {
    const step = fc.record({ lane: fc.nat({ max: 3 }), add: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), steps => {
        const readAhead = new ReadAhead({ records: 20, bytes: 1e9 })
        const all = lanes(4)
        for (const lane of all) readAhead.open(lane)
        for (const { lane: index, add } of steps) {
          const lane = all[index]!
          if (add && !lane.claim.paused) readAhead.hold(lane, 1)
          else if (!add && lane.heldRecords > 0) readAhead.free(lane, 1)
          for (const { claim, heldRecords } of all) if (heldRecords <= 1) expect(claim.paused).toBe(false)
          expect(readAhead.records).toBeLessThanOrEqual(20)
          expect(readAhead.records).toBe(all.reduce((sum, { heldRecords }) => sum + heldRecords, 0))
        }
      }),
    )
  })
})
