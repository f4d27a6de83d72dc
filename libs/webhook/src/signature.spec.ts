import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import {
  compileSecret,
  BODY_SIGNINGS,
  compileSigner,
  privateSecretFrom,
  secretBytes,
  secretFrom,
  signatureHeaders,
  signatureOf,
  signStandard,
  verifierOf,
  type Signing,
} from './index.js'

const base64 = (length: number) => Buffer.alloc(length, 0xfb).toString('base64')
const sign = (secrets: string[], id: string, at: number, body: string | Uint8Array) =>
  signStandard(secrets.map(compileSecret), id, at, Buffer.from(body))

describe('S6 signature', () => {
  it('S6 is the one of the published test vector of Standard Webhooks', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    expect(sign([secret], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    )
  })

  it('S6 is what the standardwebhooks package signs, for any secret, id, time and text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        fc.string({ minLength: 1 }),
        fc.integer({ min: 0, max: 4_000_000_000 }),
        fc.string({ unit: 'grapheme' }),
        (bytes, id, at, body) => {
          const secret = secretFrom(bytes)
          expect(sign([secret], id, at, body)).toBe(new Webhook(secret).sign(id, new Date(at * 1000), body))
        },
      ),
    )
  })

  it('S6 is accepted with either secret while one is being replaced, and refused with another or a changed body', () => {
    const [old, fresh, foreign] = [1, 2, 3].map(n => secretFrom(new Uint8Array(32).fill(n))) as [string, string, string]
    const at = Math.floor(Date.now() / 1000)
    const headers = {
      'webhook-id': 'delivery_1',
      'webhook-timestamp': String(at),
      'webhook-signature': sign([fresh, old], 'delivery_1', at, '{"a":1}'),
    }
    expect(headers['webhook-signature'].split(' ')).toHaveLength(2)
    for (const secret of [old, fresh]) expect(new Webhook(secret).verify('{"a":1}', headers)).toEqual({ a: 1 })
    expect(() => new Webhook(foreign).verify('{"a":1}', headers)).toThrow('No matching signature')
    expect(() => new Webhook(old).verify('{"a":2}', headers)).toThrow('No matching signature')
    expect(() => new Webhook(old).verify('{"a":1}', { ...headers, 'webhook-id': 'delivery_2' })).toThrow('No matching')
  })

  it('S6 signs the very bytes, also where they are no UTF-8', () => {
    const secret = secretFrom(new Uint8Array(32))
    expect(sign([secret], 'd', 1, Uint8Array.of(0xff))).not.toBe(sign([secret], 'd', 1, Uint8Array.of(0xfe)))
  })

  it('S6 takes a plain secret as its UTF-8 bytes', () => {
    const secret = 'ein geheimes Wört 🔑'
    expect(sign([secret], 'd', 9, 'x')).toBe(
      new Webhook(Buffer.from(secret), { format: 'raw' }).sign('d', new Date(9000), 'x'),
    )
  })
})

interface Vector {
  readonly name: string
  readonly signing_secrets: readonly string[]
  readonly hash?: 'sha512'
  readonly verifying_secret: string
  readonly id: string
  readonly timestamp: number
  readonly body?: string
  readonly body_base64?: string
  readonly signature: string
}
const vectorFile = new URL('../../verify/vectors.json', import.meta.url)
type BodyVector = Partial<Vector> & { readonly name: string; readonly signing_secret?: string }
const { vectors, ...ofBody } = JSON.parse(readFileSync(vectorFile, 'utf8')) as {
  vectors: (Partial<Vector> & { name: string })[]
  hub_vectors: BodyVector[]
  hex_vectors: BodyVector[]
}

const bytesOf = ({ body, body_base64: base64 }: Partial<Vector>) =>
  Buffer.from(base64 ?? body!, base64 ? 'base64' : 'utf8')

describe('S6 the public vectors', () => {
  const signed = vectors.filter((one): one is Vector => one.signing_secrets !== undefined)
  it.each(signed.map(one => [one.name, one] as const))('are what is signed: %s', (_name, vector) => {
    const { signing_secrets: secrets, id, timestamp, hash } = vector
    const signer = compileSigner(secrets, hash && { type: 'standard_sha512' })
    const headers = signatureHeaders(signer, 'webhook', { id, timestamp, body: bytesOf(vector) })
    expect(headers['webhook-signature']).toBe(vector.signature)
    expect(secrets.map(verifierOf)).toContain(vector.verifying_secret)
  })

  const inOneHeader = (['hub', 'hex'] as const).flatMap(type =>
    ofBody[`${type}_vectors`].flatMap(one =>
      one.signing_secret === undefined ? [] : [[one.name, type, one] as const],
    ),
  )
  it.each(inOneHeader)('are what is signed: %s', (_name, type, vector) => {
    const { header } = BODY_SIGNINGS[type]
    const signer = compileSigner([vector.signing_secret!], { type, header })
    const headers = signatureHeaders(signer, 'webhook', { id: 'd', timestamp: 1, body: bytesOf(vector) })
    expect(headers).toEqual({ 'webhook-id': 'd', 'webhook-timestamp': '1', [header]: vector.signature })
  })
})

describe('S6 a signing that is not Standard Webhooks as it stands', () => {
  const [fresh, old] = [1, 2].map(n => secretFrom(new Uint8Array(32).fill(n))) as [string, string]
  const body = Buffer.from('{"a":1}')
  const headersBy = (secrets: string[], signing: Signing) =>
    signatureHeaders(compileSigner(secrets, signing), 'webhook', { id: 'd', timestamp: 1, body })

  it('S6 of one header is by the oldest secret, so that an overlap lets receivers change at their own time', () => {
    for (const type of ['hub', 'hex'] as const) {
      const signing: Signing = { type, header: 'x-acme' }
      expect(headersBy([fresh, old], signing)).toEqual(headersBy([old], signing))
      expect(headersBy([fresh, old], signing)).not.toEqual(headersBy([fresh], signing))
    }
  })

  it('S6 of several entries is by all of them', () => {
    const entries = headersBy([fresh, old], { type: 'standard_sha512' })['webhook-signature']!.split(' ')
    expect(entries).toEqual([fresh, old].map(one => headersBy([one], { type: 'standard_sha512' })['webhook-signature']))
  })

  it('S6 is refused without a secret, by a key pair, and where this version does not know it', () => {
    expect(() => compileSigner([], undefined)).toThrow('no secret')
    const pair = privateSecretFrom(Buffer.alloc(32, 4))
    expect(() => compileSigner([fresh, pair], { type: 'hub', header: 'x-acme' })).toThrow('key pair')
    expect(() => compileSigner([fresh], { type: 'later' } as unknown as Signing)).toThrow('does not know')
  })
})

describe('S6 key pairs', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })

  it('are made whole, and their public half is what the receiver gets', () => {
    fc.assert(
      fc.property(bytes, random => {
        const secret = privateSecretFrom(random)
        expect(Buffer.from(secret.slice(5), 'base64').subarray(0, 32)).toEqual(Buffer.from(random))
        expect(verifierOf(secret)).toBe(
          `whpk_${Buffer.from(secret.slice(5), 'base64').subarray(32).toString('base64')}`,
        )
        expect(signatureOf(secret)).toBe('v1a')
        expect(secretBytes(secret)).toBeUndefined()
      }),
      { numRuns: 20 },
    )
  })

  it('may be given as the private half alone', () => {
    const half = `whsk_${Buffer.alloc(32, 4).toString('base64')}`
    const whole = privateSecretFrom(Buffer.alloc(32, 4))
    expect(verifierOf(half)).toBe(verifierOf(whole))
    expect(sign([half], 'd', 1, 'x')).toBe(sign([whole], 'd', 1, 'x'))
  })

  it.each([
    ['a public key', verifierOf(privateSecretFrom(Buffer.alloc(32, 4)))],
    ['halves of two pairs', `whsk_${Buffer.alloc(64, 4).toString('base64')}`],
    ['31 bytes', `whsk_${Buffer.alloc(31, 4).toString('base64')}`],
    ['no base64', `whsk_${'!'.repeat(44)}`],
    ['nothing', 'whsk_'],
  ])('are refused as %s', (_what, secret) => {
    expect(signatureOf(secret)).toBeUndefined()
    expect(() => compileSecret(secret)).toThrow('neither whsec_')
  })

  it('shared secrets are what both sides have', () => {
    for (const secret of [secretFrom(Buffer.alloc(32, 1)), 'sixteen letters!'])
      expect([signatureOf(secret), verifierOf(secret)]).toEqual(['v1', secret])
  })
})

describe('S6 forms of a secret', () => {
  it.each([24, 32, 64])('takes whsec_ + base64 of %i bytes', length => {
    expect(secretBytes(`whsec_${base64(length)}`)).toEqual(Buffer.alloc(length, 0xfb))
  })

  it('takes base64 without its padding', () => {
    expect(secretBytes(`whsec_${base64(32).replace(/=+$/, '')}`)).toEqual(Buffer.alloc(32, 0xfb))
  })

  it.each([
    ['23 bytes', `whsec_${base64(23)}`],
    ['65 bytes', `whsec_${base64(65)}`],
    ['nothing after whsec_', 'whsec_'],
    ['base64url', `whsec_${base64(32).replaceAll('+', '-').replaceAll('/', '_')}`],
    ['no base64', `whsec_${'!'.repeat(40)}`],
    ['white space inside', `whsec_${base64(32).slice(0, 20)} ${base64(32).slice(20)}`],
    ['a letter too many', `whsec_${base64(24)}A`],
    ['bits that no byte holds', `whsec_${base64(32).replace(/.=$/, '9=')}`],
    ['15 characters', 'x'.repeat(15)],
    ['129 characters', 'x'.repeat(129)],
    ['nothing', ''],
    ['no string', 1234567890123456],
    ['nothing at all', undefined],
  ])('refuses %s', (_what, secret) => {
    expect(secretBytes(secret)).toBeUndefined()
  })

  it.each([16, 128])('takes %i characters, counted as people count them', length => {
    expect(secretBytes('x'.repeat(length))).toEqual(Buffer.from('x'.repeat(length)))
    expect(secretBytes('🔑'.repeat(length))).toHaveLength(4 * length)
  })

  it('makes new secrets that it takes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), random => {
        expect(secretBytes(secretFrom(random))).toEqual(Buffer.from(random))
      }),
    )
  })

  it('throws where registration should have refused', () => {
    expect(() => compileSecret('short')).toThrow('neither whsec_')
  })
})
