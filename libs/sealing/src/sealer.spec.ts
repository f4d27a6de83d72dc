import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { SealError, Sealer } from './sealer.js'

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
const OLD = key('old')
const NEW = key('new')

function faultOf(act: () => unknown): SealError {
  try {
    act()
  } catch (error) {
    if (error instanceof SealError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('Sealer', () => {
  test.each(['whsec_AAAA', '', 'Grüße 🎺', 'x'.repeat(10_000)])('opens what it sealed (%#)', text => {
    const sealer = new Sealer([NEW])
    const sealed = sealer.seal(text, 'webhook_1')
    expect(sealed).toMatch(/^v1\.new\.[A-Za-z0-9_-]+$/)
    expect(sealer.unseal(sealed, 'webhook_1')).toBe(text)
  })

  test('never seals the same text into the same bytes', () => {
    const sealer = new Sealer([NEW])
    expect(sealer.seal('secret', 'webhook_1')).not.toBe(sealer.seal('secret', 'webhook_1'))
  })

  test('seals with the first key and opens with all of them', () => {
    const sealed = new Sealer([OLD]).seal('secret', 'webhook_1')
    const rotated = new Sealer([NEW, OLD])
    expect(rotated.unseal(sealed, 'webhook_1')).toBe('secret')
    expect(rotated.seal('secret', 'webhook_1')).toMatch(/^v1\.new\./)
  })

  test('says which key is missing', () => {
    const sealed = new Sealer([OLD]).seal('secret', 'webhook_1')
    const error = faultOf(() => new Sealer([NEW]).unseal(sealed, 'webhook_1'))
    expect(error).toMatchObject({ fault: 'key_missing', keyId: 'old' })
    expect(error.message).toContain('"old"')
  })

  test('opens nothing for another context, altered or under replaced key bytes', () => {
    const sealer = new Sealer([NEW])
    const sealed = sealer.seal('secret', 'webhook_1')
    const altered = sealed.slice(0, -3) + (sealed.endsWith('AAA') ? 'BBB' : 'AAA')
    expect(faultOf(() => sealer.unseal(sealed, 'webhook_2')).fault).toBe('not_authentic')
    expect(faultOf(() => sealer.unseal(altered, 'webhook_1')).fault).toBe('not_authentic')
    expect(faultOf(() => new Sealer([key('new')]).unseal(sealed, 'webhook_1')).fault).toBe('not_authentic')
  })

  test.each(['', 'secret', 'v2.new.AAAA', 'v1.new.AAAA', 'v1.new.', 'v1..AAAA'])('refuses the malformed %j', text => {
    expect(faultOf(() => new Sealer([NEW]).unseal(text, 'webhook_1')).fault).toBe('malformed')
  })

  test('refuses to be made without usable keys', () => {
    expect(faultOf(() => new Sealer([])).fault).toBe('no_keys')
    expect(faultOf(() => new Sealer(['short:AAAA'])).fault).toBe('bad_key')
    expect(faultOf(() => new Sealer([OLD, OLD])).fault).toBe('bad_key')
  })
})
