import { createHash, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { describe, expect, it, test } from '@jest/globals'
import { calculateJwkThumbprint } from 'jose'
import { algorithmOf, encryptionKeyFaults, encryptionKeyFrom } from './encryption-key.js'

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const rsa = (modulusLength: number, publicExponent?: number) =>
  generateKeyPairSync('rsa', { modulusLength, ...(publicExponent ? { publicExponent } : {}) })
const jwk = (pair: ReturnType<typeof ec>): JsonWebKey => pair.publicKey.export({ format: 'jwk' })

const P256 = ec('P-256')
const RSA = rsa(2048)
const GOOD: Record<string, JsonWebKey> = {
  'P-256': jwk(P256),
  'P-384': jwk(ec('P-384')),
  'P-521': jwk(ec('P-521')),
  X25519: jwk(generateKeyPairSync('x25519')),
  RSA: jwk(RSA),
}
const bytes = (text: string) => Buffer.from(text, 'base64url')
const flipped = (text: string) => {
  const copy = bytes(text)
  copy[copy.length - 1]! ^= 1
  return copy.toString('base64url')
}
const { x, y } = GOOD['P-256'] as { x: string; y: string }
const n = GOOD.RSA!.n!

describe('S7 the key of a receiver', () => {
  it.each(Object.keys(GOOD))('is taken: %s', kind => {
    expect(encryptionKeyFaults(GOOD[kind])).toEqual([])
    const beside = { ...GOOD[kind], kid: '2026-11', use: 'enc', key_ops: [], ext: true }
    expect(encryptionKeyFaults({ ...beside, alg: kind === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES+A256KW' })).toEqual([])
  })

  it.each(Object.keys(GOOD))('has its thumbprint as kid unless it has one: %s', async kind => {
    const key = GOOD[kind] as Record<string, string>
    expect(encryptionKeyFrom(key)).toEqual({ ...key, kid: await calculateJwkThumbprint(key) })
    expect(encryptionKeyFrom({ ...key, kid: 'mine', use: 'enc', x5t: 'ignored' })).toEqual({ ...key, kid: 'mine' })
    expect(algorithmOf(encryptionKeyFrom(key))).toBe(kind === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES+A256KW')
  })

  it.each<[string, string, RegExp, unknown]>([
    ['no object', '', /JWK/, 'key'],
    ['a list', '', /JWK/, [GOOD.RSA]],
    ['null', '', /JWK/, null],
    ['a private EC key', '', /private/, P256.privateKey.export({ format: 'jwk' })],
    ['a private RSA key', '', /private/, RSA.privateKey.export({ format: 'jwk' })],
    ['a private X25519 key', '', /private/, generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })],
    ['a private part of another type', '', /private/, { ...GOOD.RSA, d: 1 }],
    ['a shared secret', '', /private/, { kty: 'oct', k: 'AAAA' }],
    ['no kind', '/kty', /EC, OKP, RSA/, { x, y }],
    ['a kind of objects', '/kty', /EC, OKP, RSA/, { kty: 'constructor' }],
    ['a kind that is no text', '/kty', /EC, OKP, RSA/, { kty: ['EC'] }],
    ['a key for signatures', '/crv', /X25519/, jwk(generateKeyPairSync('ed25519'))],
    ['an unknown curve', '/crv', /P-256/, jwk(ec('secp256k1'))],
    ['no curve', '/crv', /P-256/, { kty: 'EC', x, y }],
    ['no y', '/y', /base64url/, { kty: 'EC', crv: 'P-256', x }],
    ['a point off the curve', '/x', /point/, { kty: 'EC', crv: 'P-256', x, y: flipped(y) }],
    ['a point of another curve', '/x', /point/, { kty: 'EC', crv: 'P-384', x, y }],
    ['the point at infinity', '/x', /point/, { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
    [
      'a point of low order',
      '/x',
      /encrypted to/,
      { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32).toString('base64url') },
    ],
    ['a short X25519 key', '/x', /point/, { kty: 'OKP', crv: 'X25519', x: 'AAAA' }],
    ['base64 with other signs', '/x', /base64url/, { kty: 'EC', crv: 'P-256', x: `${x.slice(0, -1)}=`, y }],
    ['RSA of 1024 bits', '/n', /1024 bits/, jwk(rsa(1024))],
    ['RSA of 2047 bits', '/n', /2047 bits/, { ...GOOD.RSA, n: shifted(n) }],
    ['RSA of 8192 bits', '/n', /8192 bits/, { ...GOOD.RSA, n: Buffer.alloc(1024, 255).toString('base64url') }],
    ['RSA of 100,000 bits', '/n', /length/, { ...GOOD.RSA, n: Buffer.alloc(12_500, 255).toString('base64url') }],
    ['an even modulus', '/n', /encrypted to|modulus/, { ...GOOD.RSA, n: flipped(n) }],
    ['a modulus of nothing', '/n', /base64url/, { ...GOOD.RSA, n: '' }],
    ['an exponent of 1', '/e', /65537/, { ...GOOD.RSA, e: 'AQ' }],
    ['an exponent of 3', '/e', /65537/, { ...GOOD.RSA, e: 'Aw' }],
    ['a huge exponent', '/e', /65537/, { ...GOOD.RSA, e: n }],
    ['an algorithm of another kind', '/alg', /RSA-OAEP-256/, { ...GOOD.RSA, alg: 'RSA1_5' }],
    ['an algorithm for signing', '/alg', /ECDH-ES\+A256KW/, { ...GOOD['P-256'], alg: 'ES256' }],
    ['a use for signing', '/use', /enc/, { ...GOOD['P-256'], use: 'sig' }],
    ['operations of signing', '/key_ops', /encryption/, { ...GOOD['P-256'], key_ops: ['verify'] }],
    ['a kid with a line break', '/kid', /printable/, { ...GOOD.RSA, kid: 'a\r\nb' }],
    ['a long kid', '/kid', /128/, { ...GOOD.RSA, kid: 'k'.repeat(129) }],
    ['an empty kid', '/kid', /printable/, { ...GOOD.RSA, kid: '' }],
    ['an unknown member', '/a~1b', /no member/, { ...GOOD.RSA, 'a/b': 1 }],
    ['a member of another kind', '/crv', /no member/, { ...GOOD.RSA, crv: 'P-256' }],
  ])('is refused, with the member at fault: %s', (_name, pointer, message, key) => {
    const faults = encryptionKeyFaults(key)
    expect(faults.map(fault => fault.pointer)).toContain(pointer)
    expect(faults.find(fault => fault.pointer === pointer)!.message).toMatch(message)
  })

  test('a private key is in no message', () => {
    const key = P256.privateKey.export({ format: 'jwk' })
    expect(JSON.stringify(encryptionKeyFaults(key))).not.toContain(key.d!)
  })
})

/** One bit shorter, and odd. */
function shifted(modulus: string): string {
  const digest = createHash('sha256').update(modulus).digest()
  const copy = Buffer.concat([bytes(modulus)])
  copy[0]! = 0x40 | (digest[0]! & 0x3f)
  copy[copy.length - 1]! |= 1
  return copy.toString('base64url')
}
