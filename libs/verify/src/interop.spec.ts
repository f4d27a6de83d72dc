import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { sign, verify } from './index.js'

const key = fc.uint8Array({ minLength: 24, maxLength: 64 })
const whsec = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString('base64')}`
const id = fc.stringMatching(/^[a-z]{1,8}_[A-Za-z0-9]{1,30}$/)
const json = fc.jsonValue().map(value => JSON.stringify(value))
// The package reads the clock itself, so the timestamps of these tests are of today.
const seconds = () => Math.floor(Date.now() / 1000)

describe('verify and the package standardwebhooks', () => {
  it('S6 accepts what the package signs, with a base64 secret or a plain one', () => {
    fc.assert(
      fc.property(key, id, json, (bytes, message, body) => {
        const timestamp = seconds()
        const header = new Webhook(whsec(bytes)).sign(message, new Date(timestamp * 1000), body)
        const headers = { 'webhook-id': message, 'webhook-timestamp': String(timestamp), 'webhook-signature': header }
        expect(verify({ body, headers, secrets: whsec(bytes) })).toMatchObject({ id: message, timestamp })
      }),
    )
    const plain = 'sixteen letters, or more'
    const timestamp = seconds()
    const header = new Webhook(plain, { format: 'raw' }).sign('m', new Date(timestamp * 1000), '{}')
    const headers = { 'webhook-id': 'm', 'webhook-timestamp': String(timestamp), 'webhook-signature': header }
    expect(verify({ body: '{}', headers, secrets: plain }).id).toBe('m')
  })

  it('S6 signs what the package accepts', () => {
    fc.assert(
      fc.property(key, id, json, (bytes, message, body) => {
        const headers = sign({ id: message, timestamp: seconds(), body, secrets: whsec(bytes) })
        expect(new Webhook(whsec(bytes)).verify(body, headers)).toEqual(JSON.parse(body))
      }),
    )
  })

  it('S6 refuses a request with one bit flipped in its body or in any header', () => {
    const request = fc.record({ bytes: key, message: id, body: fc.uint8Array({ minLength: 1, maxLength: 200 }) })
    fc.assert(
      fc.property(request, fc.nat(), fc.constantFrom('body', 'id', 'timestamp', 'signature'), (made, at, where) => {
        const timestamp = 1_772_000_000
        const headers = sign({ id: made.message, timestamp, body: made.body, secrets: whsec(made.bytes) })
        const options = { body: made.body, headers, secrets: whsec(made.bytes), now: timestamp * 1000 }
        expect(verify(options).id).toBe(made.message)
        if (where === 'body') options.body = flip(made.body, at)
        else headers[`webhook-${where}`] = flipText(headers[`webhook-${where}`]!, at)
        expect(() => verify(options)).toThrow(expect.objectContaining({ name: 'VerificationError' }))
      }),
      { numRuns: 2000 },
    )
  })
})

function flip(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const bit = at % (bytes.length * 8)
  const copy = Uint8Array.from(bytes)
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

function flipText(text: string, at: number): string {
  return Buffer.from(flip(Buffer.from(text), at)).toString('latin1')
}
