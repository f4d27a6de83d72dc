import { createCipheriv, randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { countByKey, SealError, Sealer, tellMissingKeys } from './sealer.js'

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
const OLD = key('old')
const NEW = key('new')

/** As it was done before there were data keys. */
function direct(master: string, text: string, context: string): string {
  const [id, encoded] = master.split(':') as [string, string]
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(encoded, 'base64'), iv).setAAD(Buffer.from(context))
  const bytes = Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()])
  return `v1.${id}.${bytes.toString('base64url')}`
}

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
    expect(sealed).toMatch(/^v2\.new\.[A-Za-z0-9_-]{80}\.[A-Za-z0-9_-]+$/)
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
    expect(rotated.seal('secret', 'webhook_1')).toMatch(/^v2\.new\./)
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

  test.each([
    '',
    'secret',
    'v2.new.AAAA',
    'v2.new.AAAA.AAAA',
    'v3.new.AAAA.AAAA',
    'v1.new.AAAA',
    'v1.new.',
    'v1..AAAA',
  ])('refuses the malformed %j', text => {
    expect(faultOf(() => new Sealer([NEW]).unseal(text, 'webhook_1')).fault).toBe('malformed')
  })

  test('opens what was sealed by a master key itself, and reseal envelops it', () => {
    const sealer = new Sealer([NEW, OLD])
    const before = direct(OLD, 'secret', 'webhook_1')
    expect(sealer.unseal(before, 'webhook_1')).toBe('secret')
    const after = sealer.reseal(before, 'webhook_1')
    expect(after).toMatch(/^v2\.new\./)
    expect(new Sealer([NEW]).unseal(after, 'webhook_1')).toBe('secret')
  })

  test('reseals the data key alone, and only once', () => {
    const before = new Sealer([OLD]).seal('secret', 'webhook_1')
    const sealer = new Sealer([NEW, OLD])
    const after = sealer.reseal(before, 'webhook_1')
    expect(after).toMatch(/^v2\.new\./)
    expect(after.split('.')[3]).toBe(before.split('.')[3])
    expect(sealer.reseal(after, 'webhook_1')).toBe(after)
    expect(new Sealer([NEW]).unseal(after, 'webhook_1')).toBe('secret')
    expect(faultOf(() => sealer.reseal(before, 'webhook_2')).fault).toBe('not_authentic')
    expect(faultOf(() => new Sealer([NEW]).reseal(before, 'webhook_1'))).toMatchObject({ fault: 'key_missing' })
  })

  test('a flipped bit anywhere is refused', () => {
    const sealer = new Sealer([NEW])
    const [version, id, ...parts] = sealer.seal('secret', 'webhook_1').split('.')
    for (const [at, part] of parts.entries()) {
      const bytes = Buffer.from(part, 'base64url')
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        const altered = [version, id, ...parts.with(at, bytes.toString('base64url'))].join('.')
        expect(faultOf(() => sealer.unseal(altered, 'webhook_1')).fault).toBe('not_authentic')
        bytes[bit >> 3]! ^= 1 << (bit & 7)
      }
    }
  })

  test('which keys are missing is told with how much they sealed', () => {
    const sealed = [OLD, OLD, NEW].map(each => new Sealer([each]).seal('secret', 'webhook_1'))
    const counts = countByKey([...sealed, direct(OLD, 'secret', 'webhook_1'), 'garbage', ''])
    expect([...counts]).toEqual([
      ['old', 3],
      ['new', 1],
    ])
    const told: [object, string][] = []
    tellMissingKeys(new Sealer([NEW]), counts, { error: (...line) => told.push(line) })
    expect(told).toEqual([
      [{ alert: 'sealing_key_missing', key: 'old', count: 3 }, expect.stringContaining('lacks the key "old"')],
    ])
  })

  test('refuses to be made without usable keys', () => {
    expect(faultOf(() => new Sealer([])).fault).toBe('no_keys')
    expect(faultOf(() => new Sealer(['short:AAAA'])).fault).toBe('bad_key')
    expect(faultOf(() => new Sealer([OLD, OLD])).fault).toBe('bad_key')
  })
})
