/** Why a request was refused. Codes are stable: new ones may come, none changes its meaning. */
export type VerificationCode =
  | 'body_not_raw'
  | 'missing_header'
  | 'timestamp_invalid'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'signature_missing'
  | 'no_matching_signature'

/**
 * The request cannot be trusted: answer 401 and do nothing else with it. `code` is for programs, the
 * message a sentence for whoever runs the receiver; it holds no secret and no signature.
 */
export class VerificationError extends Error {
  constructor(
    readonly code: VerificationCode,
    message: string,
  ) {
    super(message)
    this.name = 'VerificationError'
  }
}
