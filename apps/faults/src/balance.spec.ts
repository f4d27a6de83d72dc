import { describe, expect, it } from '@jest/globals'
import { encodeDeadLetter, encodeDelivery, type Attempt } from '@posthorn/topics'
import type { Delivery, OutcomeKind } from '@posthorn/webhook'
import { balance, type Books } from './balance.js'
import type { Member } from './crowd.js'

const NOW = '2026-01-01T00:00:00.000Z'

type End = ReturnType<Member['kind']['endOf']>

function member(end: End): Member {
  return { id: 'w', type: 't', kind: { name: end, weight: 1, endOf: () => end } }
}

function delivery(id: string): Delivery {
  return {
    id,
    webhook: 'w',
    webhookVersion: 1,
    tenant: 'default',
    run: '0',
    attempt: 1,
    due: 0,
    acceptedAt: 0,
    spills: 0,
    origin: { partition: 0, offset: 0 },
    event: { tenant: 'default', id, source: '/s', type: 't', time: NOW, contenttype: 'application/json' },
  }
}

function attempt(id: string, outcome: OutcomeKind): Attempt {
  return {
    delivery: id,
    run: '0',
    attempt: 1,
    webhook: 'w',
    webhook_version: 1,
    tenant: 'default',
    event: { id, source: '/s', type: 't', time: NOW },
    accepted_at: NOW,
    outcome,
    due_at: NOW,
    started_at: NOW,
    finished_at: NOW,
    duration_ms: 1,
  }
}

interface Told {
  readonly ends: End
  readonly routed?: boolean
  readonly outcomes: readonly OutcomeKind[]
  readonly taken?: boolean
  readonly dead?: boolean
  readonly requests?: number
}

/** One delivery, `d`. */
function books({ ends, routed = true, outcomes, taken = false, dead = false, requests = 1 }: Told): Books {
  const one = delivery('d')
  const data = Buffer.from('1')
  return {
    wanted: new Map([['d', member(ends)]]),
    ledger: { isDelivered: () => taken, count: () => requests },
    attempts: outcomes.map(outcome => ({ attempt: attempt('d', outcome), appendedAt: 0 })),
    deliveries: routed ? [encodeDelivery(one, data)] : [],
    deadLetters: dead ? [encodeDeadLetter(one, attempt('d', 'exhausted'), data)] : [],
  }
}

describe('balance', () => {
  it.each([
    ['delivered', { ends: 'delivered', outcomes: ['retry', 'delivered'], taken: true }],
    ['exhausted', { ends: 'exhausted', outcomes: ['retry', 'exhausted'], dead: true }],
    ['gone', { ends: 'gone', outcomes: ['gone'], dead: true }],
    ['discarded', { ends: 'gone', outcomes: ['discarded'] }],
    ['discarded', { ends: 'gone', outcomes: ['discarded'], dead: true }],
  ] as const)('finds nothing wrong with a delivery that ended %s', (end, told) => {
    const { ends, pending, wrong } = balance(books(told))
    expect({ pending, wrong }).toEqual({ pending: [], wrong: [] })
    expect(ends).toMatchObject({ [end]: 1 })
  })

  it('counts one that only failed so far as pending', () => {
    expect(balance(books({ ends: 'delivered', outcomes: ['retry'] })).pending).toEqual(['d for delivered'])
  })

  it.each([
    ['never routed', { ends: 'delivered', routed: false, outcomes: [] }, 'd for delivered was never routed'],
    ['given up', { ends: 'delivered', outcomes: ['exhausted'], dead: true }, 'd for delivered ended exhausted'],
    ['lost', { ends: 'delivered', outcomes: ['delivered'] }, 'd is recorded as delivered and no 2xx was answered'],
    ['no dead letter', { ends: 'exhausted', outcomes: ['exhausted'] }, 'd ended exhausted and is no dead letter'],
    [
      'a dead letter too many',
      { ends: 'delivered', outcomes: ['delivered'], taken: true, dead: true },
      'd ended delivered and is a dead letter',
    ],
    [
      'a dead letter without a request',
      { ends: 'gone', outcomes: ['discarded'], dead: true, requests: 0 },
      'd ended discarded and is a dead letter',
    ],
  ] as const)('names one that is %s', (_, told, sentence) => {
    expect(balance(books(told)).wrong).toEqual([sentence])
  })

  it('names one that nobody asked for, and accepts that a webhook which is gone gets no more', () => {
    const given = books({ ends: 'gone', routed: false, outcomes: [] })
    expect(balance(given).wrong).toEqual([])
    const strange = { ...given, deliveries: [encodeDelivery(delivery('x'), Buffer.from('1'))] }
    expect(balance(strange).wrong).toEqual(['x was routed and no event asked for it'])
  })

  it('refuses a record that is no delivery', () => {
    const given = { ...books({ ends: 'delivered', outcomes: [] }), deliveries: [{ value: Buffer.from('?') }] }
    expect(() => balance(given)).toThrow('deliveries.v1 has a record that is')
  })
})
