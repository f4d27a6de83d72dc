import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { signature, signedBytes } from './sign.js'
import {
  checkSecrets,
  sign,
  signHex,
  signHub,
  VerificationError,
  verify,
  verifyHex,
  verifyHub,
  type VerifyOptions,
} from './index.js'

const NOW = 1_772_000_000_000
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
const BODY = '{"type":"agent.created","timestamp":"2026-02-25T06:13:20Z","data":{"n":1}}'

const signed = (parts: Partial<Parameters<typeof sign>[0]> = {}) =>
  sign({ id: 'delivery_1', timestamp: NOW / 1000, body: BODY, secrets: SECRET, ...parts })

const check = (options: Partial<VerifyOptions> = {}) =>
  verify({ body: BODY, headers: signed(), secrets: SECRET, now: NOW, ...options })

/** Both halves of a key pair made of one number. */
function pair(seed: number): { readonly sender: string; readonly receiver: string } {
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)])
  const der = { format: 'der', type: 'spki' } as const
  const bytes = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
    .export(der)
    .subarray(-32)
  return {
    sender: `whsk_${Buffer.concat([Buffer.alloc(32, seed), bytes]).toString('base64')}`,
    receiver: `whpk_${bytes.toString('base64')}`,
  }
}

function refusal(run: () => unknown): VerificationError {
  try {
    run()
  } catch (error) {
    if (error instanceof VerificationError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('verify', () => {
  it('S6 tells id, time, type and payload of a request that was signed with the secret', () => {
    expect(check()).toEqual({
      id: 'delivery_1',
      timestamp: NOW / 1000,
      type: 'agent.created',
      payload: JSON.parse(BODY),
    })
  })

  it('takes bytes, an ArrayBuffer or text, and a body that is no JSON', () => {
    const bytes = Uint8Array.from([0xff, 0x00, 0xfe])
    const headers = signed({ body: bytes })
    expect(check({ body: bytes, headers })).toEqual({
      id: 'delivery_1',
      timestamp: NOW / 1000,
      payload: undefined,
    })
    expect(check({ body: bytes.buffer, headers }).id).toBe('delivery_1')
    expect(check({ body: Buffer.from(BODY) }).type).toBe('agent.created')
    expect(check({ body: '', headers: signed({ body: '' }) }).payload).toBeUndefined()
  })

  it('finds headers in any case, in arrays, in a Headers object and under svix-', () => {
    const upper = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), [value]]))
    expect(check({ headers: upper }).id).toBe('delivery_1')
    expect(check({ headers: new Headers(signed()) }).id).toBe('delivery_1')
    expect(check({ headers: signed({ prefix: 'svix' }) }).id).toBe('delivery_1')
  })

  it('never mixes the headers of two prefixes', () => {
    const { 'webhook-signature': value, ...rest } = signed()
    expect(refusal(() => check({ headers: { ...rest, 'svix-signature': value } })).code).toBe('missing_header')
  })

  it('accepts any of several secrets against any of several signatures', () => {
    const old = 'an old secret, as plain text'
    const [id, at] = ['delivery_1', String(NOW / 1000)]
    const one = (bytes: Buffer) => signature({ version: 'v1', bytes }, signedBytes(id, at, BODY))
    const header = ['v1a,AAAA', one(Buffer.alloc(24, 9)), one(Buffer.from(old))]
    const headers = (joint: string) => ({ ...signed(), 'webhook-signature': header.join(joint) })
    expect(check({ headers: headers(' '), secrets: [SECRET, old] }).id).toBe(id)
    expect(check({ headers: headers(', '), secrets: [SECRET, old] }).id).toBe(id)
    expect(refusal(() => check({ headers: headers(' ') })).code).toBe('no_matching_signature')
  })

  it('S6 checks by a public key, and signs by the private one of the pair', () => {
    const { sender, receiver } = pair(7)
    const headers = signed({ secrets: sender })
    expect(headers['webhook-signature']).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/)
    expect(check({ headers, secrets: receiver }).id).toBe('delivery_1')
    expect(check({ headers, secrets: [SECRET, pair(8).receiver, receiver] }).id).toBe('delivery_1')
    expect(refusal(() => check({ headers, secrets: pair(8).receiver })).code).toBe('no_matching_signature')
    expect(refusal(() => check({ headers, secrets: SECRET })).code).toBe('signature_missing')
    expect(refusal(() => check({ secrets: receiver })).code).toBe('signature_missing')
  })

  it('blames whoever mixes up the halves of a pair, or gives a damaged one', () => {
    const { sender, receiver } = pair(7)
    expect(() => check({ secrets: sender })).toThrow(/^A secret is the private key .*whpk_/)
    expect(() => signed({ secrets: receiver })).toThrow(/^A secret is a public key .*whsk_/)
    const mixed = `whsk_${Buffer.alloc(64, 1).toString('base64')}`
    for (const damaged of [receiver.slice(0, -4), `${receiver} `, 'whpk_', 'whsk_', mixed, `whpk_${'!'.repeat(44)}`])
      expect(() => checkSecrets(damaged)).toThrow(TypeError)
  })

  it('looks at no more signatures than senders send', () => {
    const { sender, receiver } = pair(7)
    const good = signed({ secrets: sender })['webhook-signature']!
    const flood = (count: number) => Array<string>(count).fill(`v1a,${Buffer.alloc(64).toString('base64')}`)
    const headers = (count: number) => ({ ...signed(), 'webhook-signature': [...flood(count), good].join(' ') })
    expect(check({ headers: headers(15), secrets: receiver }).id).toBe('delivery_1')
    expect(refusal(() => check({ headers: headers(16), secrets: receiver })).code).toBe('no_matching_signature')
  })

  it('takes headers of one prefix of its own', () => {
    const headers = signed({ prefix: 'acme-hook' })
    expect(check({ headers, prefix: 'Acme-Hook' }).id).toBe('delivery_1')
    expect(refusal(() => check({ headers })).code).toBe('missing_header')
    expect(refusal(() => check({ prefix: 'acme-hook' })).message).toContain('acme-hook-id')
  })

  it('tells the type within an envelope, too', () => {
    const body = '{"header":{"type":"a.b"},"body":{},"signature":{}}'
    expect(check({ body, headers: signed({ body }) }).type).toBe('a.b')
    for (const other of ['{"header":null}', '{"header":{"type":1}}', '[]', 'null', '{"type":1}'])
      expect(check({ body: other, headers: signed({ body: other }) })).not.toHaveProperty('type')
  })

  it('S6 refuses with a stable code and a sentence that says what to do', () => {
    const without = (name: string) => ({ ...signed(), [name]: undefined })
    const at = (timestamp: number) => signed({ timestamp })
    const refusals: [string, Partial<VerifyOptions>][] = [
      ['body_not_raw', { body: JSON.parse(BODY) }],
      ['body_not_raw', { body: undefined as unknown as string }],
      ['missing_header', { headers: {} }],
      ['missing_header', { headers: without('webhook-id') }],
      ['missing_header', { headers: without('webhook-timestamp') }],
      ['missing_header', { headers: without('webhook-signature') }],
      ['timestamp_invalid', { headers: { ...signed(), 'webhook-timestamp': '2026-02-25' } }],
      ['timestamp_too_old', { headers: at(NOW / 1000 - 301) }],
      ['timestamp_too_new', { headers: at(NOW / 1000 + 301) }],
      ['signature_missing', { headers: { ...signed(), 'webhook-signature': 'v1a,AAAA' } }],
      ['signature_missing', { headers: { ...signed(), 'webhook-signature': '' } }],
      ['no_matching_signature', { body: `${BODY} ` }],
      ['no_matching_signature', { headers: { ...signed(), 'webhook-id': 'delivery_2' } }],
      ['no_matching_signature', { secrets: 'another secret altogether' }],
    ]
    for (const [code, options] of refusals) {
      const error = refusal(() => check(options))
      expect([code, error.code]).toEqual([code, code])
      expect(error.message).toMatch(/^[A-Z].+: .+\.$/)
    }
  })

  it('has both ends of the tolerance inside, and takes another one', () => {
    for (const shift of [-300, 300]) check({ headers: signed({ timestamp: NOW / 1000 + shift }) })
    check({ headers: signed({ timestamp: NOW / 1000 - 4000 }), toleranceSeconds: 4000 })
    expect(refusal(() => check({ toleranceSeconds: 0, now: NOW + 1000 })).code).toBe('timestamp_too_old')
  })

  it('blames the receiver, not the request, for unusable secrets and options', () => {
    const short = `whsec_${Buffer.alloc(23).toString('base64')}`
    const damaged = SECRET.replace(/.{4}$/, ' !!x')
    for (const secrets of ['', 'fifteen letters', short, damaged, [], [SECRET, ''], 'x'.repeat(129)])
      for (const run of [() => check({ secrets }), () => checkSecrets(secrets)]) expect(run).toThrow(TypeError)
    checkSecrets([SECRET, 'sixteen letters!', 'ü'.repeat(128)])
    expect(() => check({ toleranceSeconds: Number.NaN })).toThrow(TypeError)
    expect(() => check({ now: Number.NaN })).toThrow(TypeError)
  })

  it('has every code in the table of its README, and no other', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const source = readFileSync(new URL('./verification-error.ts', import.meta.url), 'utf8')
    const codes = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(match => match[1]).sort()
    expect(codes(readme, /^\| `([a-z]+_[a-z_]+)`/gm)).toEqual(codes(source, /\| '([a-z_]+)'/g))
  })
})

describe('verifyHub', () => {
  const hubHeaders = { 'X-Hub-Signature-256': signHub({ body: BODY, secret: SECRET })['x-hub-signature-256'] }
  const hub = (more: Partial<Parameters<typeof verifyHub>[0]> = {}) =>
    verifyHub({ body: BODY, headers: hubHeaders, secrets: SECRET, ...more })

  it('S6 tells what a request holds whose body is signed, with one of several secrets', () => {
    expect(hub()).toEqual({ type: 'agent.created', payload: JSON.parse(BODY) })
    expect(hub({ secrets: ['another secret altogether', SECRET] }).type).toBe('agent.created')
    const headers = { ...signHub({ body: BODY, secret: SECRET, header: 'X-Acme' }), 'webhook-id': 'delivery_1' }
    expect(hub({ headers, header: 'X-ACME' }).id).toBe('delivery_1')
    expect(hub({ headers: new Headers(headers), header: 'x-acme' }).id).toBe('delivery_1')
  })

  it('S6 refuses with the codes of verify', () => {
    const refusals: [string, Parameters<typeof hub>[0]][] = [
      ['missing_header', { headers: {} }],
      ['missing_header', { headers: signed() }],
      ['signature_missing', { headers: { 'x-hub-signature-256': 'v1,x' } }],
      ['signature_missing', { headers: signed(), header: 'webhook-signature' }],
      ['no_matching_signature', { body: '' }],
      ['body_not_raw', { body: JSON.parse(BODY) }],
    ]
    for (const [code, more] of refusals) expect([code, refusal(() => hub(more)).code]).toEqual([code, code])
  })

  it('S6 takes plain hex by verifyHex alone, and says which of the two is for what came', () => {
    const plain = signHex({ body: BODY, secret: SECRET })
    expect(verifyHex({ body: BODY, headers: plain, secrets: SECRET }).type).toBe('agent.created')
    const named = { body: BODY, headers: hubHeaders, secrets: SECRET, header: 'X-Hub-Signature-256' }
    expect(refusal(() => verifyHex(named))).toMatchObject({
      code: 'signature_missing',
      message: expect.stringContaining('verifyHub'),
    })
    expect(refusal(() => hub({ headers: plain, header: 'X-Signature' })).code).toBe('signature_missing')
    expect(refusal(() => verifyHex({ ...named, headers: {} })).code).toBe('missing_header')
  })

  it('S6 blames the receiver for a secret that cannot check it', () => {
    for (const secrets of [pair(7).receiver, [], '']) expect(() => hub({ secrets })).toThrow(TypeError)
    expect(() => signHub({ body: BODY, secret: pair(7).sender })).toThrow('key pair')
  })
})
