const PREFIX = 'whsec_'

/** Throws a TypeError that says what is wrong with the secrets: for a receiver to call when it starts. */
export function checkSecrets(secrets: string | readonly string[]): void {
  keysFrom(secrets)
}

/**
 * The key bytes of each secret: `whsec_` + base64 of 24 to 64 bytes, or any 16 to 128 characters
 * taken as their UTF-8 bytes. Throws a TypeError on anything else, because that is a fault of the
 * receiver's configuration and not of the request.
 */
export function keysFrom(secrets: string | readonly string[]): Buffer[] {
  const list = typeof secrets === 'string' ? [secrets] : secrets
  if (!Array.isArray(list) || list.length === 0)
    throw new TypeError('No secret was given: pass the secret that was shown when the webhook was registered.')
  return list.map((secret: unknown) => keyFrom(secret))
}

function keyFrom(secret: unknown): Buffer {
  const key = typeof secret !== 'string' ? undefined : secret.startsWith(PREFIX) ? decoded(secret) : literal(secret)
  if (!key)
    throw new TypeError(
      'A secret is unusable: it must be whsec_ + base64 of 24 to 64 bytes, or 16 to 128 characters. Copy it again, whole.',
    )
  return key
}

function literal(secret: string): Buffer | undefined {
  const length = [...secret].length
  return length >= 16 && length <= 128 ? Buffer.from(secret, 'utf8') : undefined
}

function decoded(secret: string): Buffer | undefined {
  const encoded = secret.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64')
  // Node skips what is no base64: without this comparison a damaged secret would pass as another one.
  const whole = bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '')
  return whole && bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined
}
