import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, type ErrorCode } from '@posthorn/api'
import type { Sealer } from '@posthorn/sealing'
import type { Logger } from '@posthorn/telemetry'
import type { SigningKey } from '@posthorn/topics'
import { verify, VerificationError, type VerificationCode } from '@posthorn/verify'

const CODES: Readonly<Record<VerificationCode, ErrorCode>> = {
  missing_header: 'signature_missing',
  signature_missing: 'signature_missing',
  timestamp_invalid: 'signature_missing',
  timestamp_too_old: 'signature_stale',
  timestamp_too_new: 'signature_stale',
  no_matching_signature: 'signature_invalid',
  body_not_raw: 'signature_invalid',
}

/** Checks requests that are signed by Standard Webhooks, whose senders name the headers webhook-… or svix-…. */
export class Signatures {
  /** By the document, which is another one when the key has another secret. */
  private readonly secrets = new WeakMap<SigningKey, string>()

  /** Without a sealer no secret opens. */
  constructor(
    private readonly sealer: Sealer | undefined,
    private readonly logger: Pick<Logger, 'error'>,
  ) {}

  /** Without these a body is not worth reading. Throws ApiError signature_missing. */
  requireHeaders(headers: IncomingHttpHeaders): void {
    if (!headers['webhook-signature'] && !headers['svix-signature'])
      throw new ApiError('signature_missing', 'The request has no header webhook-signature.')
  }

  /** The sender's id of the message. Throws ApiError signature_missing, signature_stale, signature_invalid, signing_unavailable. */
  check(key: SigningKey, headers: IncomingHttpHeaders, body: Buffer): string {
    const secrets = this.secretOf(key)
    try {
      return verify({ body, headers, secrets }).id
    } catch (error) {
      throw error instanceof VerificationError ? new ApiError(CODES[error.code], error.message) : error
    }
  }

  private secretOf(key: SigningKey): string {
    let secret = this.secrets.get(key)
    if (secret === undefined) this.secrets.set(key, (secret = this.open(key)))
    return secret
  }

  private open({ id, sealedSecret }: SigningKey): string {
    if (!this.sealer) throw unavailable('This ingest has no POSTHORN_SEALING_KEYS: it cannot check signatures.')
    try {
      return this.sealer.unseal(sealedSecret, id)
    } catch (error) {
      this.logger.error({ err: error, key: id }, 'the secret of a signing key does not open')
      throw unavailable(`The secret of the key "${id}" does not open with the POSTHORN_SEALING_KEYS of this ingest.`)
    }
  }
}

const unavailable = (detail: string) => new ApiError('signing_unavailable', detail, [], 30)
