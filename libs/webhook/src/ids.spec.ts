import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { LIVE_RUN } from './delivery.js'
import { attemptFraction, deliveryId, eventId, eventIdentity, replayId, webhookId } from './ids.js'

describe('ids', () => {
  it('writes 16 bytes as 26 characters, each in its own way', () => {
    expect(webhookId(new Uint8Array(16))).toBe(`webhook_${'0'.repeat(26)}`)
    expect(eventId(new Uint8Array(16).fill(255))).toBe(`event_${'z'.repeat(25)}w`)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
        let value = 0n
        for (const byte of bytes) value = value * 256n + BigInt(byte)
        const digits = [...webhookId(bytes).slice('webhook_'.length)]
        const back = digits.reduce(
          (sum, digit) => sum * 32n + BigInt('0123456789abcdefghjkmnpqrstvwxyz'.indexOf(digit)),
          0n,
        )
        expect(back >> 2n).toBe(value)
      }),
    )
  })

  // These values are on the wire and in receivers' databases: a change of them makes every repeat a new delivery.
  it('S10 makes the same delivery of the same event and webhook, in every version', () => {
    const event = { tenant: 'acme', source: '/agents', id: '42' }
    expect(deliveryId(event, 'webhook_1')).toBe('delivery_1d2tcqvgnqxdgfrq8n83yznmjm')
    expect(eventIdentity(event)).toBe('8mvhf355ewct4fn7jn5tz3066m')
    expect(deliveryId({ ...event }, 'webhook_1')).toBe(deliveryId(event, 'webhook_1'))
  })

  it('S10 never makes one delivery of two different pairs, wherever the parts are cut', () => {
    const part = fc.oneof(fc.string(), fc.stringMatching(/^[ab:0-9]{0,5}$/))
    const parts = fc.tuple(part, part, part, part)
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const id = ([tenant, source, event, webhook]: string[]) =>
          deliveryId({ tenant: tenant!, source: source!, id: event! }, webhook!)
        expect(id(one) === id(other)).toBe(one.every((text, i) => text === other[i]))
      }),
    )
    const cuts = ['|a|b', 'a||b', '|ab|', 'ab||', '||ab', 'a|b|', '1:a||', '|1:a|'].map(cut => cut.split('|'))
    const ids = cuts.map(([tenant, source, id]) => eventIdentity({ tenant: tenant!, source: source!, id: id! }))
    expect(new Set(ids).size).toBe(cuts.length)
  })

  it('makes ids of replays that grow with time, and above the run of live traffic', () => {
    const random = fc.uint8Array({ minLength: 10, maxLength: 10 })
    const ms = fc.integer({ min: 0, max: 2 ** 47 })
    fc.assert(
      fc.property(ms, random, fc.integer({ min: 1, max: 2 ** 40 }), random, (at, one, later, other) => {
        const ids = [LIVE_RUN, replayId(at, one), replayId(at + later, other)]
        expect(ids.toSorted()).toEqual(ids)
        expect(ids[1]).toMatch(/^replay_[0-9a-z]{26}$/)
      }),
    )
  })

  it('spreads fractions evenly over [0, 1), the same for every copy', () => {
    const fractions = Array.from({ length: 4000 }, (_, i) => attemptFraction('delivery_x', '0', i + 1))
    const quarters = [0, 0, 0, 0]
    for (const fraction of fractions) quarters[Math.floor(fraction * 4)]!++
    for (const count of quarters) expect(count).toBeGreaterThan(900)
    expect(attemptFraction('d', '0', 1)).toBe(attemptFraction('d', '0', 1))
    expect(attemptFraction('d', '01', 1)).not.toBe(attemptFraction('d', '0', 11))
  })
})
