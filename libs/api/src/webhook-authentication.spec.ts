import { describe, expect, it, test } from '@jest/globals'
import {
  authenticationFaults,
  authenticationHeader,
  authenticationView,
  type AuthenticationBody,
} from './webhook-authentication.js'
import { signatureHeadersFaults } from './webhook-fields.js'

describe('S7 authentication to the receiver', () => {
  it.each<[AuthenticationBody, string, string]>([
    [{ type: 'bearer', token: 'abc.d-e_f~+/=' }, 'authorization', 'Bearer abc.d-e_f~+/='],
    [
      { type: 'basic', username: 'Aladdin', password: 'open sesame' },
      'authorization',
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    ],
    [{ type: 'basic', username: 'test', password: '123£:' }, 'authorization', 'Basic dGVzdDoxMjPCozo='],
    [{ type: 'api_key', value: 'a key' }, 'x-api-key', 'a key'],
    [{ type: 'api_key', header: 'X-Key', value: 'k' }, 'x-key', 'k'],
  ])('%j is a header', (body, header, value) => {
    expect(authenticationFaults(body)).toEqual([])
    expect(authenticationHeader(body)).toEqual({ header, value })
  })

  it.each<[string, unknown, string]>([
    ['no object', 'Bearer x', ''],
    ['a list', [], ''],
    ['no type', { token: 't' }, '/type'],
    ['an unknown type', { type: 'digest' }, '/type'],
    ['no token', { type: 'bearer' }, '/token'],
    ['a token with a line break', { type: 'bearer', token: 'a\r\nx-evil: 1' }, '/token'],
    ['a token with a space', { type: 'bearer', token: 'a b' }, '/token'],
    ['a token that is not ASCII', { type: 'bearer', token: 'ä' }, '/token'],
    ['a token that is no text', { type: 'bearer', token: ['a'] }, '/token'],
    ['a token that is too long', { type: 'bearer', token: 'a'.repeat(4097) }, '/token'],
    ['what stands for a token', { type: 'bearer', token: '[redacted]' }, '/token'],
    ['a colon in the name', { type: 'basic', username: 'a:b', password: 'p' }, '/username'],
    ['a line break in the name', { type: 'basic', username: 'a\n', password: 'p' }, '/username'],
    ['no password', { type: 'basic', username: 'a' }, '/password'],
    ['what stands for a password', { type: 'basic', username: 'a', password: '[redacted]' }, '/password'],
    ['a control character in the password', { type: 'basic', username: 'a', password: '\u0000' }, '/password'],
    ['no value', { type: 'api_key' }, '/value'],
    ['a value with a line break', { type: 'api_key', value: 'a\nb' }, '/value'],
    ['a header with a line break', { type: 'api_key', header: 'x\r\ny', value: 'a' }, '/header'],
    ["a header of the request's own", { type: 'api_key', header: 'Content-Length', value: 'a' }, '/header'],
    ['a header of the signature', { type: 'api_key', header: 'Webhook-Id', value: 'a' }, '/header'],
    ['a field of another type', { type: 'bearer', token: 't', username: 'u' }, '/username'],
    ['a field of objects', { type: 'bearer', token: 't', toString: 1 }, '/toString'],
  ])('is refused with the field named: %s', (_what, body, pointer) => {
    expect(authenticationFaults(body).map(fault => fault.pointer)).toEqual([pointer])
  })

  test('nothing secret of it is shown, and what is shown is no authentication', () => {
    for (const known of [
      { type: 'bearer', header: 'authorization' },
      { type: 'basic', header: 'authorization', username: 'u' },
      { type: 'api_key', header: 'x-key' },
    ] as const)
      expect(authenticationFaults(authenticationView(known))).toHaveLength(1)
  })

  test('a header that stands for the signature of this deployment is none of the customer', () => {
    expect(signatureHeadersFaults(['X-Acme-Signature', 'x-acme-tenant'], 'x-acme').map(fault => fault.pointer)).toEqual(
      ['/X-Acme-Signature'],
    )
  })
})
