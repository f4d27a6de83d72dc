import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { planAssignment, type OwnershipClaim } from './assignment-plan.js'

const MEMBERS = ['a', 'b', 'c', 'd', 'e']

/** The fewest moves that any balanced plan can have: what members own above the best quotas, and nothing else. */
function fewestMoves(before: ReadonlyMap<string, readonly number[]>, count: number): number {
  const sizes = [...before.values()].map(partitions => partitions.length).sort((a, b) => b - a)
  const low = Math.floor(count / sizes.length)
  const extra = count % sizes.length
  return sizes.reduce((moves, size, i) => moves + Math.max(0, size - low - (i < extra ? 1 : 0)), 0)
}

describe('planAssignment', () => {
  it('gives every partition one owner, balanced, with the fewest moves, while five members join and leave', () => {
    const presence = fc.array(fc.subarray(MEMBERS, { minLength: 1 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), presence, (count, rounds) => {
        let owned = new Map<string, number[]>()
        rounds.forEach((members, round) => {
          const claims = new Map<string, OwnershipClaim>(
            members.map(member => [member, { generation: round - 1, partitions: owned.get(member) ?? [] }]),
          )
          const plan = planAssignment(claims, count)
          const all = [...plan.values()].flat().sort((a, b) => a - b)
          expect(all).toEqual(Array.from({ length: count }, (_, i) => i))
          const sizes = members.map(member => plan.get(member)!.length)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
          const before = new Map(members.map(member => [member, owned.get(member) ?? []]))
          const moved = [...before].flatMap(([member, had]) => had.filter(p => !plan.get(member)!.includes(p)))
          expect(moved.length).toBe(fewestMoves(before, count))
          owned = plan
        })
      }),
    )
  })

  it('gives a contested partition to the newest claim and survives claims that make no sense', () => {
    const plan = planAssignment(
      new Map([
        ['old', { generation: 3, partitions: [0, 1] }],
        ['new', { generation: 7, partitions: [0, 1, 99, -4] }],
      ]),
      4,
    )
    expect(plan.get('new')).toEqual([0, 1])
    expect(plan.get('old')).toEqual([2, 3])
  })
})
