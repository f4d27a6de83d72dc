import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { encryptionKeyFrom } from '@posthorn/webhook'
import { compactDecrypt } from 'jose'
import { PayloadCipher } from './payload-cipher.js'

const PAIRS = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  X25519: generateKeyPairSync('x25519'),
  'RSA of 2048 bits': generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'RSA of 4096 bits': generateKeyPairSync('rsa', { modulusLength: 4096 }),
}
const keyOf = (kind: keyof typeof PAIRS) => encryptionKeyFrom({ ...PAIRS[kind].publicKey.export({ format: 'jwk' }) })

describe('S7 PayloadCipher', () => {
  it.each(Object.keys(PAIRS) as (keyof typeof PAIRS)[])('is read by the private key: %s', async kind => {
    const key = keyOf(kind)
    const cipher = new PayloadCipher(key)
    for (const plaintext of [Buffer.from('{"n": 1.0}'), Buffer.alloc(0), Buffer.alloc(921_600, 7)]) {
      const sealed = await cipher.encrypt(plaintext, 'application/json')
      const opened = await compactDecrypt(sealed, PAIRS[kind].privateKey)
      expect(Buffer.from(opened.plaintext).equals(plaintext)).toBe(true)
      expect(opened.protectedHeader).toMatchObject({
        alg: kind.startsWith('RSA') ? 'RSA-OAEP-256' : 'ECDH-ES+A256KW',
        enc: 'A256GCM',
        kid: key.kid,
        cty: 'application/json',
      })
    }
  })

  it('never encrypts the same bytes into the same', async () => {
    const cipher = new PayloadCipher(keyOf('P-256'))
    const [one, other] = await Promise.all([1, 2].map(() => cipher.encrypt(Buffer.from('x'), 'text/plain')))
    expect(one!.equals(other!)).toBe(false)
  })

  it('is not read by another key', async () => {
    const sealed = await new PayloadCipher(keyOf('P-256')).encrypt(Buffer.from('x'), 'text/plain')
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    await expect(compactDecrypt(sealed, other)).rejects.toThrow('decryption')
  })
})
