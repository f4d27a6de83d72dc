import { describe, expect, it } from '@jest/globals'
import { outOfOrder } from './arrivals.js'
import type { Request } from './ledger.js'

function told(requests: Readonly<Record<string, readonly Request[]>>): string[] {
  const sequence = { webhook: 'webhook_1', order: 'k', deliveries: Object.keys(requests) }
  return outOfOrder([sequence], { requestsOf: id => requests[id]! })
}
const at = (ms: number, status = 200): Request => ({ at: ms, status })

describe('the order of first arrivals', () => {
  it('is kept by failures before and repeats after', () => {
    expect(told({ a: [at(1, 500), at(2), at(9)], b: [at(3)], c: [at(4, 500), at(5, 500)], d: [at(6)] })).toEqual([])
  })

  it('is broken by one that overtakes, or does not wait for the end of the one before', () => {
    expect(told({ a: [at(2)], b: [at(1)] })).toHaveLength(1)
    expect(told({ a: [at(1, 500), at(3)], b: [at(2)] })).toHaveLength(1)
    expect(told({ a: [at(1, 500), at(3, 500)], b: [at(2)] })).toHaveLength(1)
  })

  it('passes over what never arrived', () => {
    expect(told({ a: [at(2)], b: [], c: [at(1)] })).toHaveLength(1)
  })
})
