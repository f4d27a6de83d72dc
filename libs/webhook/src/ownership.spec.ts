import { describe, expect, it } from '@jest/globals'
import { handshakeDelayMs, handshakeHeaders, judgeHandshake, permittedRate, type HandshakeResult } from './ownership.js'

const NOW = Date.UTC(2026, 10, 28)
const ORIGIN = 'hooks.example.com'
const answer = (status: number, headers: Record<string, string> = {}): HandshakeResult => ({
  kind: 'response',
  status,
  headers,
})
const judged = (result: HandshakeResult) => judgeHandshake(result, ORIGIN, null, NOW)

describe('handshakeHeaders', () => {
  it.each([
    [null, undefined],
    [{ requests: 90, per: 'minute' } as const, '90'],
    [{ requests: 2, per: 'second' } as const, '120'],
  ])('ask for the rate of the webhook, a minute: %j', (limit, rate) => {
    expect(handshakeHeaders(ORIGIN, limit)).toEqual({
      'webhook-request-origin': ORIGIN,
      ...(rate === undefined ? {} : { 'webhook-request-rate': rate }),
    })
  })
})

describe('S7 judgeHandshake', () => {
  it.each([
    ['this origin', { 'webhook-allowed-origin': ORIGIN }, null],
    ['in other letters', { 'webhook-allowed-origin': ' Hooks.Example.COM ' }, null],
    ['every origin', { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' }, null],
    ['a rate', { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '120' }, 120],
  ])('takes an answer that allows %s', (_, headers, allowedRate) => {
    expect(judged(answer(200, headers))).toEqual({
      verifiedAt: '2026-11-28T00:00:00.000Z',
      allowedRate,
      attempts: 1,
      lastAt: '2026-11-28T00:00:00.000Z',
      statusCode: 200,
      error: null,
      advice: null,
    })
  })

  it.each([
    ['a status alone', answer(200), 'without WebHook-Allowed-Origin', 'WebHook-Allowed-Origin: hooks.example.com'],
    ['another origin', answer(200, { 'webhook-allowed-origin': 'evil.example' }), '"evil.example"', 'or \\*'],
    ['a pattern', answer(200, { 'webhook-allowed-origin': '*.example.com' }), 'allows the origin', 'or \\*'],
    ['405', answer(405, { allow: 'POST' }), '405', 'answer OPTIONS with 200'],
    ['consent with a failure', answer(500, { 'webhook-allowed-origin': '*' }), '500', 'answer OPTIONS with 200'],
    ['a redirect', answer(302, { 'webhook-allowed-origin': '*' }), '302', 'final URL'],
    ['a rate of 0', answer(200, { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '0' }), '"0"', 'from 1'],
    ['no number', answer(200, { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': 'many' }), 'many', 'from 1'],
    ['nothing', { kind: 'failed', cause: 'timeout', detail: 'no answer' } as const, 'no answer', 'in time'],
  ])('takes %s for no consent, and says what to do', (_, result, error, advice) => {
    const ownership = judged(result)
    expect(ownership.verifiedAt).toBeNull()
    expect(ownership.error).toContain(error)
    expect(ownership.advice).toMatch(new RegExp(advice))
  })

  it('counts the attempts', () => {
    expect(judgeHandshake(answer(405), ORIGIN, judged(answer(405)), NOW).attempts).toBe(2)
  })
})

describe('handshakeDelayMs', () => {
  it('grows to 6 h, and ends after some three days', () => {
    const delays = Array.from({ length: 20 }, (_, made) => handshakeDelayMs(made + 1))
    expect(delays.slice(0, 4)).toEqual([10_000, 30_000, 90_000, 270_000])
    expect(delays.at(-2)).toBe(6 * 3600_000)
    expect(delays.at(-1)).toBeUndefined()
    const hours = delays.reduce<number>((sum, delay) => sum + (delay ?? 0), 0) / 3600_000
    expect(Math.round(hours)).toBe(75)
  })
})

describe('permittedRate', () => {
  it.each([
    [null, null, null],
    [{ requests: 5, per: 'second' } as const, null, { requests: 5, per: 'second' }],
    [null, 120, { requests: 120, per: 'minute' }],
    [{ requests: 5, per: 'second' } as const, 120, { requests: 120, per: 'minute' }],
    [{ requests: 1, per: 'second' } as const, 120, { requests: 1, per: 'second' }],
    [null, 600_000, { requests: 10_000, per: 'second' }],
  ])('is the lower of the own %j and the allowed %j', (own, allowed, rate) => {
    expect(permittedRate(own, allowed)).toEqual(rate)
  })
})
