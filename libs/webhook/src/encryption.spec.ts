import { describe, expect, it } from '@jest/globals'
import { JOSE, partForEncryption, REQUEST_INSIDE, type Encryption } from './encryption.js'
import { encryptionKeyFrom } from './encryption-key.js'

const key = encryptionKeyFrom({ kty: 'OKP', crv: 'X25519', x: 'x' })
const request = {
  headers: { 'ce-id': 'e', 'content-type': 'text/plain' },
  own: { 'x-token': 't', 'x-team': 'a' },
  body: Buffer.from([0, 255]),
}
const part = (more: Partial<Encryption>) => partForEncryption(request, { key, ...more })
const insideOf = (more: Partial<Encryption>) => JSON.parse(part(more).inside.toString()) as object

describe('S7 what is encrypted of a request', () => {
  it('is its body, with its media type, unless headers are wanted inside', () => {
    expect(part({})).toEqual({
      inside: request.body,
      insideType: 'text/plain',
      outside: { 'x-token': 't', 'x-team': 'a', 'ce-id': 'e', 'content-type': JOSE },
    })
  })

  it('has the chosen headers, which are then nowhere else', () => {
    const { insideType, outside } = part({ headers: ['x-token'] })
    expect([insideType, outside]).toEqual([REQUEST_INSIDE, { 'x-team': 'a', 'ce-id': 'e', 'content-type': JOSE }])
    expect(insideOf({ headers: ['x-token'] })).toEqual({
      headers: { 'x-token': 't', 'content-type': 'text/plain' },
      body_base64: 'AP8=',
    })
  })

  it('has the attributes that the format puts into headers', () => {
    expect(part({ attributes: true }).outside).toEqual({ 'x-token': 't', 'x-team': 'a', 'content-type': JOSE })
    expect(insideOf({ attributes: true })).toMatchObject({ headers: { 'ce-id': 'e', 'content-type': 'text/plain' } })
  })

  it("lets no header of the customer's own stand for one of Posthorn's, inside as outside", () => {
    const forging = { ...request, own: { 'ce-id': 'forged', 'content-type': 'forged' } }
    const both = { key, headers: ['ce-id', 'content-type'], attributes: true } as const
    expect(JSON.parse(partForEncryption(forging, both).inside.toString()).headers).toEqual(request.headers)
    expect(partForEncryption(forging, { key }).outside).toEqual({ 'ce-id': 'e', 'content-type': JOSE })
  })
})
