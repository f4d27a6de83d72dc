import { describe, expect, it } from '@jest/globals'
import { Circuit, OPENS_AFTER, OPENS_AFTER_MS } from './circuit.js'

/** Open since OPENS_AFTER_MS. */
function open(): Circuit {
  const circuit = new Circuit()
  for (let n = 1; n < OPENS_AFTER; n++) expect(circuit.ended('failing', 0, n)).toBeUndefined()
  expect(circuit.ended('overloaded', 10, OPENS_AFTER_MS)).toBe('opened')
  return circuit
}

describe('S10 the circuit of a webhook', () => {
  it('opens after failures in a row that last for a while, not after a burst of them', () => {
    const circuit = new Circuit()
    for (let n = 0; n < 1_000; n++) expect(circuit.ended('failing', 0, OPENS_AFTER_MS - 1)).toBeUndefined()
    expect(circuit.startsAt).toBe(0)
    expect(circuit.ended('failing', 0, OPENS_AFTER_MS)).toBe('opened')
    expect(circuit.startsAt).toBe(OPENS_AFTER_MS + 5_000)
  })

  it('does not open while one answer in so many is well', () => {
    const circuit = new Circuit()
    for (let n = 1; n < 10_000; n++)
      expect(circuit.ended(n % OPENS_AFTER === 0 ? 'fine' : 'failing', n * 100, n * 100)).toBeUndefined()
  })

  it('probes after 5 s, then after twice as long each time, a minute at most', () => {
    const circuit = open()
    const waits: number[] = []
    for (let now = circuit.startsAt; waits.length < 6; now = circuit.startsAt) {
      circuit.started(now)
      expect(circuit.startsAt).toBeGreaterThan(now)
      circuit.ended('failing', now, now + 10)
      waits.push(circuit.startsAt - now - 10)
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000])
  })

  it('does not count what was under way when it opened', () => {
    const circuit = open()
    const { startsAt } = circuit
    expect(circuit.ended('overloaded', 4_000, 5_500)).toBeUndefined()
    expect(circuit.startsAt).toBe(startsAt)
  })

  it('closes by the first answer that is well, and counts anew', () => {
    const circuit = open()
    circuit.started(20_000)
    expect(circuit.ended('fine', 20_000, 20_010)).toBe('closed')
    expect([circuit.isOpen, circuit.startsAt]).toEqual([false, 0])
    expect(circuit.ended('failing', 30_000, 60_000)).toBeUndefined()
  })

  it('probes again at once when no request was made', () => {
    const circuit = open()
    circuit.started(20_000)
    circuit.ended(undefined, 20_000, 20_001)
    expect(circuit.startsAt).toBe(20_001)
  })
})
