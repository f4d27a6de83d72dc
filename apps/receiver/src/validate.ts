import type { IncomingHttpHeaders } from 'node:http'
import { VerificationError, verify, type VerificationCode } from '@posthorn/verify'

export type Validation =
  | {
      readonly kind: 'verified'
      readonly webhookId: string
      readonly type: string | undefined
      /** When the attempt was signed, in seconds. */
      readonly signedAt: number
      /** From the event's own time, which the payload carries, to `now`. */
      readonly latencyMs: number | undefined
    }
  | { readonly kind: 'refused'; readonly code: VerificationCode; readonly message: string }

/** Step 1: is it from the sender, whole, and recent? Throws only when the receiver has no usable secret. */
export function validate(
  body: Buffer,
  headers: IncomingHttpHeaders,
  secrets: readonly string[],
  now: number,
): Validation {
  try {
    const { id, type, timestamp, payload } = verify({ body, headers, secrets, now })
    return { kind: 'verified', webhookId: id, type, signedAt: timestamp, latencyMs: latency(payload, now) }
  } catch (error) {
    if (error instanceof VerificationError) return { kind: 'refused', code: error.code, message: error.message }
    throw error
  }
}

function latency(payload: unknown, now: number): number | undefined {
  if (typeof payload !== 'object' || payload === null || !('timestamp' in payload)) return undefined
  const time = typeof payload.timestamp === 'string' ? Date.parse(payload.timestamp) : Number.NaN
  return Number.isNaN(time) ? undefined : now - time
}
