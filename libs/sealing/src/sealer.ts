import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const VERSION = 'v2'
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/
const ENVELOPED = /^v2\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{80})\.([A-Za-z0-9_-]+)$/
/** As it was sealed before there were data keys: still opened, and made v2 by reseal. */
const DIRECT = /^v1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]+)$/

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

type Parsed =
  | { readonly kind: 'direct'; readonly keyId: string; readonly bytes: Buffer }
  | { readonly kind: 'enveloped'; readonly keyId: string; readonly dataKey: Buffer; readonly bytes: Buffer }

/**
 * Keeps secrets unreadable in Postgres and on Kafka. Each has a random data key of its own, sealed by
 * a master key that only the registry, the deliverer and ingest have; both seals are AES-256-GCM. The first
 * master key seals, all of them open. Rotating them seals the data keys anew and touches no secret.
 *
 *   sealed = "v2." keyId "." base64url(sealed data key) "." base64url(secret sealed by the data key)
 *   either part is iv[12] ciphertext tag[16]
 *
 * The context (the webhook's id, say) is authenticated with both, so that a sealed secret copied to
 * another webhook does not open. Random 96-bit IVs are safe for about 2^32 seals per key.
 */
export class Sealer {
  private readonly keys = new Map<string, KeyObject>()
  /** Id of the master key that seals. */
  readonly sealingKey: string

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
    this.sealingKey = first
  }

  /** Of all master keys, the one that seals first. */
  get keyIds(): readonly string[] {
    return [...this.keys.keys()]
  }

  /** What everything starts with that is sealed as `seal` would do it now. */
  get prefix(): string {
    return `${VERSION}.${this.sealingKey}.`
  }

  seal(plaintext: string, context: string): string {
    const dataKey = randomBytes(KEY_BYTES)
    return this.enveloped(dataKey, encrypt(createSecretKey(dataKey), Buffer.from(plaintext), context), context)
  }

  /** Throws SealError, which says what is at fault and, if a key is missing, its id. */
  unseal(sealed: string, context: string): string {
    const parsed = parse(sealed)
    switch (parsed.kind) {
      case 'direct':
        return this.decrypt(this.master(parsed.keyId), parsed.bytes, context, parsed.keyId).toString()
      case 'enveloped': {
        const dataKey = createSecretKey(this.dataKey(parsed, context))
        return this.decrypt(dataKey, parsed.bytes, context, parsed.keyId).toString()
      }
    }
  }

  /** The same secret under the first master key; the very same text where that sealed it. Throws SealError. */
  reseal(sealed: string, context: string): string {
    if (sealed.startsWith(this.prefix)) return sealed
    const parsed = parse(sealed)
    switch (parsed.kind) {
      case 'direct':
        return this.seal(this.unseal(sealed, context), context)
      case 'enveloped':
        return this.enveloped(this.dataKey(parsed, context), parsed.bytes, context)
    }
  }

  private enveloped(dataKey: Buffer, bytes: Buffer, context: string): string {
    const wrapped = encrypt(this.master(this.sealingKey), dataKey, context)
    return `${this.prefix}${wrapped.toString('base64url')}.${bytes.toString('base64url')}`
  }

  private dataKey({ keyId, dataKey }: Extract<Parsed, { kind: 'enveloped' }>, context: string): Buffer {
    return this.decrypt(this.master(keyId), dataKey, context, keyId)
  }

  private master(id: string): KeyObject {
    const key = this.keys.get(id)
    if (key) return key
    throw new SealError(
      'key_missing',
      `the secret was sealed with the key "${id}", which POSTHORN_SEALING_KEYS does not have: put it back`,
      id,
    )
  }

  private decrypt(key: KeyObject, bytes: Buffer, context: string, keyId: string): Buffer {
    const tagAt = bytes.length - TAG_BYTES
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(tagAt))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, tagAt)), decipher.final()])
    } catch {
      throw new SealError(
        'not_authentic',
        `the sealed secret does not open with the key "${keyId}": it was altered, belongs to another webhook, or that key's bytes were replaced`,
        keyId,
      )
    }
  }
}

function encrypt(key: KeyObject, plaintext: Buffer, context: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function parse(sealed: string): Parsed {
  const [, keyId, dataKey, enveloped] = ENVELOPED.exec(sealed) ?? []
  const [, directId, direct] = DIRECT.exec(sealed) ?? []
  const bytes = Buffer.from(enveloped ?? direct ?? '', 'base64url')
  if (bytes.length >= IV_BYTES + TAG_BYTES) {
    if (keyId !== undefined && dataKey !== undefined)
      return { kind: 'enveloped', keyId, dataKey: Buffer.from(dataKey, 'base64url'), bytes }
    if (directId !== undefined) return { kind: 'direct', keyId: directId, bytes }
  }
  throw new SealError('malformed', 'the sealed secret is not of the form v2.<key id>.<data key>.<base64url>')
}

/** How much each master key has sealed of these; what is not of a form of seal is passed over. */
export function countByKey(sealed: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of sealed) {
    const [version, id = ''] = text.split('.', 2)
    if (version === 'v1' || version === VERSION) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

/** At start: nothing has to be sent first for an operator to see that a master key is missing. */
export function tellMissingKeys(
  sealer: Pick<Sealer, 'keyIds'>,
  counts: ReadonlyMap<string, number>,
  logger: { error(fields: object, text: string): void },
): void {
  for (const [key, count] of counts)
    if (count > 0 && !sealer.keyIds.includes(key))
      logger.error(
        { alert: 'sealing_key_missing', key, count },
        `POSTHORN_SEALING_KEYS lacks the key "${key}", which sealed ${count} secrets and headers: deliveries ` +
          'that need them wait until it is put back. It may go once posthorn secrets status says so.',
      )
}
