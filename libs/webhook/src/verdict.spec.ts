import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { judge, parseRetryAfter, type NetworkCause } from './verdict.js'

const NOW = Date.UTC(2026, 0, 31, 12)
/** The page without the spaces that pad its tables. */
const page = readFileSync(new URL('../../../docs/retries.md', import.meta.url), 'utf8').replace(/ *\| */g, ' | ')

/** The list of mission row S11, in the words of the code. */
const CLASSES = [
  'client.validation',
  'client.authentication',
  'client.rate_limit',
  'server.processing',
  'server.database',
  'server.resource',
  'network.timeout',
  'network.connection',
  'network.retry',
]
const CAUSES: Record<NetworkCause, string> = {
  timeout: 'network.timeout',
  dns_timeout: 'network.timeout',
  connect_timeout: 'network.timeout',
  tls_timeout: 'network.timeout',
  first_byte_timeout: 'network.timeout',
  dns: 'network.connection',
  connect: 'network.connection',
  tls: 'network.connection',
  tls_version: 'network.connection',
  certificate_expired: 'network.connection',
  certificate_name: 'network.connection',
  certificate_untrusted: 'network.connection',
  client_certificate: 'client.authentication',
  reset: 'network.retry',
  address_refused: 'network.connection',
  address_unlisted: 'network.connection',
  port_refused: 'network.connection',
  protocol: 'network.connection',
}
const STATUSES = Array.from({ length: 500 }, (_, i) => 100 + i)
const answer = (status: number, retryAfter?: string) =>
  judge({ kind: 'response', status, ...(retryAfter === undefined ? {} : { retryAfter }) }, NOW)

describe('S11 classes of failure', () => {
  it('S11 gives every status but 2xx exactly one class of the list, and a sentence of advice', () => {
    for (const status of STATUSES) {
      const verdict = answer(status)
      expect(verdict.kind).toBe(status >= 200 && status < 300 ? 'success' : status === 410 ? 'gone' : 'failure')
      if (verdict.kind === 'success') continue
      expect(CLASSES).toContain(verdict.class)
      expect(verdict.advice).toMatch(/^[A-Z].{40,}\.$/)
      expect(verdict.advice).toContain(String(status))
    }
  })

  it('S11 gives every network cause its class, and a sentence of advice', () => {
    for (const [cause, expected] of Object.entries(CAUSES)) {
      const verdict = judge({ kind: 'failed', cause: cause as NetworkCause, detail: 'x' }, NOW)
      if (verdict.kind !== 'failure') throw new Error(`${cause} is no failure`)
      expect(verdict.class).toBe(expected)
      expect(verdict.advice).toMatch(/^[A-Z].{40,}\.$/)
    }
  })

  it('S11 uses every class of the list', () => {
    const verdicts = STATUSES.map(status => answer(status)).flatMap(one => (one.kind === 'success' ? [] : [one.class]))
    expect(new Set([...verdicts, ...Object.values(CAUSES)])).toEqual(new Set(CLASSES))
  })

  it.each([
    [301, 'client.validation'],
    [304, 'client.validation'],
    [400, 'client.validation'],
    [401, 'client.authentication'],
    [403, 'client.authentication'],
    [404, 'client.validation'],
    [407, 'client.authentication'],
    [408, 'network.retry'],
    [410, 'client.validation'],
    [413, 'client.validation'],
    [422, 'client.validation'],
    [425, 'network.retry'],
    [429, 'client.rate_limit'],
    [500, 'server.processing'],
    [501, 'server.processing'],
    [502, 'server.resource'],
    [503, 'server.resource'],
    [504, 'server.resource'],
    [507, 'server.database'],
    [599, 'server.processing'],
  ])('S11 %i is %s', (status, expected) => {
    expect(answer(status)).toMatchObject({ class: expected })
  })

  it('S11 is the table that docs/retries.md prints', () => {
    const rows = new Map(CLASSES.map(name => [name, [] as string[]]))
    for (const [from, to, name] of ranges()) rows.get(name)!.push(from === to ? String(from) : `${from}–${to}`)
    for (const [cause, name] of Object.entries(CAUSES)) rows.get(name)!.push(`\`${cause}\``)
    for (const [name, what] of rows) expect(page).toContain(`| \`${name}\` | ${what.join(', ')} |`)
  })
})

/** Runs of neighbouring statuses with one class; 1xx, never a final answer, is left out of the table. */
function ranges(): [number, number, string][] {
  const found: [number, number, string][] = []
  for (const status of STATUSES.filter(status => status >= 300)) {
    const verdict = answer(status)
    if (verdict.kind === 'success') continue
    const last = found.at(-1)
    if (last && last[1] === status - 1 && last[2] === verdict.class) last[1] = status
    else found.push([status, status, verdict.class])
  }
  return found
}

describe('S5 Retry-After', () => {
  it('S5 is read on 429 and 503 alone', () => {
    for (const status of STATUSES) {
      const verdict = answer(status, '7')
      const read = verdict.kind === 'failure' ? verdict.retryAfterMs : undefined
      expect(read).toBe(status === 429 || status === 503 ? 7000 : undefined)
    }
  })

  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5000],
    ['86400', 86_400_000],
    ['86401', undefined],
    ['999999999999', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
    ['Sat, 31 Jan 2026 12:00:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['Mon, 02 Feb 2026 12:00:01 GMT', undefined],
    ['Saturday, 31-Jan-26 12:00:30 GMT', 30_000],
    ['Sat Jan 31 12:00:30 2026', 30_000],
    ['2026-01-31T12:00:30Z', undefined],
    ['Sat, 31 Foo 2026 12:00:30 GMT', undefined],
  ])('S5 reads %j as %j ms', (value, ms) => {
    expect(parseRetryAfter(value, NOW)).toBe(ms)
  })

  it('S5 never asks for less than nothing nor for more than a day, whatever a receiver sends', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.date().map(String), fc.double().map(String)), value => {
        const ms = parseRetryAfter(value, NOW)
        if (ms === undefined) return
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThanOrEqual(24 * 3600_000)
      }),
    )
  })
})
