import { describe, expect, it } from '@jest/globals'
import type { AttemptRecord } from '@posthorn/store'
import { explain, type Circumstances } from './explain.js'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const at = (seconds: number) => new Date(NOW + seconds * 1000)
const attempt = (change: Partial<AttemptRecord> = {}): AttemptRecord =>
  ({
    attempt: 2,
    outcome: 'retry',
    statusCode: 503,
    error: null,
    advice: 'Mend it.',
    startedAt: at(-70),
    finishedAt: at(-60),
    ...change,
  }) as AttemptRecord
const ACTIVE = { status: 'active', rateLimit: null } as const

function reasonOf(change: Partial<Circumstances> & { status?: string; due?: Date | null; accepted?: Date } = {}) {
  const { status = 'retry', due = at(30), accepted = at(-90), ...known } = change
  const delivery = { status, nextAttemptAt: due, acceptedAt: accepted } as Circumstances['delivery']
  const whole = { delivery, last: attempt(), webhook: ACTIVE, behind: undefined, recent: [], ...known }
  return explain(whole, NOW)
}

describe('explain', () => {
  it('says how it ended, and what can be done then', () => {
    expect(reasonOf({ status: 'delivered' })).toMatchObject({ reason: 'delivered', advice: null })
    expect(reasonOf({ status: 'exhausted' })).toMatchObject({
      reason: 'exhausted',
      because: expect.stringContaining('status 503'),
      advice: expect.stringMatching(/^Mend it\..*redrive/),
    })
    for (const status of ['expired', 'gone', 'discarded']) expect(reasonOf({ status }).reason).toBe(status)
  })

  it('says what of the webhook keeps it', () => {
    for (const status of ['pending', 'paused', 'disabled'] as const)
      expect(reasonOf({ webhook: { ...ACTIVE, status } }).reason).toBe(`webhook_${status}`)
    expect(reasonOf({ webhook: undefined }).reason).toBe('webhook_deleted')
  })

  it('names the delivery of the same key that has to end first', () => {
    expect(reasonOf({ behind: 'delivery_1' })).toMatchObject({
      reason: 'behind_key',
      because: expect.stringContaining('delivery_1'),
      advice: expect.stringContaining('explain delivery_1'),
    })
  })

  it('tells a retry that waits from one that is late', () => {
    expect(reasonOf()).toMatchObject({ reason: 'waits_for_retry', advice: 'Mend it.' })
    expect(reasonOf({ due: at(-5) }).reason).toBe('under_way')
    expect(reasonOf({ due: at(-11) })).toMatchObject({
      reason: 'overdue',
      because: expect.stringContaining('11 s ago'),
    })
    expect(reasonOf({ status: 'pending', due: null, last: undefined, accepted: at(-1) }).reason).toBe('under_way')
    expect(reasonOf({ status: 'pending', due: null, last: undefined }).reason).toBe('overdue')
  })

  it('sees an open circuit by the failures of the webhook, and only by enough of them', () => {
    const failures = (count: number) =>
      Array.from({ length: count }, (_, index) => attempt({ startedAt: at(-99 - index) }))
    expect(reasonOf({ due: at(-11), recent: failures(20) })).toMatchObject({ reason: 'circuit_open' })
    expect(reasonOf({ due: at(-11), recent: failures(19) }).reason).toBe('overdue')
    const healed = [attempt({ outcome: 'delivered' }), ...failures(19)]
    expect(reasonOf({ due: at(-11), recent: healed }).reason).toBe('overdue')
    const burst = Array.from({ length: 20 }, () => attempt({ startedAt: at(-61) }))
    expect(reasonOf({ due: at(-11), recent: burst }).reason).toBe('overdue')
  })

  it('tells of a rate limit where nothing else holds it up', () => {
    const webhook = { ...ACTIVE, rateLimit: { requests: 5, per: 'minute' } as const }
    expect(reasonOf({ due: at(-11), webhook })).toMatchObject({
      reason: 'rate_limit',
      because: expect.stringContaining('5 requests a minute'),
    })
  })
})
