import { createPublicKey, type KeyObject } from 'node:crypto'
import { algorithmOf, type EncryptionKey, type KeyAlgorithm } from '@posthorn/webhook'
import { CompactEncrypt } from 'jose'

/** Encrypts to one receiver's public key: JWE in compact form (RFC 7516), each time with a content key of its own. */
export class PayloadCipher {
  private readonly key: KeyObject
  private readonly alg: KeyAlgorithm
  private readonly kid: string

  /** Throws on a key that registration would have refused. */
  constructor(key: EncryptionKey) {
    // The same object each time: jose imports it once.
    this.key = createPublicKey({ key: { ...key }, format: 'jwk' })
    this.alg = algorithmOf(key)
    this.kid = key.kid
  }

  /** `contentType` is what the receiver finds inside. */
  async encrypt(plaintext: Uint8Array, contentType: string): Promise<Buffer> {
    const header = { alg: this.alg, enc: 'A256GCM', kid: this.kid, cty: contentType }
    return Buffer.from(await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(this.key))
  }
}
