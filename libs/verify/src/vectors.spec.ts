import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { sign, signHex, signHub, verify, verifyHex, verifyHub, VerificationError } from './index.js'

interface Vector {
  readonly name: string
  readonly signing_secrets?: readonly string[]
  /** Of shared secrets; absent: sha256. */
  readonly hash?: 'sha512'
  readonly verifying_secret: string
  readonly id: string
  readonly timestamp: number
  readonly body?: string
  readonly body_base64?: string
  readonly signature: string
  readonly accepted: boolean
  readonly code?: string
}

const file = new URL('../vectors.json', import.meta.url)
interface BodyVector extends Pick<Vector, 'name' | 'verifying_secret' | 'body' | 'signature' | 'accepted' | 'code'> {
  readonly signing_secret?: string
  readonly body_base64?: string
}
const {
  vectors,
  hub_vectors: hubVectors,
  hex_vectors: hexVectors,
} = JSON.parse(readFileSync(file, 'utf8')) as {
  vectors: readonly Vector[]
  hub_vectors: readonly BodyVector[]
  hex_vectors: readonly BodyVector[]
}
const named = <T extends { readonly name: string }>(some: readonly T[]) => some.map(one => [one.name, one] as const)
const bytesOf = ({ body, body_base64 }: Pick<Vector, 'body' | 'body_base64'>) =>
  Buffer.from(body_base64 ?? body!, body_base64 ? 'base64' : 'utf8')
const headersOf = ({ id, timestamp, signature }: Vector, prefix = 'webhook') => ({
  [`${prefix}-id`]: id,
  [`${prefix}-timestamp`]: String(timestamp),
  [`${prefix}-signature`]: signature,
})
const outcomeOf = (vector: Vector, body = bytesOf(vector), headers = headersOf(vector)) => {
  try {
    return verify({ body, headers, secrets: vector.verifying_secret, now: vector.timestamp * 1000 }).id
  } catch (error) {
    if (error instanceof VerificationError) return error.code
    throw error
  }
}

describe('S6 the public vectors', () => {
  it('hold good and bad ones of all versions', () => {
    const kinds = new Set(vectors.map(({ name, accepted }) => `${name.split(':')[0]} ${accepted}`))
    expect([...kinds].sort()).toEqual([
      'hs512 false',
      'hs512 true',
      'v1 and v1a beside each other true',
      'v1 false',
      'v1 true',
      'v1a false',
      'v1a true',
    ])
  })

  it.each(named(vectors))('%s', (_name, vector) => {
    expect(outcomeOf(vector)).toBe(vector.accepted ? vector.id : vector.code)
    if (!vector.signing_secrets) return
    const { id, timestamp, hash = 'sha256' } = vector
    const secrets = vector.signing_secrets
    expect(sign({ id, timestamp, body: bytesOf(vector), secrets, hash })).toEqual(headersOf(vector))
  })

  it.each(['v1: the example of Standard Webhooks', 'v1a: the key of RFC 8032, test 1', 'hs512: a shared secret'])(
    '%s: no bit may differ',
    name => {
      const vector = vectors.find(one => one.name === name)!
      for (const body of flips(bytesOf(vector))) expect(outcomeOf(vector, body)).toBe('no_matching_signature')
      for (const text of flips(Buffer.from(vector.signature)).map(one => one.toString('latin1')))
        expect(outcomeOf(vector, undefined, { ...headersOf(vector), 'webhook-signature': text })).toMatch(
          /^(no_matching_signature|signature_missing)$/,
        )
    },
  )
})

describe.each([
  ['X-Hub-Signature-256', hubVectors, verifyHub, signHub],
  ['X-Signature', hexVectors, verifyHex, signHex],
] as const)('S6 the public vectors of %s', (header, all, verifyBody, signBody) => {
  const name = header.toLowerCase()
  const outcomeOf = (vector: BodyVector, signature = vector.signature, body: Buffer<ArrayBuffer> = bytesOf(vector)) => {
    try {
      verifyBody({ body, headers: { [name]: signature }, secrets: vector.verifying_secret })
      return 'accepted'
    } catch (error) {
      if (error instanceof VerificationError) return error.code
      throw error
    }
  }

  it.each(named(all))('%s', (_name, vector) => {
    expect(outcomeOf(vector)).toBe(vector.accepted ? 'accepted' : vector.code)
    if (!vector.signing_secret) return
    const signed = signBody({ body: bytesOf(vector), secret: vector.signing_secret })
    expect(signed).toEqual({ [name]: vector.signature })
    expect(signBody({ body: bytesOf(vector), secret: vector.signing_secret, header: 'X-Acme' })).toEqual({
      'x-acme': vector.signature,
    })
  })

  it('no bit may differ', () => {
    const vector = all.find(({ accepted }) => accepted)!
    for (const body of flips(bytesOf(vector))) expect(outcomeOf(vector, undefined, body)).toBe('no_matching_signature')
    for (const text of flips(Buffer.from(vector.signature)))
      expect(outcomeOf(vector, text.toString('latin1'))).toMatch(/^(no_matching_signature|signature_missing)$/)
  })
})

describe('S6 the public vectors with the libraries of others', () => {
  beforeAll(() => void jest.useFakeTimers())
  afterAll(() => void jest.useRealTimers())

  // Neither library knows v1a and hs512, and both take the body as text.
  const isKnown = ({ name, verifying_secret: secret }: Vector) =>
    !name.startsWith('hs512') && !secret.startsWith('whpk_')
  const shared = vectors.filter(one => isKnown(one) && one.body !== undefined)
  it.each([
    ['standardwebhooks', 'webhook', (secret: string) => webhook(Webhook, secret)],
    ['svix', 'svix', (secret: string) => webhook(SvixWebhook, secret)],
    ['svix', 'webhook', (secret: string) => webhook(SvixWebhook, secret)],
  ])('%s with the prefix %s decides the same', (_library, prefix, open) => {
    expect(shared.length).toBeGreaterThan(15)
    for (const vector of shared) {
      jest.setSystemTime(vector.timestamp * 1000)
      const run = () =>
        open(vector.verifying_secret).verify(vector.body!, headersOf(vector, prefix), { jsonParse: false })
      const accepted = succeeds(run)
      expect({ name: vector.name, accepted }).toEqual({ name: vector.name, accepted: vector.accepted })
    }
  })
})

type Library = new (
  secret: string | Uint8Array,
  options?: { format?: 'raw' },
) => { verify(body: string, headers: Record<string, string>, options?: { jsonParse?: boolean }): unknown }

const webhook = (library: Library, secret: string) =>
  secret.startsWith('whsec_') ? new library(secret) : new library(Buffer.from(secret), { format: 'raw' })

function succeeds(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}

/** The bytes with one bit changed, for each of the bits. */
function flips(bytes: Buffer): Buffer<ArrayBuffer>[] {
  return Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const copy = Buffer.from(bytes)
    copy[bit >> 3]! ^= 1 << (bit & 7)
    return copy
  })
}
