import { VerificationError } from './verification-error.js'

export function rawBody(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  if (typeof body === 'string') return Buffer.from(body, 'utf8')
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  throw new VerificationError(
    'body_not_raw',
    `The body is ${body === null || body === undefined ? 'missing' : 'an object that was parsed already'}: pass the raw bytes of the request, because JSON written again is not what was signed.`,
  )
}

/** The payload, and the event type where it has one. */
export function parsed(bytes: Uint8Array): { type?: string; payload: unknown } {
  let payload: unknown
  try {
    payload = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return { payload: undefined }
  }
  const type = typeOf(payload) ?? typeOf(memberOf(payload, 'header'))
  return type === undefined ? { payload } : { type, payload }
}

function typeOf(payload: unknown): string | undefined {
  const type = memberOf(payload, 'type')
  return typeof type === 'string' ? type : undefined
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
