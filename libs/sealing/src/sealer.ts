import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const VERSION = 'v1'
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/
const SEALED = /^v1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]+)$/

export type SealFault =
  /** No master key is set at all. */
  | 'no_keys'
  /** A master key is not id:base64 of 32 bytes, or its id is there twice. */
  | 'bad_key'
  /** The text was sealed with a key that is no longer set. */
  | 'key_missing'
  /** The text is not of the form that seal makes. */
  | 'malformed'
  /** The text was altered, sealed for another context, or the key of that id is another one now. */
  | 'not_authentic'

/** A secret cannot be sealed or opened. `keyId` is the master key to put back into POSTHORN_SEALING_KEYS. */
export class SealError extends Error {
  constructor(
    readonly fault: SealFault,
    message: string,
    readonly keyId?: string,
  ) {
    super(message)
    this.name = 'SealError'
  }
}

/**
 * Keeps secrets unreadable in Postgres and on Kafka: AES-256-GCM under master keys that only the
 * registry, the deliverer and ingest have. The first key seals, all of them open: to rotate, put a new one
 * in front and keep the old one until everything sealed by it has been sealed again.
 *
 *   sealed = "v1." keyId "." base64url(iv[12] ciphertext tag[16])
 *
 * The context (the webhook's id) is authenticated with it, so that a sealed secret copied to another
 * webhook does not open. Random 96-bit IVs are safe for about 2^32 secrets per key.
 */
export class Sealer {
  private readonly keys = new Map<string, KeyObject>()
  private readonly sealing: string

  /** `keys` as Settings.sealingKeys has them: `id:base64` of 32 bytes. Throws SealError. */
  constructor(keys: readonly string[]) {
    for (const text of keys) {
      const [, id, encoded] = KEY.exec(text) ?? []
      if (id === undefined || encoded === undefined || this.keys.has(id))
        throw new SealError(
          'bad_key',
          'POSTHORN_SEALING_KEYS: each key must be id:base64 of 32 bytes, with an id of its own',
        )
      this.keys.set(id, createSecretKey(encoded, 'base64'))
    }
    const [first] = this.keys.keys()
    if (first === undefined)
      throw new SealError('no_keys', 'POSTHORN_SEALING_KEYS is not set: secrets of webhooks cannot be sealed or opened')
    this.sealing = first
  }

  seal(plaintext: string, context: string): string {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, this.keys.get(this.sealing)!, iv, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(context))
    const bytes = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `${VERSION}.${this.sealing}.${bytes.toString('base64url')}`
  }

  /** Throws SealError, which says what is at fault and, if a key is missing, its id. */
  unseal(sealed: string, context: string): string {
    const [, id, encoded] = SEALED.exec(sealed) ?? []
    const bytes = Buffer.from(encoded ?? '', 'base64url')
    if (id === undefined || bytes.length < IV_BYTES + TAG_BYTES)
      throw new SealError('malformed', 'the sealed secret is not of the form v1.<key id>.<base64url>')
    const key = this.keys.get(id)
    if (!key)
      throw new SealError(
        'key_missing',
        `the secret was sealed with the key "${id}", which POSTHORN_SEALING_KEYS does not have: put it back`,
        id,
      )
    const tagAt = bytes.length - TAG_BYTES
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(tagAt))
    try {
      return decipher.update(bytes.subarray(IV_BYTES, tagAt), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      throw new SealError(
        'not_authentic',
        `the sealed secret does not open with the key "${id}": it was altered, belongs to another webhook, that key's bytes were replaced, or the webhook has a setting that this process is too old to know`,
        id,
      )
    }
  }
}
