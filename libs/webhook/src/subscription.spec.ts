import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { WebhookEvent } from './event.js'
import { SubscriptionIndex, type Subscription } from './subscription.js'

const none = new Uint8Array()
const event = (tenant: string, type: string): WebhookEvent => ({
  tenant,
  type,
  id: '1',
  source: '/',
  time: '2026-01-31T12:00:00Z',
  contenttype: 'application/json',
})

/** The rule itself, one subscription at a time. */
function takes(subscription: Subscription, tenant: string, type: string): boolean {
  const fits = (pattern: string) =>
    pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
  return subscription.tenant === tenant && subscription.events.some(fits)
}

const tenant = fc.constantFrom('t1', 't2')
const type = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 3 }).map(words => words.join('.'))
const pattern = fc.oneof(
  type,
  type.map(prefix => `${prefix}.*`),
  fc.constant('*'),
)
const webhook = fc.constantFrom('w1', 'w2', 'w3', 'w4')
const step = fc.oneof(
  fc.record({ put: fc.record({ webhook, tenant, events: fc.array(pattern, { maxLength: 4 }) }) }),
  fc.record({ remove: webhook }),
  fc.record({ ask: fc.tuple(tenant, type) }),
)

describe('SubscriptionIndex', () => {
  it('finds what looking at every subscription finds, through any changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const index = new SubscriptionIndex<string>()
        const model = new Map<string, Subscription>()
        for (const one of steps) {
          if ('put' in one) {
            index.put(one.put, one.put.webhook)
            model.set(one.put.webhook, one.put)
          } else if ('remove' in one) {
            index.remove(one.remove)
            model.delete(one.remove)
          } else {
            const expected = [...model.values()].filter(subscription => takes(subscription, ...one.ask))
            expect(index.match(event(...one.ask), none).sort()).toEqual(expected.map(({ webhook }) => webhook).sort())
          }
          expect(index.size).toBe(model.size)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('keeps what it had when a bad pattern or an unknown filter is put', () => {
    const index = new SubscriptionIndex<string>()
    index.put({ webhook: 'w', tenant: 't', events: ['a.*'] }, 'old')
    expect(() => index.put({ webhook: 'w', tenant: 't', events: ['a', '*.b'] }, 'new')).toThrow('"*.b"')
    expect(() => index.put({ webhook: 'w', tenant: 't', events: ['a'], filter: { data: {} } }, 'new')).toThrow(
      'filters',
    )
    expect(index.match(event('t', 'a.b'), none)).toEqual(['old'])
    expect(index.match(event('t', 'a'), none)).toEqual([])
  })
})
