import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { createAuthority } from '@posthorn/testkit'
import { MAX_PEM, plainTls, tlsMemberFaults, tlsPairFaults } from './webhook-tls.js'

const NOW = Date.now()
const authority = createAuthority('CA')
const { cert: certificate, key } = authority.issue('posthorn')
const old = authority.issue('old', [], [], NOW - 1000).cert
const SECRET = key.split('\n')[1]!
const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
})
const publicKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
const messages = (member: 'ca' | 'certificate' | 'key', value: unknown) =>
  tlsMemberFaults(member, value, NOW).map(fault => `${fault.pointer} ${fault.message}`)

describe('S7 the TLS of a webhook', () => {
  it.each([
    ['certificate', certificate],
    ['certificate', certificate + authority.ca],
    ['certificate', `subject=CN=posthorn\r\n${certificate.replaceAll('\n', '\r\n')}\r\n`],
    ['ca', authority.ca.repeat(16)],
    ['key', key],
    ['key', key.replaceAll('\n', '\r\n')],
  ] as const)('may have as %s what people have in their files', (member, value) => {
    expect(messages(member, value)).toEqual([])
  })

  it.each<['ca' | 'certificate' | 'key', string, unknown, RegExp]>([
    ['ca', 'a number', 1, /^\/ca must be PEM/],
    ['ca', 'nothing', '', /^\/ca must be PEM/],
    ['ca', '1 MB', 'x'.repeat(2 ** 20), /^\/ca must be PEM of at most/],
    ['ca', '1,000 certificates', authority.ca.repeat(1000), /^\/ca must be PEM of at most/],
    ['ca', 'as many as fit', authority.ca.repeat(Math.floor(MAX_PEM / authority.ca.length)), /at most 16 certificates/],
    ['ca', 'text', 'trust me', /must hold a certificate/],
    ['ca', 'an expired one beside a good one', authority.ca + old, /^\/ca certificate 2 of it has expired/],
    ['certificate', 'an expired one', old, /^\/certificate certificate 1 of it has expired at 2/],
    ['certificate', 'its key, too', certificate + key, /holds a private key/],
    ['certificate', 'a public key, too', certificate + String(publicKey), /no whole certificate/],
    ['certificate', 'half a one', certificate + certificate.slice(0, 100), /no whole certificate/],
    [
      'certificate',
      'a damaged one',
      certificate.replace('MII', 'AAA').replace(/^M/m, 'A'),
      /certificate 1 of it is damaged/,
    ],
    ['key', 'a public key', publicKey, /must be a private key/],
    ['key', 'a certificate', certificate, /must be a private key/],
    ['key', 'a broken key', key.replace(SECRET, SECRET.slice(9)), /must be a private key/],
    ['key', 'one with a passphrase', encrypted, /without a passphrase/],
  ])('must not have as %s %s', (member, _what, value, message) => {
    const faults = messages(member, value)
    expect(faults).toEqual([expect.stringMatching(message)])
    expect(faults.join()).not.toContain(SECRET)
  })

  it('has certificate and key together, and they fit', () => {
    const other = authority.issue('other').key
    const pointers = (tls: Parameters<typeof tlsPairFaults>[0]) => tlsPairFaults(tls).map(({ pointer }) => pointer)
    expect(pointers({ certificate, key, ca: authority.ca })).toEqual([])
    expect(pointers({ certificate: certificate + authority.ca, key })).toEqual([])
    expect(pointers({ ca: authority.ca })).toEqual([])
    expect(pointers({ certificate })).toEqual(['/key'])
    expect(pointers({ key })).toEqual(['/certificate'])
    expect(pointers({ certificate, key: other })).toEqual(['/key'])
    expect(pointers({ certificate: authority.ca + certificate, key })).toEqual(['/key'])
  })

  it('is kept in one form, and without remarks', () => {
    const crlf = (text: string) => `remark\r\n${text.replaceAll('\n', '\r\n')}`
    const tls = { ca: authority.ca + authority.ca, certificate, key }
    expect(plainTls({ ca: crlf(tls.ca), certificate: crlf(certificate), key: crlf(key) })).toEqual(plainTls(tls))
    expect(plainTls(tls)).toEqual(tls)
  })
})
