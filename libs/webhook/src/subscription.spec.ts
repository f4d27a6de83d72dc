import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { WebhookEvent } from './event.js'
import { EventFields } from './event-fields.js'
import { compileFilter, type FilterPattern } from './filter.js'
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
function takes(subscription: Subscription, tenant: string, type: string, data: Buffer): boolean {
  const fits = (pattern: string) =>
    pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
  if (subscription.tenant !== tenant || !subscription.events.some(fits)) return false
  return !subscription.filter || compileFilter(subscription.filter).matches(new EventFields(event(tenant, type), data))
}

const tenant = fc.constantFrom('t1', 't2')
const type = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 3 }).map(words => words.join('.'))
const pattern = fc.oneof(
  type,
  type.map(prefix => `${prefix}.*`),
  fc.constant('*'),
)
const webhook = fc.constantFrom('w1', 'w2', 'w3', 'w4', 'w5', 'w6')

const scalar = fc.constantFrom('x', 'y', '10.0.0.1', '::ffff:a00:1', 1, 2, true, null)
const wanted = fc.oneof({ weight: 4, arbitrary: scalar }, fc.constantFrom({ exists: false }, { prefix: 'x' }))
const field = fc.array(wanted, { minLength: 1, maxLength: 3 })
const leaves = fc.dictionary(fc.constantFrom('a', 'b', 'c'), field, { minKeys: 1, noNullPrototype: true })
const filter: fc.Arbitrary<FilterPattern> = fc.oneof(
  leaves.map(data => ({ data })),
  fc.tuple(leaves, fc.constantFrom('1', '2')).map(([data, id]) => ({ id: [id], data: { list: data } })),
  fc.tuple(leaves, leaves).map(([one, other]) => ({ $or: [{ data: one }, { data: { list: other } }] })),
)
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }))
const object = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { noNullPrototype: true })
const json = fc
  .tuple(object, fc.array(object, { maxLength: 3 }))
  .map(([members, list]) => Buffer.from(JSON.stringify({ ...members, list })))
const data = fc.oneof({ weight: 9, arbitrary: json }, fc.constantFrom(Buffer.from(''), Buffer.from('{')))
const step = fc.oneof(
  fc.record({
    put: fc.record(
      { webhook, tenant, events: fc.array(pattern, { maxLength: 4 }), filter },
      { requiredKeys: ['webhook', 'tenant', 'events'] },
    ),
  }),
  fc.record({ remove: webhook }),
  fc.record({ ask: fc.tuple(tenant, type, data) }),
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
            expect(index.match(event(one.ask[0], one.ask[1]), one.ask[2]).sort()).toEqual(
              expected.map(({ webhook }) => webhook).sort(),
            )
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
      'filter/data',
    )
    expect(index.match(event('t', 'a.b'), none)).toEqual(['old'])
    expect(index.match(event('t', 'a'), none)).toEqual([])
  })
})
