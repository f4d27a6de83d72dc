import { describe, expect, test } from '@jest/globals'
import type { ApiKey } from '@posthorn/topics'
import fc from 'fast-check'
import { apiKeyFrom, apiKeyHash, apiKeyPrefix, isApiKey } from './api-key.js'
import { Authentication, type Caller, type Needed } from './authentication.js'
import { KnownKeys } from './known-keys.js'
import { WrongKeys } from './wrong-keys.js'

const PLATFORM = 'the-platform-key-of-the-environment'
const SECRET = apiKeyFrom(new Uint8Array(32).fill(1))
const KEY: ApiKey = {
  id: 'key_1',
  version: 1,
  status: 'active',
  tenant: 'acme',
  hash: apiKeyHash(SECRET),
  roles: ['read', 'publish'],
  allowedIps: [],
  expiresAt: null,
}
const READ: Needed = { role: 'read', platform: false }

function authenticationOf(platformKey: string | undefined, keys: KnownKeys): Authentication {
  const wrongKeys = new WrongKeys(0)
  return new Authentication({ platformKey, find: hash => keys.find(hash), wrongKeys, onRefused: () => undefined })
}

function caller(
  key: Partial<ApiKey> = {},
  { needed = READ, secret = SECRET, tenant = undefined as string | undefined, address = '192.0.2.1' } = {},
): Caller {
  const keys = new KnownKeys()
  keys.put('key_1', { ...KEY, ...key })
  const found = authenticationOf(PLATFORM, keys).caller(
    { authorization: `Bearer ${secret}`, tenant, address, requestId: 'r' },
    needed,
  )
  if (found instanceof Promise) throw new Error('the lookup is synchronous')
  return found
}

describe('the text of a key', () => {
  test('has 256 random bits, a prefix and a checksum that finds every typing error of one character', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(48), (bytes, at) => {
        const key = apiKeyFrom(bytes)
        expect(key).toMatch(/^phk_[0-9A-Za-z]{49}$/)
        expect(isApiKey(key)).toBe(true)
        const place = 4 + at
        const wrong = key[place] === 'x' ? 'y' : 'x'
        expect(isApiKey(key.slice(0, place) + wrong + key.slice(place + 1))).toBe(false)
      }),
    )
  })

  test.each(['', 'phk_', SECRET.slice(0, -1), `${SECRET}a`, SECRET.toUpperCase(), ` ${SECRET}`])('%p is none', text =>
    expect(isApiKey(text)).toBe(false),
  )

  test('its beginning gives little away', () => expect(apiKeyPrefix(SECRET)).toHaveLength(12))
})

describe('S7 authentication by API key', () => {
  test('a key of a tenant acts for that tenant alone', () => {
    expect(caller()).toEqual({
      key: 'key_1',
      platform: false,
      tenant: 'acme',
      roles: ['read', 'publish'],
      address: '192.0.2.1',
      requestId: 'r',
      rate: undefined,
    })
    expect(caller({}, { tenant: 'acme' }).tenant).toBe('acme')
    expect(() => caller({}, { tenant: 'other' })).toThrow(expect.objectContaining({ code: 'tenant_not_found' }))
  })

  test('a key of the platform names its tenant; without a name it is default', () => {
    for (const [key, secret] of [
      [{ tenant: null }, SECRET],
      [{}, PLATFORM],
    ] as const) {
      expect(caller(key, { secret })).toMatchObject({ platform: true, tenant: 'default' })
      expect(caller(key, { secret, tenant: 'other' }).tenant).toBe('other')
      expect(() => caller(key, { secret, tenant: 'a b' })).toThrow(
        expect.objectContaining({ code: 'tenant_not_found' }),
      )
    }
    expect(caller({}, { secret: PLATFORM }).key).toBe('platform')
  })

  test.each([
    [{}, { secret: 'another-platform-key-of-24-or-more' }, 'key_invalid'],
    [{}, { secret: apiKeyFrom(new Uint8Array(32).fill(2)) }, 'key_invalid'],
    [{ status: 'deleted' as const }, {}, 'key_invalid'],
    [{ expiresAt: '2020-01-01T00:00:00.000Z' }, {}, 'key_expired'],
    [{ roles: ['publish' as const] }, {}, 'role_missing'],
    [{}, { needed: { role: 'admin' as const, platform: false } }, 'role_missing'],
    [{ roles: ['admin' as const] }, { needed: { role: 'read' as const, platform: true } }, 'role_missing'],
    [{ allowedIps: ['192.0.2.0/32'] }, {}, 'address_not_allowed'],
    [{ allowedIps: ['2001:db8::/32'] }, {}, 'address_not_allowed'],
    [{ allowedIps: ['0.0.0.0/0'] }, { address: 'unknown' }, 'address_not_allowed'],
  ])('%p with %p is %s', (key, request, code) => {
    expect(() => caller(key, request)).toThrow(expect.objectContaining({ code }))
  })

  test('lets in from the allowed addresses, in both forms', () => {
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:c000:0201'])
      expect(caller({ allowedIps: ['10.0.0.0/8', '192.0.2.0/24'] }, { address }).key).toBe('key_1')
    expect(caller({ allowedIps: ['2001:db8::/32'] }, { address: '2001:db8::1' }).key).toBe('key_1')
    expect(caller({ allowedIps: ['::ffff:192.0.2.0/120'] }).key).toBe('key_1')
    // As Node names the peer on a link of its own.
    expect(caller({ allowedIps: ['fe80::/10'] }, { address: 'fe80::1%eth0' }).key).toBe('key_1')
  })

  test('an admin may do all, and a key that has not expired is taken', () => {
    const needed = { role: 'publish' as const, platform: false }
    expect(caller({ roles: ['admin'], expiresAt: '2999-01-01T00:00:00.000Z' }, { needed }).key).toBe('key_1')
  })

  test('a rotated key is known by its new hash alone, a forgotten one not at all', () => {
    const keys = new KnownKeys()
    keys.put('key_1', KEY)
    keys.put('key_1', { ...KEY, hash: 'another', version: 2 })
    expect(keys.find(KEY.hash)).toBeUndefined()
    expect(keys.find('another')).toMatchObject({ version: 2 })
    keys.put('key_1', undefined)
    expect(keys.find('another')).toBeUndefined()
  })

  test('without a key of the environment only keys that were made are taken', () => {
    const keys = new KnownKeys()
    keys.put('key_1', { ...KEY, tenant: null })
    const authentication = authenticationOf(undefined, keys)
    const by = (secret: string) =>
      authentication.caller({ authorization: `Bearer ${secret}`, tenant: 'acme', address: '::1', requestId: 'r' }, READ)
    expect(by(SECRET)).toMatchObject({ key: 'key_1', platform: true, tenant: 'acme' })
    for (const secret of [PLATFORM, 'undefined', 'null', apiKeyFrom(new Uint8Array(32).fill(2))])
      expect(() => by(secret)).toThrow(expect.objectContaining({ code: 'key_invalid' }))
  })

  test.each([undefined, '', 'Basic eDp5', 'Bearer', 'Bearer a b'])('%p is no key', authorization => {
    const authentication = authenticationOf(PLATFORM, new KnownKeys())
    const request = { authorization, tenant: undefined, address: '::1', requestId: 'r' }
    expect(() => authentication.caller(request, READ)).toThrow(expect.objectContaining({ code: 'key_missing' }))
  })
})
