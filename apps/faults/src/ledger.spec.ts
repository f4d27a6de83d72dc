import { describe, expect, it } from '@jest/globals'
import type { Attempt } from '@posthorn/topics'
import { Ledger, type Recorded } from './ledger.js'

const T = Date.parse('2026-01-01T00:00:00.000Z')
const iso = (ms: number) => new Date(T + ms).toISOString()

/** An attempt that ran from 2 ms before to 2 ms after `at` and was in the log 3 ms later. */
function record(at: number, attempt: number, status: number, nextAt?: number, appendedAt = at + 5): Recorded {
  const failed = nextAt === undefined ? {} : { next_attempt_at: iso(nextAt), next: 'tier' as const }
  const said: Attempt = {
    delivery: 'd',
    run: '0',
    attempt,
    webhook: 'w',
    webhook_version: 1,
    tenant: 'default',
    event: { id: 'e', source: '/s', type: 't', time: iso(0) },
    accepted_at: iso(0),
    outcome: nextAt === undefined ? 'delivered' : 'retry',
    due_at: iso(0),
    started_at: iso(at - 2),
    finished_at: iso(at + 2),
    duration_ms: 4,
    status_code: status,
    ...failed,
  }
  return { attempt: said, appendedAt: T + appendedAt }
}

function ledger(...requests: readonly (readonly [at: number, status: number])[]): Ledger {
  const made = new Ledger()
  for (const [at, status] of requests) made.received('d', { at: T + at, status })
  return made
}

const killed = (at: number, target = 'deliverer') => ({
  what: 'killed' as const,
  target,
  pid: 1,
  from: T + at,
  to: T + at,
})

describe('Ledger', () => {
  it('finds nothing wrong with one request that was answered well and recorded', () => {
    const audit = ledger([100, 200]).audit(['d'], [record(100, 1, 200)])
    expect(audit).toEqual({
      deliveries: 1,
      requests: 1,
      attempts: 1,
      missing: [],
      retryLateness: [],
      early: [],
      inFlight: 0,
      unexplained: [],
      unrecorded: [],
      unsent: [],
    })
  })

  it('misses a delivery without a 2xx', () => {
    const { missing } = ledger([100, 500]).audit(['d', 'other'], [record(100, 1, 500, 900)])
    expect(missing).toEqual([expect.stringContaining('→ 500, attempt 1'), 'other: no request'])
  })

  it('takes a request at or after the due time for the retry', () => {
    const audit = ledger([100, 500], [1003, 200]).audit(['d'], [record(100, 1, 500, 1000), record(1003, 2, 200)])
    expect(audit).toMatchObject({ retryLateness: [3], early: [], unexplained: [], inFlight: 0 })
  })

  it('names a retry that was early', () => {
    const audit = ledger([100, 500], [999, 200]).audit(['d'], [record(100, 1, 500, 1000), record(999, 2, 200)])
    expect(audit.early).toHaveLength(1)
  })

  it('knows the retry of a request whose deliverer died before it recorded it: its copy has another', () => {
    const requests = ledger([100, 500], [9000, 500], [9500, 200])
    requests.fault(killed(101))
    const copies = (due: number) => {
      const last = record(9500, 2, 200)
      return [record(9000, 1, 500, 10_000), { ...last, attempt: { ...last.attempt, due_at: iso(due) } }]
    }
    expect(requests.audit(['d'], copies(1100))).toMatchObject({ early: [], inFlight: 2, unexplained: [] })
    expect(requests.audit(['d'], copies(10_000)).early).toHaveLength(1)
    const nothing = ledger([9000, 500], [9500, 200])
    expect(nothing.audit(['d'], copies(1100)).early).toHaveLength(1)
  })

  it('cannot explain a second request when nothing happened', () => {
    const audit = ledger([100, 200], [300, 200]).audit(['d'], [record(100, 1, 200), record(300, 1, 200)])
    expect(audit.unexplained).toHaveLength(1)
  })

  it('explains it when the deliverer was killed before the first was recorded', () => {
    const twice = ledger([100, 200], [9000, 200])
    twice.fault(killed(101))
    expect(twice.audit(['d'], [record(9000, 1, 200)])).toMatchObject({ inFlight: 1, unexplained: [], unrecorded: [] })
  })

  it('does not explain it by a kill after the first was recorded', () => {
    const twice = ledger([100, 200], [9000, 200])
    twice.fault(killed(200))
    const audit = twice.audit(['d'], [record(100, 1, 200), record(9000, 1, 200)])
    expect(audit.unexplained).toHaveLength(1)
    expect(audit.unexplained[0]).toContain('deliverer (1) killed 2026-01-01T00:00:00.200Z')
  })

  it('does not explain it by the kill of another service, which the deliverer has to make up for', () => {
    const twice = ledger([100, 200], [9000, 200])
    twice.fault(killed(101, 'router'))
    const audit = twice.audit(['d'], [record(9000, 1, 200)])
    expect(audit.unexplained).toHaveLength(1)
    expect(audit.unrecorded).toHaveLength(1)
  })

  it('does not explain it by a kill before the first was sent', () => {
    const twice = ledger([6000, 200], [9000, 200])
    twice.fault(killed(100))
    expect(twice.audit(['d'], [record(9000, 1, 200)]).unexplained).toHaveLength(1)
  })

  it('does not take the same attempt again for a retry of it', () => {
    const twice = ledger([100, 500], [1500, 200])
    expect(twice.audit(['d'], [record(100, 1, 500, 1000), record(1500, 1, 200)]).unexplained).toHaveLength(1)
  })

  it('explains what a frozen process had begun and could end only when it was thawed', () => {
    const twice = ledger([9000, 200], [15_000, 200])
    twice.fault({ what: 'frozen', target: 'deliverer', pid: 1, from: T + 100, to: T + 100 })
    const late = record(15_000, 1, 200)
    const begun = { ...late, attempt: { ...late.attempt, started_at: iso(99) } }
    expect(twice.audit(['d'], [record(9000, 1, 200), begun])).toMatchObject({ inFlight: 1, unexplained: [] })
  })

  it('cannot explain what it began after that', () => {
    const twice = ledger([9000, 200], [15_000, 200])
    twice.fault({ what: 'frozen', target: 'deliverer', pid: 1, from: T + 100, to: T + 100 })
    expect(twice.audit(['d'], [record(9000, 1, 200), record(15_000, 1, 200)]).unexplained).toHaveLength(1)
  })

  it('knows a request again that was given up before the receiver saw it', () => {
    const { attempt, appendedAt } = record(100, 1, 200, 1000)
    const { status_code: _, ...unanswered } = attempt
    const givenUp = { attempt: { ...unanswered, error: 'timeout' }, appendedAt }
    const audit = ledger([1100, 200], [1500, 200]).audit(['d'], [givenUp, record(1100, 2, 200)])
    expect(audit).toMatchObject({ retryLateness: [100], unexplained: [], unrecorded: [], early: [] })
  })

  it('passes over an attempt that got no answer and never arrived', () => {
    const { attempt, appendedAt } = record(1100, 2, 200, 2000)
    const { status_code: _, ...unanswered } = attempt
    const lost = { attempt: { ...unanswered, error: 'timeout' }, appendedAt }
    const audit = ledger([100, 500], [2100, 200]).audit(['d'], [record(100, 1, 500, 1000), lost, record(2100, 3, 200)])
    expect(audit).toMatchObject({ retryLateness: [100], unexplained: [], unsent: [] })
  })

  it('names an attempt that never arrived', () => {
    expect(ledger([100, 200]).audit(['d'], [record(100, 1, 200), record(700, 2, 200)]).unsent).toHaveLength(1)
  })
})
